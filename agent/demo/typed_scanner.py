"""The demonstration's scanner: what is typed, word by word made into barcodes, one scan at a time."""

from collections import deque
from collections.abc import Callable

from agent.demo.board import Board
from agent.demo.line_editor import LineEditor
from agent.demo.words import Leave, Remark, Scan, Typed
from agent.drivers.scanners.terminal import TerminalScanner
from agent.runtime.event_loop import Timer
from agent.runtime.log import escape

__all__ = ["TypedScanner"]

_LOOK_S = 0.02


class TypedScanner(TerminalScanner):
    """Reads lines from a terminal or a pipe, from when `is_ready` says so; `spell` says what a line means.

    A line waits until the scan before it is answered (`answered`), as a word's meaning depends on what is open then.
    `on_end` is called once, when the input is over and all of it answered, or somebody wants to leave.
    """

    def __init__(
        self,
        *,
        fd: int,
        board: Board,
        spell: Callable[[str], Typed],
        is_ready: Callable[[], bool],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(name="typed", fd=fd)
        self._board = board
        self._spell = spell
        self._is_ready = is_ready
        self._on_end = on_end
        self._editor = LineEditor()
        self._lines: deque[bytes] = deque()
        self._waits = False
        self._over = False
        self._ended = False
        self._look: Timer | None = None

    def answered(self) -> None:
        """The kiosk has signalled. From any thread."""
        if self._loop is not None and not self._closed:
            self._loop.call_soon_threadsafe(self._answered)

    def _begin(self) -> None:
        """Leave the input where it is until the kiosk knows its operators and orders."""
        self._look = None
        if self._is_ready():
            super()._begin()
        else:
            self._look = self._running.call_later(_LOOK_S, self._begin)

    def _end(self) -> None:
        if self._look is not None:
            self._look.cancel()
        super()._end()

    def _take(self, data: bytes) -> None:
        self._lines += self._editor.feed(data)
        self._board.typing(escape(self._editor.line))
        self._over = self._over or self._editor.is_over
        self._next()

    def _down(self, why: str) -> None:
        super()._down(why)
        if rest := self._editor.rest():
            self._lines.append(rest)
        self._over = True
        self._next()

    def _answered(self) -> None:
        self._waits = False
        self._next()

    def _next(self) -> None:
        """Hand on lines until one is a scan, which will be answered."""
        while self._lines and not self._waits and not self._ended:
            line = self._lines.popleft()
            typed = line.decode("utf-8", "surrogateescape").strip(" ")
            if not typed:
                continue
            match self._spell(typed):
                case Scan(code):
                    self._waits = True
                    self._board.scanned(escape(typed))
                    super()._take(code.encode("utf-8", "surrogateescape") + b"\n")
                case Remark(text):
                    self._board.note(text)
                case Leave():
                    self._lines.clear()
                    self._over = True
        if self._over and not self._lines and not self._waits and not self._ended:
            self._ended = True
            self._on_end()
