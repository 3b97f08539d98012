"""What a station shows: the lines of the `jsonl` indicator, read from a FIFO or a file."""

import json
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from harness.waiting import DEADLINE_S, DaemonEnded

__all__ = ["Shown", "SignalReader", "Signalled"]

_FILE_POLL_S = 0.0002
"""A file cannot be waited for. Short, because benchmarks pace their scans by it."""
_FIFO_POLL_S = 0.05
"""How often a dead daemon is looked for while nothing is shown."""


class Signalled(NamedTuple):
    """The signal of a scan, and its reason."""

    signal: str
    reason: str | None


class Shown(NamedTuple):
    """One line of the indicator; `at_ns` is the monotonic clock when the driver was called."""

    station: str
    signal: str
    reason: str | None
    at_ns: int

    @property
    def signalled(self) -> Signalled:
        return Signalled(self.signal, self.reason)


def _shown(line: bytes) -> Shown:
    value = json.loads(line)
    assert set(value) == {"station", "signal", "reason", "monotonic_ns"}, f"not a line of the indicator: {line!r}"
    assert type(value["monotonic_ns"]) is int
    return Shown(value["station"], value["signal"], value["reason"], value["monotonic_ns"])


class SignalReader:
    """Reads the lines in the order in which they were shown; a line is parsed when it is taken.

    The kiosk sets `is_writer_alive`, so that a wait ends with DaemonEnded when the daemon has ended.
    """

    def __init__(self, path: Path, *, kind: Literal["fifo", "file"] = "fifo") -> None:
        self.path = path
        self.is_writer_alive: Callable[[], bool] = lambda: True
        self._lines: list[bytes] = []
        self._taken = 0
        self._rest = b""
        self._is_fifo = kind == "fifo"
        if self._is_fifo:
            os.mkfifo(path)
        else:
            path.touch()
        # Open for writing too, so that the FIFO stays open when a daemon ends.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def _read(self) -> bool:
        """Read what is there. Only by read(2): since Linux 6.13, stat(2) of a file makes every file's next timestamp
        finer, and the kiosk's next flush would have to write its journal's."""
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return False
        if not data:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += lines
        return True

    def wait(self, count: int, *, deadline_s: float = DEADLINE_S) -> None:
        """Return once at least `count` lines can be taken. Raises DaemonEnded, or AssertionError at the deadline."""
        end = time.monotonic() + deadline_s
        while len(self._lines) - self._taken < count:
            was_alive = self.is_writer_alive()
            if self._read():
                continue
            if not was_alive:
                raise DaemonEnded("the daemon has ended without a signal")
            came = len(self._lines) - self._taken
            assert time.monotonic() < end, f"{came} of {count} signals came"
            if self._is_fifo:
                select.select([self._fd], [], [], _FIFO_POLL_S)
            else:
                time.sleep(_FILE_POLL_S)

    def take(self, count: int, *, deadline_s: float = DEADLINE_S) -> list[Shown]:
        """Wait for the next `count` lines, and take them."""
        self.wait(count, deadline_s=deadline_s)
        first, self._taken = self._taken, self._taken + count
        return [_shown(line) for line in self._lines[first : self._taken]]

    def next(self, *, deadline_s: float = DEADLINE_S) -> Shown:
        """Wait for the next line, and take it."""
        return self.take(1, deadline_s=deadline_s)[0]

    def left(self) -> list[Shown]:
        """Take the lines that were shown by now and not taken yet."""
        while self._read():
            pass
        return self.take(len(self._lines) - self._taken)

    @property
    def shown(self) -> list[Shown]:
        """Every line read so far, taken or not."""
        return [_shown(line) for line in self._lines]

    def close(self) -> None:
        os.close(self._fd)
