"""The part of the journal that any thread may read: its state and its events."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.journal.checkpoints import Checkpoints
from agent.journal.examination import Findings, commits_from
from agent.journal.journal_ids import position_of, span_of
from agent.journal.reader import Reader
from agent.journal.records import Commit, StoredEvent
from agent.journal.segment_io import storage_fault
from agent.journal.segments import SegmentTable

__all__ = ["Head", "JournalContents"]


class Head(NamedTuple):
    """The journal id in use, and the position and sequence of the newest committed event (0 if there is none yet)."""

    journal: str
    position: int
    sequence: int


class JournalContents:
    """The reading half of `Journal`. Any thread may call it: what changes is replaced as a whole."""

    def __init__(
        self, *, directory: Path, findings: Findings, checkpoints: Checkpoints, dropped_tail_bytes: int
    ) -> None:
        self.directory = directory
        self.head = Head(findings.journal, findings.position, findings.sequence)
        self.dropped_tail_bytes = dropped_tail_bytes
        """How many bytes of an interrupted write were erased when the journal was opened."""
        self._eras = tuple(findings.eras)
        self._mark = findings.delivered
        self._age_s = float(findings.age_s)
        self._checkpoints = checkpoints

    @property
    def id(self) -> str:
        """The journal id in use."""
        return self.head.journal

    @property
    def ids(self) -> tuple[str, ...]:
        """All journal ids this journal ever had, oldest first."""
        return tuple(era.journal for era in self._eras)

    @property
    def last_position(self) -> int:
        """The position of the newest event; 0 if there is none."""
        return self.head.position

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event under the id in use; 0 if there is none."""
        return self.head.sequence

    @property
    def delivered(self) -> int:
        """The delivery mark: everything up to this position is delivered."""
        return self._mark

    @property
    def pruned(self) -> tuple[tuple[int, int], ...]:
        """The (first, last) positions that were pruned."""
        return self._checkpoints.table.pruned

    @property
    def table(self) -> SegmentTable:
        """Which segment holds which events."""
        return self._checkpoints.table

    @property
    def snapshot_state(self) -> bytes | None:
        """The state of the last checkpoint; None if there is none."""
        snapshot = self._checkpoints.snapshot
        return None if snapshot is None else snapshot.state

    @property
    def snapshot_position(self) -> int:
        """The position of the last checkpoint; 0 if there is none."""
        snapshot = self._checkpoints.snapshot
        return 0 if snapshot is None else snapshot.position

    @property
    def age_s(self) -> float:
        """The age clock: seconds that this journal has run with a synchronised time of day. It never jumps."""
        return self._age_s

    def free_bytes(self) -> int:
        """Return the space that an unprivileged process can still use on the file system. Raises JournalFault."""
        with storage_fault("the free space of the journal's disk cannot be read"):
            found = os.statvfs(self.directory)
        return found.f_bavail * found.f_frsize

    def replay(self) -> Iterator[Commit]:
        """Yield the commits after the snapshot, in order. Raises JournalDamaged, JournalFault."""
        with storage_fault("the journal cannot be read"):
            yield from commits_from(self.directory, self.table.segments, *self._checkpoints.start())

    def reader(self, after: int) -> Reader:
        """Return a reader of the events after a position. The caller closes it."""
        return Reader(self, after)

    def position_of(self, journal: str, sequence: int) -> int | None:
        """Return the position of an event, pruned or not; None if it was never committed here."""
        return position_of(self._eras, journal, sequence, last_position=self.last_position)

    def span(self, journal: str) -> tuple[int, int]:
        """Return the (first, last) position under a journal id; last < first if it has no events."""
        return span_of(self._eras, journal, last_position=self.last_position)

    def event(self, *, journal: str, sequence: int) -> StoredEvent | None:
        """Return an event; None if it was never committed here or is pruned. Raises JournalDamaged, JournalFault."""
        position = self.position_of(journal, sequence)
        if position is None:
            return None
        with self.reader(position - 1) as reader:
            found = reader.read(1)
        return found[0] if found and found[0].position == position else None
