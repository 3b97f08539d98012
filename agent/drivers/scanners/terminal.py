"""A scanner for people without one: every line typed at a terminal, or piped in, is a scan. For the demonstration."""

import os

from agent.drivers.scanners.framing import Framer
from agent.drivers.scanners.scanner import READ_BYTES, Scanner
from agent.runtime.event_loop import Timer

__all__ = ["TerminalScanner"]


class TerminalScanner(Scanner):
    """Reads lines from a file descriptor, standard input by default: a terminal, a pipe or a file.

    The descriptor stays blocking, as others share it, and open. People type slowly: a line is never cut short by a
    pause, but it is by the end of the input, which is the end of this scanner.
    """

    def __init__(self, *, name: str = "terminal", fd: int = 0) -> None:
        super().__init__(name=name, description=f"terminal, file descriptor {fd}", framer=Framer(b"\n", None))
        self._fd = fd
        self._turn: Timer | None = None
        self._is_file = False

    def _begin(self) -> None:
        self._go_on()
        self._up("terminal" if os.isatty(self._fd) else "input from a file or pipe")

    def _end(self) -> None:
        if self._loop is not None:
            self._hold()

    def _hold(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._loop is not None and not self._is_file:
            self._loop.remove_reader(self._fd)

    def _go_on(self) -> None:
        if self._loop is None:
            return
        if not self._is_file:
            try:
                self._loop.add_reader(self._fd, self._readable)
            except PermissionError:
                self._is_file = True  # a file is always readable, and cannot be waited for
        if self._is_file:
            self._turn = self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        self._turn = None
        if self._readable() and not self._paused and not self._closed:
            self._go_on()

    def _readable(self) -> bool:
        """Read what is there; answer whether there may be more."""
        try:
            typed = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return True
        except OSError as exc:
            self._finish(f"lost: {exc.strerror}")
            return False
        if not typed:
            self._finish("lost: end of input")
            return False
        self._take(typed)
        return True

    def _finish(self, why: str) -> None:
        self._hold()
        self._down(why)
