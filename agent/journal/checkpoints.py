"""The journal's past: checkpoints of the state, and what is pruned behind them. Housekeeping, beside the commits."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from agent.errors import JournalDamaged
from agent.journal.frames import HEADER_BYTES, next_frame
from agent.journal.pruning import merged, prunable
from agent.journal.segments import Segment, Table, segment_path
from agent.journal.snapshot import Era, Snapshot, store_snapshot

__all__ = ["Checkpoints", "Facts"]


class Facts(Struct, frozen=True, kw_only=True):
    """What a snapshot tells of the journal besides the state, as it stands when the snapshot is written."""

    delivered: int
    age_s: int
    eras: tuple[Era, ...]


class Checkpoints:
    """The snapshot of one journal directory. `table` is the journal's, and is replaced as a whole when it changes."""

    def __init__(self, directory: Path, snapshot: Snapshot | None, table: Table, *, segment_bytes: int) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._snapshot_bytes = 0 if snapshot is None else len(snapshot.state)
        self._table_lock = threading.Lock()
        self._writing = threading.Lock()
        self.snapshot = snapshot
        self.table = table

    def add(self, segment: Segment) -> None:
        """A new segment is in use."""
        with self._table_lock:
            self.table = Table((*self.table.segments, segment), self.table.pruned)

    def start(self) -> tuple[int, int]:
        """(segment, byte) of the first frame after the snapshot."""
        snapshot = self.snapshot
        if snapshot is None:
            return self.table.segments[0].index, HEADER_BYTES
        return snapshot.index, snapshot.offset

    def wanted(self) -> bool:
        """Whether so much log has come since the last checkpoint that another is worth its writing."""
        index, offset = self.start()
        since = takewhile(lambda segment: segment.index >= index, reversed(self.table.segments))
        logged = sum(segment.end for segment in since) - offset
        return logged >= max(self._segment_bytes, 2 * self._snapshot_bytes)

    def checkpoint(self, position: int, state: bytes, facts: Facts) -> None:
        """Write a snapshot, durable when this returns. Raises ValueError, JournalDamaged, OSError."""
        with self._writing:
            table = self.table
            index, offset = self._frame_after(table, position)
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

    def prune(self, facts: Facts, *, sealed_before_s: float, pinned: Sequence[tuple[int, int]], limit: int) -> int:
        """Delete segments before the snapshot, at most `limit`; returns how many. Raises OSError."""
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
            # The list first, then the files: a file that is on no list is known to be left over from here.
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
                self.table = Table(kept, pruned)
            for index in victims:
                with suppress(FileNotFoundError):
                    os.unlink(segment_path(self._directory, index))
            return len(victims)

    def _store(self, snapshot: Snapshot) -> None:
        self._snapshot_bytes = store_snapshot(self._directory, snapshot)
        self.snapshot = snapshot

    def _frame_after(self, table: Table, position: int) -> tuple[int, int]:
        """(segment, byte) of the first frame after the one that ends with `position`."""
        snapshot = self.snapshot
        known = 0 if snapshot is None else snapshot.position
        if position == known:
            return self.start()
        segment = table.segment_of(position)
        if position < known or segment is None:
            raise ValueError(f"no checkpoint can be made at {position}: the last one was at {known}")
        if snapshot is not None and snapshot.index == segment.index:
            begin, held = snapshot.offset, snapshot.position
        else:
            begin, held = HEADER_BYTES, segment.first_position - 1
        for end, events in self._frames(segment, begin):
            held += events
            if held == position:
                return segment.index, end
        raise ValueError(f"event {position} is not the last one of its commit")

    def _frames(self, segment: Segment, at: int) -> Iterator[tuple[int, int]]:
        """(end, events) of the frames from byte `at` on. Raises JournalDamaged, OSError."""
        path = segment_path(self._directory, segment.index)
        data = path.read_bytes()[: segment.end]
        while at < len(data):
            found = next_frame(data, at)
            if found is None:
                raise JournalDamaged(str(path), at, "no frame")
            at = found[0]
            yield found
