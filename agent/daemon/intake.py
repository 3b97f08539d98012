"""Between the scanners and the scan path: in the order of their coming, until one of them sends faster than it is dealt
with. Then that one takes its turns with the others, and is left unread meanwhile, and no other is.
"""

from collections import deque
from typing import Protocol

from msgspec import Struct, field

from agent.drivers.scanners.scanner import OnFrame
from agent.scan import Frame

__all__ = ["AHEAD", "Intake", "Presses", "Source"]

AHEAD = 8
"""So many scans of one scanner come before those that another one reads later; with so many waiting, it is read no
further."""


class Source(Protocol):
    """Where frames come from, most often a scanner."""

    @property
    def name(self) -> str: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Presses(Struct, frozen=True):
    """Push-buttons as a source: nobody presses them faster than they are dealt with."""

    name: str = "buttons"

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass


class _Line(Struct, eq=False):
    """What waits of one scanner."""

    station: str
    source: Source
    frames: deque[Frame] = field(default_factory=deque)
    is_held: bool = False


class Intake:
    """Takes the scanners' frames, and gives them out by `next`. For whoever has the turn at the scanners' watch."""

    def __init__(self) -> None:
        # A line stands here once for each of its frames, but at most `AHEAD` times.
        self._waiting: deque[_Line] = deque()

    def __bool__(self) -> bool:
        """Whether a frame waits."""
        return bool(self._waiting)

    def of(self, station: str, source: Source) -> OnFrame:
        """What a scanner of that station hands its frames to."""
        line = _Line(station, source)

        def take(frame: Frame) -> None:
            line.frames.append(frame)
            if len(line.frames) <= AHEAD:
                self._waiting.append(line)
            if len(line.frames) >= AHEAD and not line.is_held:
                line.is_held = True
                source.pause()

        return take

    def next(self) -> tuple[str, str, Frame] | None:
        """The next frame, with the station and the name of its scanner."""
        if not self._waiting:
            return None
        line = self._waiting.popleft()
        frame = line.frames.popleft()
        if len(line.frames) >= AHEAD:
            self._waiting.append(line)
        elif line.is_held and not line.frames:
            line.is_held = False
            line.source.resume()
        return line.station, line.source.name, frame
