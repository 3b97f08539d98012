"""The journal: every fact, on disk before anyone hears of it, and the outbox of what is still to be delivered.

Commits are one thread's (the scan path's); checkpoints, pruning and the preparation of segments are another's
(housekeeping); anyone may read. What several threads see, `head` and `table`, are tuples replaced as a whole.
"""

import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

from agent.journal.appender import Appender, storage_fault
from agent.journal.checkpoints import Checkpoints, Facts
from agent.journal.examine import Standing, commits_from, examine
from agent.journal.frames import Commit, StoredEvent, commit_of
from agent.journal.opening import create_first, lock_directory, make_directory, settle
from agent.journal.reader import Reader
from agent.journal.segments import SEGMENT_BYTES, Table
from agent.journal.snapshot import Era, load_snapshot

__all__ = ["Head", "Journal", "new_journal_id"]

_AGE_WORTH_A_FRAME_S = 600
"""So much of the age clock is worth a frame of its own, when idle."""


def new_journal_id() -> str:
    return os.urandom(4).hex().upper()


class Head(NamedTuple):
    """The newest committed event: the journal id in use, its position and its sequence (0 where there is none yet)."""

    journal: str
    position: int
    sequence: int


class Journal:
    """The journal in one directory; `open` makes one. Nobody else can open it until `close`.

    `commit`, `recover`, `mark`, `flush_mark`, `start_over` and `close` are for one thread; `checkpoint`, `prune`,
    `prepare` and `advance_age` for one, the same or another. All else is for any.
    """

    def __init__(
        self,
        *,
        directory: Path,
        lock: int,
        appender: Appender,
        standing: Standing,
        checkpoints: Checkpoints,
        dropped_tail_bytes: int,
        new_id: Callable[[], str],
    ) -> None:
        self.directory = directory
        self.head = Head(standing.journal, standing.position, standing.sequence)
        self.dropped_tail_bytes = dropped_tail_bytes
        self._lock = lock
        self._appender = appender
        self._eras = tuple(standing.eras)
        self._mark = self._written_mark = standing.delivered
        self._age_s = float(standing.age_s)
        self._written_age_s = standing.age_s
        self._checkpoints = checkpoints
        self._new_id = new_id

    @classmethod
    def open(
        cls, directory: Path, *, new_id: Callable[[], str] = new_journal_id, segment_bytes: int = SEGMENT_BYTES
    ) -> "Journal":
        """Open the journal, or make one where there is none.

        Raises JournalDamaged when it must not be written to, JournalFault when the storage fails or it is in use.
        """
        with ExitStack() as undo, storage_fault(f"the journal in {directory} cannot be opened"):
            make_directory(directory)
            lock = lock_directory(directory)
            undo.callback(os.close, lock)
            snapshot = load_snapshot(directory)
            standing = examine(directory, snapshot)
            dropped = settle(directory, standing, segment_bytes)
            if not standing.segments:
                create_first(directory, _checked_id(new_id()), segment_bytes)
                standing = examine(directory, snapshot)
            appender = Appender(
                directory, standing.segments[-1], capacity=segment_bytes, standby=standing.standby is not None
            )
            undo.pop_all()
        table = Table(tuple(standing.segments), () if snapshot is None else snapshot.pruned)
        return cls(
            directory=directory,
            lock=lock,
            appender=appender,
            standing=standing,
            checkpoints=Checkpoints(directory, snapshot, table, segment_bytes=segment_bytes),
            dropped_tail_bytes=dropped,
            new_id=new_id,
        )

    # -- what there is -------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self.head.journal

    @property
    def ids(self) -> tuple[str, ...]:
        """All journal ids ever in use here, oldest first."""
        return tuple(era.journal for era in self._eras)

    @property
    def last_position(self) -> int:
        return self.head.position

    @property
    def last_sequence(self) -> int:
        return self.head.sequence

    @property
    def delivered(self) -> int:
        """Everything up to this position is delivered."""
        return self._mark

    @property
    def pruned(self) -> tuple[tuple[int, int], ...]:
        """The ranges of positions, first and last, that are here no more."""
        return self._checkpoints.table.pruned

    @property
    def table(self) -> Table:
        """Where the events are."""
        return self._checkpoints.table

    @property
    def snapshot_state(self) -> bytes | None:
        """The state of the last checkpoint, this run's or an earlier one's."""
        snapshot = self._checkpoints.snapshot
        return None if snapshot is None else snapshot.state

    @property
    def snapshot_position(self) -> int:
        """The position of the last checkpoint, 0 where there is none."""
        snapshot = self._checkpoints.snapshot
        return 0 if snapshot is None else snapshot.position

    @property
    def in_doubt(self) -> bool:
        """Whether a write failed, so that nothing more is taken before `recover`."""
        return self._appender.in_doubt

    @property
    def age_s(self) -> float:
        """The age clock: how long this journal has run with its clock synchronised. It never jumps."""
        return self._age_s

    def free_bytes(self) -> int:
        """Free space of the file system, as an unprivileged process sees it. Raises JournalFault."""
        with storage_fault("the journal's file system cannot be asked"):
            found = os.statvfs(self.directory)
        return found.f_bavail * found.f_frsize

    def replay(self) -> Iterator[Commit]:
        """The commits after the snapshot, in order. Raises JournalDamaged, JournalFault."""
        with storage_fault("the journal cannot be read"):
            yield from commits_from(self.directory, self.table.segments, *self._checkpoints.start())

    def reader(self, after: int) -> Reader:
        return Reader(self, after)

    def position_of(self, journal: str, sequence: int) -> int | None:
        """The position of an event, pruned or not; none if it was never committed here."""
        last = self.last_position
        for era in reversed(self._eras):
            if era.journal == journal:
                return era.base + sequence if 1 <= sequence <= last - era.base else None
            last = min(last, era.base)
        return None

    def span(self, journal: str) -> tuple[int, int]:
        """The first and last position under a journal id; the last is before the first where it has no events."""
        last = self.last_position
        for era in reversed(self._eras):
            if era.journal == journal:
                return (era.base + 1, last)
            last = min(last, era.base)
        return (1, 0)

    def event(self, *, journal: str, sequence: int) -> StoredEvent | None:
        """One event; none if it was never committed here, or is pruned. Raises JournalDamaged, JournalFault."""
        position = self.position_of(journal, sequence)
        if position is None:
            return None
        with self.reader(position - 1) as reader:
            found = reader.read(1)
        return found[0] if found and found[0].position == position else None

    # -- the scan path -------------------------------------------------------------------------------------------

    def commit(self, documents: Sequence[bytes], private: bytes = b"") -> Commit:
        """Append events that stand or fall together; on disk when this returns. Neither holds a newline.

        Raises JournalFault; then it is not known whether they are on disk, and `recover` must find out.
        """
        journal, position, sequence = self.head
        count = len(documents)
        payload = b"\n".join((*documents, private))
        if count == 0 or payload.count(b"\n") != count:
            raise ValueError("a commit is one or more documents without newlines")
        commit = Commit(
            journal=journal,
            position=position + 1,
            sequence=sequence + 1,
            documents=tuple(documents),
            private=private,
        )
        self._append(journal, position + 1, sequence + 1, count, payload)
        return commit

    def recover(self) -> list[Commit]:
        """Settle what was in doubt. What stands on disk whole is taken and returned, a part of it is erased.

        Raises JournalFault while the storage goes on failing.
        """
        found = self._appender.recover(self.last_position + 1)
        if found is None:
            return []
        data, frame = found
        self._advance(Head(frame.journal, frame.position + frame.events - 1, frame.sequence + frame.events - 1))
        return [commit_of(data, frame)] if frame.events else []

    def mark(self, position: int) -> None:
        """Everything up to `position` is delivered. The next frame says so; lower than before changes nothing."""
        if position > self.head.position:
            raise ValueError(f"position {position} cannot be delivered, the last one is {self.last_position}")
        if position > self._mark:
            self._mark = position

    def flush_mark(self) -> None:
        """Write a frame without events, if the mark is not on disk yet. Raises JournalFault."""
        if self._mark > self._written_mark or self._age_s >= self._written_age_s + _AGE_WORTH_A_FRAME_S:
            journal, position, sequence = self.head
            self._append(journal, position + 1, sequence + 1, 0, b"")

    def start_over(self) -> str:
        """Go on under a new journal id, its sequence from 1; on disk when this returns it. Raises JournalFault."""
        journal = _checked_id(self._new_id())
        while journal in self.ids:
            journal = _checked_id(self._new_id())
        self._append(journal, self.last_position + 1, 1, 0, b"", fresh=True)
        return journal

    def _append(
        self, journal: str, position: int, sequence: int, count: int, payload: bytes, *, fresh: bool = False
    ) -> None:
        # What can be made before the flush is: a scan waits for all that comes after it.
        head = Head(journal, position + count - 1, sequence + count - 1)
        mark = self._mark
        age_s = int(self._age_s)
        self._appender.append(
            journal=journal,
            position=position,
            sequence=sequence,
            count=count,
            mark=mark,
            age_s=age_s,
            payload=payload,
            fresh=fresh,
        )
        self._written_mark = mark
        self._written_age_s = age_s
        self._advance(head)

    def _advance(self, head: Head) -> None:
        segment = self._appender.segment
        if segment is not self._checkpoints.table.segments[-1]:
            self._checkpoints.add(segment)
        if head.journal != self.head.journal:
            self._eras = (*self._eras, Era(head.journal, head.position - head.sequence))
        self.head = head

    # -- housekeeping --------------------------------------------------------------------------------------------

    def advance_age(self, seconds: float) -> None:
        """Let the age clock run on. It is kept by the next frame or checkpoint."""
        self._age_s += seconds

    def prepare(self) -> None:
        """Make the next segment ahead of time, if it is missing. Raises JournalFault."""
        self._appender.prepare()

    def wants_checkpoint(self) -> bool:
        """Whether so much log has come since the last one that another is worth its writing."""
        return self._checkpoints.wanted()

    def checkpoint(self, position: int, state: bytes) -> None:
        """Keep `state` as that after the event at `position`, the last one of a commit; on disk when this returns.

        Raises JournalFault, JournalDamaged; ValueError for another position, or one before the last checkpoint's.
        """
        with storage_fault("the journal's snapshot cannot be written"):
            self._checkpoints.checkpoint(position, state, self._facts())

    def prune(
        self,
        *,
        age_s: float,
        keep_s: float,
        pinned: Sequence[tuple[int, int]],
        early: bool = False,
        limit: int = 4,
    ) -> int:
        """Delete at most `limit` segments; returns how many. Raises JournalFault.

        A segment may go that lies whole before the snapshot, is delivered, holds none of the `pinned` (first, last)
        positions, and was sealed `keep_s` seconds before `age_s` on the age clock (`early`: whenever).
        """
        sealed_before_s = math.inf if early else age_s - keep_s
        with storage_fault("the journal cannot be pruned"):
            return self._checkpoints.prune(self._facts(), sealed_before_s=sealed_before_s, pinned=pinned, limit=limit)

    def _facts(self) -> Facts:
        return Facts(delivered=self._mark, age_s=int(self._age_s), eras=self._eras)

    def close(self) -> None:
        """Let the directory go. Twice is fine."""
        self._appender.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked_id(journal: str) -> str:
    if re.fullmatch("[0-9A-F]{8}", journal) is None:
        raise ValueError(f"a journal id is 8 characters 0-9 A-F, not {journal!r}")
    return journal
