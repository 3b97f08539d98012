"""Between the scanners and the scan path: each scanner in its turn, however fast one of them sends.

A few scans only are handed on ahead of what the scan path has taken. What a scanner sends beyond that waits here, at
most one read of its device, and the scanner is left unread meanwhile; no other is.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from msgspec import Struct, field

from agent.drivers.scanner import OnFrame, Scanner
from agent.scan import Frame

__all__ = ["AHEAD", "Intake"]

AHEAD = 8
"""How many scans may wait in the scan path: with so many another scanner's next one has to wait for."""

_AGAIN_S = 0.001


class _Line(Struct, eq=False):
    """What waits of one scanner."""

    station: str
    scanner: Scanner
    frames: deque[Frame] = field(default_factory=deque)


class Intake:
    """Hands frames on to `submit`; `taken` tells how many of them have been dealt with. For the loop's thread."""

    def __init__(
        self,
        *,
        submit: Callable[[str, str, Frame], None],
        taken: Callable[[], int],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._submit = submit
        self._taken = taken
        self._loop = loop
        self._handed_on = 0
        self._waiting: deque[_Line] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def of(self, station: str, scanner: Scanner) -> OnFrame:
        """What a scanner of that station hands its frames to."""
        line = _Line(station, scanner)

        def take(frame: Frame) -> None:
            if line.frames or not self._has_room():
                self._wait(line, frame)
            else:
                self.hand_on(station, scanner.name, frame)

        return take

    def hand_on(self, station: str, name: str, frame: Frame) -> None:
        """Hand on at once what comes from no scanner and in no number."""
        self._handed_on += 1
        self._submit(station, name, frame)

    def close(self) -> None:
        """Hand nothing on any more: what waits got no signal, and counts for nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()

    def _has_room(self) -> bool:
        return self._handed_on - self._taken() < AHEAD

    def _wait(self, line: _Line, frame: Frame) -> None:
        line.frames.append(frame)
        if len(line.frames) == 1:
            self._waiting.append(line)
            line.scanner.pause()
        self._come_again()

    def _come_again(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(_AGAIN_S, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        while self._waiting and self._has_room():
            line = self._waiting.popleft()
            self.hand_on(line.station, line.scanner.name, line.frames.popleft())
            if line.frames:
                self._waiting.append(line)
            else:
                line.scanner.resume()
        if self._waiting:
            self._come_again()
