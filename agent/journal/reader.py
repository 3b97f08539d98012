"""Read events in order from a position on, while the journal is being written."""

import os
from pathlib import Path
from typing import NoReturn, Protocol, Self

from agent.errors import JournalDamaged, JournalFault
from agent.journal.records import (
    SEGMENT_HEADER_BYTES,
    RecordHeader,
    StoredEvent,
    crc_seed,
    decode_events,
    find_record,
    record_at,
)
from agent.journal.segments import Segment, SegmentTable, segment_path
from agent.runtime.durable import open_file

__all__ = ["CommittedLog", "Reader"]


class CommittedLog(Protocol):
    """What a reader needs of the journal. Every value may change at any time."""

    @property
    def directory(self) -> Path: ...

    @property
    def table(self) -> SegmentTable: ...

    @property
    def last_position(self) -> int: ...


class Reader:
    """Reads the events after a position, in order, up to the last committed one. Pruned events are skipped.

    For one thread, with a file descriptor of its own.
    """

    def __init__(self, log: CommittedLog, after: int) -> None:
        self._log = log
        self._position = after + 1
        self._ahead: list[StoredEvent] = []
        self._segment: Segment | None = None
        self._fd = -1
        self._data = b""
        self._base = 0  # offset of `_data` in the file
        self._at = 0  # offset of the next record in `_data`

    def read(self, limit: int) -> list[StoredEvent]:
        """Return the next events, at most `limit`; empty if there are none yet. Raises JournalDamaged, JournalFault."""
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
                self._ahead = self._next_record()
            taken = self._ahead[: limit - len(events)]
            del self._ahead[: len(taken)]
            if taken:
                events += taken
                self._position = taken[-1].position + 1
        return events

    def _next_record(self) -> list[StoredEvent]:
        """Return the events from `_position` on of the record that holds it; empty for a record without events.

        `_position` must be committed.
        """
        segment = self._segment
        if segment is None or segment.last_position < self._position:
            segment = self._seek()
            if segment is None:
                return []
        if not self._data:
            self._load(segment, self._base)
        head = record_at(self._data, self._at, crc_seed(segment.index))
        if head is None or head.position > self._position:
            self._damaged(segment, self._at)
        events = decode_events(self._data, head)[self._position - head.position :]
        self._at = head.end
        if self._at == len(self._data):
            self._base, self._data, self._at = self._base + self._at, b"", 0
        return events

    def _seek(self) -> Segment | None:
        """Open the segment that holds `_position` and find its record; None after skipping a pruned range."""
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
            self._fd = open_file(segment_path(self._log.directory, segment.index), os.O_RDONLY)
        except FileNotFoundError:
            if self._log.table.pruned_through(self._position) is None:
                raise
            return None
        self._load(segment, SEGMENT_HEADER_BYTES)
        self._at = self._record_of(segment, self._position).start
        self._segment = segment
        return segment

    def _load(self, segment: Segment, offset: int) -> None:
        self._data = os.pread(self._fd, segment.end - offset, offset)
        self._base = offset
        self._at = 0

    def _record_of(self, segment: Segment, position: int) -> RecordHeader:
        """Return the record that holds a position. Damaged records before it do not matter and are skipped."""
        seed = crc_seed(segment.index)
        at = damaged = 0
        while True:
            head = record_at(self._data, at, seed)
            if head is None:
                damaged = at
                head = find_record(self._data, at, seed)
            if head is None or head.position > position:
                self._damaged(segment, damaged)
            if position < head.position + head.events:
                return head
            at = head.end

    def _damaged(self, segment: Segment, at: int) -> NoReturn:
        path = segment_path(self._log.directory, segment.index)
        raise JournalDamaged(str(path), self._base + at, f"no valid record, event {self._position} is expected")

    def close(self) -> None:
        """Close the segment's file. Idempotent; `read` opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._segment = None
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
