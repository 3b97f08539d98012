"""Write checkpoints of the state, and prune the segments before them. Runs while another thread commits."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from agent.errors import JournalDamaged
from agent.journal.journal_ids import Era
from agent.journal.pruning import merged, prunable
from agent.journal.records import SEGMENT_HEADER_BYTES, next_record
from agent.journal.segments import Segment, SegmentTable, segment_path
from agent.journal.snapshot import Snapshot, store_snapshot
from agent.runtime.durable import read_file

__all__ = ["Checkpoints", "SnapshotFacts"]


class SnapshotFacts(Struct, frozen=True, kw_only=True):
    """What a snapshot stores about the journal besides the state, as of the time of writing."""

    delivered: int
    age_s: int
    eras: tuple[Era, ...]


class Checkpoints:
    """The snapshot and the segment table of one journal directory. Both are replaced as a whole when they change.

    The committing thread calls `add`, one other thread `checkpoint` and `prune`.
    """

    def __init__(self, directory: Path, snapshot: Snapshot | None, table: SegmentTable, *, segment_bytes: int) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._snapshot_bytes = 0 if snapshot is None else len(snapshot.state)
        self._table_lock = threading.Lock()
        self._writing = threading.Lock()
        self.snapshot = snapshot
        self.table = table

    def add(self, segment: Segment) -> None:
        """Add a new segment to the table."""
        with self._table_lock:
            self.table = SegmentTable((*self.table.segments, segment), self.table.pruned)

    def start(self) -> tuple[int, int]:
        """Return (segment, byte) of the first record after the snapshot."""
        snapshot = self.snapshot
        if snapshot is None:
            return self.table.segments[0].index, SEGMENT_HEADER_BYTES
        return snapshot.index, snapshot.offset

    def wanted(self) -> bool:
        """Return whether enough was committed since the last checkpoint to justify writing another."""
        index, offset = self.start()
        since = takewhile(lambda segment: segment.index >= index, reversed(self.table.segments))
        logged = sum(segment.end for segment in since) - offset
        return logged >= max(self._segment_bytes, 2 * self._snapshot_bytes)

    def checkpoint(self, position: int, state: bytes, facts: SnapshotFacts) -> None:
        """Write a snapshot of the state after the event at `position`. It is durable when this returns.

        Raises ValueError if that event does not end a commit or lies before the last checkpoint, JournalDamaged,
        OSError.
        """
        with self._writing:
            table = self.table
            index, offset = self._record_after(table, position)
            self._store(
                Snapshot(
                    position=position,
                    state=state,
                    index=index,
                    offset=offset,
                    delivered=facts.delivered,
                    age_s=facts.age_s,
                    eras=facts.eras,
                    pruned=table.pruned,
                    closed=tuple(takewhile(lambda segment: segment.index < index, table.segments)),
                )
            )

    def prune(
        self, facts: SnapshotFacts, *, sealed_before_s: float, pinned: Sequence[tuple[int, int]], limit: int
    ) -> int:
        """Delete at most `limit` segments before the snapshot; return how many. Raises OSError. (`mqtt.md#pruning`)"""
        with self._writing:
            snapshot = self.snapshot
            if snapshot is None:
                return 0
            closed = takewhile(lambda segment: segment.index < snapshot.index, self.table.segments)
            candidates = prunable(closed, delivered=facts.delivered, sealed_before_s=sealed_before_s, pinned=pinned)
            victims = {segment.index: segment for segment in islice(candidates, limit)}
            if not victims:
                return 0
            ranges = [(segment.first_position, segment.last_position) for segment in victims.values()]
            pruned = merged((*snapshot.pruned, *ranges))
            # The snapshot's list first, then the files: after a power cut in between, an unlisted file is a pruned one.
            self._store(
                replace(
                    snapshot,
                    delivered=facts.delivered,
                    age_s=facts.age_s,
                    pruned=pruned,
                    closed=tuple(segment for segment in snapshot.closed if segment.index not in victims),
                )
            )
            with self._table_lock:
                kept = tuple(segment for segment in self.table.segments if segment.index not in victims)
                self.table = SegmentTable(kept, pruned)
            for index in victims:
                with suppress(FileNotFoundError):
                    os.unlink(segment_path(self._directory, index))
            return len(victims)

    def _store(self, snapshot: Snapshot) -> None:
        self._snapshot_bytes = store_snapshot(self._directory, snapshot)
        self.snapshot = snapshot

    def _record_after(self, table: SegmentTable, position: int) -> tuple[int, int]:
        """Return (segment, byte) of the first record after the event at `position`."""
        snapshot = self.snapshot
        known = 0 if snapshot is None else snapshot.position
        if position == known:
            return self.start()
        segment = table.segment_of(position)
        if position < known or segment is None:
            raise ValueError(f"no checkpoint can be made at event {position}: the last one was at event {known}")
        if snapshot is not None and snapshot.index == segment.index:
            begin, held = snapshot.offset, snapshot.position
        else:
            begin, held = SEGMENT_HEADER_BYTES, segment.first_position - 1
        for end, events in self._records(segment, begin):
            held += events
            if held == position:
                return segment.index, end
        raise ValueError(f"event {position} is not the last one of its commit")

    def _records(self, segment: Segment, at: int) -> Iterator[tuple[int, int]]:
        """Yield (end, events) of the records from byte `at` on. Raises JournalDamaged, OSError."""
        path = segment_path(self._directory, segment.index)
        data = read_file(path)[: segment.end]
        while at < len(data):
            found = next_record(data, at)
            if found is None:
                raise JournalDamaged(str(path), at, "no record begins here")
            at = found[0]
            yield found
