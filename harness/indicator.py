"""What a station shows: the `jsonl` indicator's lines, read through a FIFO or from a file."""

import json
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from harness.waiting import DEADLINE_S, DaemonEnded

__all__ = ["Indicator", "Shown", "Signalled"]


class Signalled(NamedTuple):
    """What a scan got."""

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
    assert set(value) == {"station", "signal", "reason", "monotonic_ns"}, f"not an indicator's line: {line!r}"
    assert type(value["monotonic_ns"]) is int
    return Shown(value["station"], value["signal"], value["reason"], value["monotonic_ns"])


class Indicator:
    """Reads the lines in the order shown; `shown` keeps all that were read.

    `writer_alive` tells whether the daemon that writes here still runs (the kiosk sets it): a dead one shows no more.
    """

    def __init__(self, path: Path, *, kind: Literal["fifo", "file"] = "fifo") -> None:
        self.path = path
        self.shown: list[Shown] = []
        self.writer_alive: Callable[[], bool] = lambda: True
        self._taken = 0
        self._rest = b""
        self._is_fifo = kind == "fifo"
        if self._is_fifo:
            os.mkfifo(path)
        else:
            path.touch()
        # For reading and writing, so that the FIFO outlives each daemon that writes into it.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.shown += map(_shown, lines)
        return bool(data)

    def next(self, *, deadline_s: float = DEADLINE_S) -> Shown:
        """The next line not yet taken. Raises DaemonEnded when the daemon has ended without writing one."""
        end = time.monotonic() + deadline_s
        while len(self.shown) == self._taken:
            alive = self.writer_alive()
            if self._is_fifo:
                select.select([self._fd], [], [], 0.05)
            else:
                time.sleep(0.001)
            if not self._read() and not alive:
                raise DaemonEnded("the daemon ended without a signal")
            assert time.monotonic() < end, "no signal"
        self._taken += 1
        return self.shown[self._taken - 1]

    def nth(self, number: int, *, deadline_s: float = DEADLINE_S) -> Shown:
        """The number-th line ever shown, from 1; waits for it, and takes all lines up to it."""
        while self._taken < number:
            self.next(deadline_s=deadline_s)
        return self.shown[number - 1]

    def left(self) -> list[Shown]:
        """Lines that were shown by now and not taken; takes them."""
        while self._read():
            pass
        found = self.shown[self._taken :]
        self._taken = len(self.shown)
        return found

    def close(self) -> None:
        os.close(self._fd)
