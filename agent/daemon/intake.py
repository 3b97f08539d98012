"""Between the scanners and the scan path: each scanner in its turn, however fast one of them sends.

What a scanner sends ahead of what the scan path has taken waits here: a few scans and a read of its device at most.
Then this scanner is left unread, and no other.
"""

from collections import deque

from msgspec import Struct, field

from agent.drivers.scanner import OnFrame, Scanner
from agent.scan import Frame

__all__ = ["AHEAD", "Intake"]

AHEAD = 8
"""With so many scans of it waiting, a scanner is read no further."""


class _Line(Struct, eq=False):
    """What waits of one scanner."""

    station: str
    scanner: Scanner
    frames: deque[Frame] = field(default_factory=deque)
    is_held: bool = False


class Intake:
    """Takes the scanners' frames, and gives them out by `next`. For whoever has the turn at the scanners' watch."""

    def __init__(self) -> None:
        self._waiting: deque[_Line] = deque()

    def __bool__(self) -> bool:
        """Whether a frame waits."""
        return bool(self._waiting)

    def of(self, station: str, scanner: Scanner) -> OnFrame:
        """What a scanner of that station hands its frames to."""
        line = _Line(station, scanner)

        def take(frame: Frame) -> None:
            line.frames.append(frame)
            waiting = len(line.frames)
            if waiting == 1:
                self._waiting.append(line)
            elif waiting >= AHEAD and not line.is_held:
                line.is_held = True
                scanner.pause()

        return take

    def next(self) -> tuple[str, str, Frame] | None:
        """The next frame, with the station and the name of its scanner: of one scanner after the other."""
        if not self._waiting:
            return None
        line = self._waiting.popleft()
        frame = line.frames.popleft()
        if line.frames:
            self._waiting.append(line)
        elif line.is_held:
            line.is_held = False
            line.scanner.resume()
        return line.station, line.scanner.name, frame
