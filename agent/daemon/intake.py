"""Frames waiting for the scan path, first in, first out; a scanner with eight queued frames is paused.

Only a scanner's first eight queued frames keep their place before later frames of other scanners. So in a flood,
scanners take turns.
"""

from collections import deque
from typing import Protocol

from msgspec import Struct, field

from agent.drivers.scanners.scanner import OnFrame
from agent.scan import Frame

__all__ = ["AHEAD", "ButtonSource", "FrameSource", "Intake"]

AHEAD = 8
"""How many frames of one scanner may be queued before it is paused."""


class FrameSource(Protocol):
    """Where frames come from: a scanner, or the buttons of a station."""

    @property
    def name(self) -> str: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class ButtonSource(Struct, frozen=True):
    """Push-buttons. Nobody presses them faster than the scan path takes presses, so they are never paused."""

    name: str = "buttons"

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass


class _SourceQueue(Struct, eq=False):
    """The queued frames of one source."""

    station: str
    source: FrameSource
    frames: deque[Frame] = field(default_factory=deque)
    is_paused: bool = False


class Intake:
    """Used only by the thread that runs the devices' event loop at the moment."""

    def __init__(self) -> None:
        # A source is in it once for each of its frames, but at most `AHEAD` times.
        self._turns: deque[_SourceQueue] = deque()

    def __bool__(self) -> bool:
        """Whether a frame waits."""
        return bool(self._turns)

    def of(self, station: str, source: FrameSource) -> OnFrame:
        """Return the callback to which a source of that station hands its frames."""
        queue = _SourceQueue(station, source)

        def take(frame: Frame) -> None:
            queue.frames.append(frame)
            if len(queue.frames) <= AHEAD:
                self._turns.append(queue)
            if len(queue.frames) >= AHEAD and not queue.is_paused:
                queue.is_paused = True
                source.pause()

        return take

    def next(self) -> tuple[str, str, Frame] | None:
        """Return the next frame as (station, name of the source, frame), or None."""
        if not self._turns:
            return None
        queue = self._turns.popleft()
        frame = queue.frames.popleft()
        if len(queue.frames) >= AHEAD:
            self._turns.append(queue)
        elif queue.is_paused and not queue.frames:
            queue.is_paused = False
            queue.source.resume()
        return queue.station, queue.source.name, frame
