"""Reading the journal while it is written: in order from a position on, with descriptors of its own."""

import os
from pathlib import Path
from typing import NoReturn, Protocol, Self

from agent.errors import JournalDamaged, JournalFault
from agent.journal.files import open_to_read
from agent.journal.frames import HEADER_BYTES, FrameHead, StoredEvent, events_of, find_frame, frame_at, seed_of
from agent.journal.segments import Segment, Table, segment_path

__all__ = ["Log", "Reader"]


class Log(Protocol):
    """What a reader must know of the journal; each may change at any time."""

    @property
    def directory(self) -> Path: ...

    @property
    def table(self) -> Table: ...

    @property
    def last_position(self) -> int: ...


class Reader:
    """The events after a position, in order, up to the last one committed; pruned ones are passed over.

    For one thread; closing it twice is fine.
    """

    def __init__(self, log: Log, after: int) -> None:
        self._log = log
        self._position = after + 1
        self._ahead: list[StoredEvent] = []
        self._segment: Segment | None = None
        self._fd = -1
        self._data = b""
        self._base = 0  # where in the file `_data` begins
        self._at = 0  # where in `_data` the next frame begins

    def read(self, limit: int) -> list[StoredEvent]:
        """The next events, at most `limit`; empty when there are none yet. Raises JournalDamaged, JournalFault."""
        try:
            return self._read(limit)
        except FileNotFoundError as exc:
            raise JournalDamaged(str(exc.filename), 0, "the segment is missing") from exc
        except OSError as exc:
            raise JournalFault(f"the journal cannot be read: {exc.strerror}") from exc

    def _read(self, limit: int) -> list[StoredEvent]:
        through = self._log.last_position
        events: list[StoredEvent] = []
        while len(events) < limit and self._position <= through:
            if not self._ahead:
                self._ahead = self._next_frame()
            taken = self._ahead[: limit - len(events)]
            del self._ahead[: len(taken)]
            if taken:
                events += taken
                self._position = taken[-1].position + 1
        return events

    def _next_frame(self) -> list[StoredEvent]:
        """The events from `_position` on of the frame that holds it; empty for a frame without events.

        Called only while `_position` is committed.
        """
        segment = self._segment
        if segment is None or segment.last_position < self._position:
            segment = self._seek()
            if segment is None:
                return []
        if not self._data:
            self._load(segment, self._base)
        head = frame_at(self._data, self._at, seed_of(segment.index))
        if head is None or head.position > self._position:
            self._damaged(segment, self._at)
        events = events_of(self._data, head)[self._position - head.position :]
        self._at = head.end
        if self._at == len(self._data):
            self._base, self._data, self._at = self._base + self._at, b"", 0
        return events

    def _seek(self) -> Segment | None:
        """Open the segment that holds `_position` and stand at its frame; none when it led over a pruned range."""
        table = self._log.table
        pruned_through = table.pruned_through(self._position)
        if pruned_through is not None:
            self._position = pruned_through + 1
            return None
        segment = table.segment_of(self._position)
        if segment is None:
            path = segment_path(self._log.directory, table.segments[-1].index)
            raise JournalDamaged(str(path), 0, f"no segment holds event {self._position}")
        self.close()
        try:
            self._fd = open_to_read(segment_path(self._log.directory, segment.index))
        except FileNotFoundError:
            if self._log.table.pruned_through(self._position) is None:
                raise
            return None
        self._load(segment, HEADER_BYTES)
        self._at = self._frame_of(segment, self._position).start
        self._segment = segment
        return segment

    def _load(self, segment: Segment, offset: int) -> None:
        self._data = os.pread(self._fd, segment.end - offset, offset)
        self._base = offset
        self._at = 0

    def _frame_of(self, segment: Segment, position: int) -> FrameHead:
        """The frame that holds a position. A damaged frame before it is passed over: what it held is not asked for."""
        seed = seed_of(segment.index)
        at = damaged = 0
        while True:
            head = frame_at(self._data, at, seed)
            if head is None:
                damaged = at
                head = find_frame(self._data, at, seed)
            if head is None or head.position > position:
                self._damaged(segment, damaged)
            if position < head.position + head.events:
                return head
            at = head.end

    def _damaged(self, segment: Segment, at: int) -> NoReturn:
        path = segment_path(self._log.directory, segment.index)
        raise JournalDamaged(str(path), self._base + at, f"no valid frame, event {self._position} is expected")

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._segment = None
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
