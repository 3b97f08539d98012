"""The journal: a durable log of events, and the queue of those still to be delivered (`mqtt.md#journal-is-the-outbox`).

The scan path's thread commits. The housekeeping thread makes checkpoints, prunes and prepares segments. Any thread may
read.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from agent.errors import JournalDamaged, JournalFault
from agent.journal.appender import Appender
from agent.journal.checkpoints import Checkpoints, SnapshotFacts
from agent.journal.examination import Findings, commits_from, examine
from agent.journal.journal_contents import Head, JournalContents
from agent.journal.journal_ids import Era, check_journal_id, new_journal_id
from agent.journal.opening import create_first, lock_directory, make_durable
from agent.journal.presence import FileList, LastCommitted, refuse_other_folder
from agent.journal.records import SEGMENT_HEADER_BYTES, Commit, decode_commit
from agent.journal.segment_io import storage_fault
from agent.journal.segments import SEGMENT_BYTES, SegmentTable, segment_path
from agent.journal.snapshot import Snapshot, load_snapshot
from agent.runtime.durable import make_directory

__all__ = ["Head", "Journal"]

_AGE_WORTH_A_RECORD_S = 600
"""While idle, the age clock gets a record of its own after this much progress."""


class Journal(JournalContents):
    """The journal in one directory, locked from `open` to `close`.

    One thread calls `commit`, `recover`, `mark`, `flush_mark`, `start_over` and `close`. One thread, the same or
    another, calls `checkpoint`, `prune`, `prepare` and `advance_age`. Any thread may call the rest.
    """

    def __init__(
        self,
        *,
        directory: Path,
        lock: int,
        appender: Appender,
        findings: Findings,
        checkpoints: Checkpoints,
        dropped_tail_bytes: int,
        new_id: Callable[[], str],
    ) -> None:
        super().__init__(
            directory=directory, findings=findings, checkpoints=checkpoints, dropped_tail_bytes=dropped_tail_bytes
        )
        self._lock = lock
        self._appender = appender
        self._written_mark = findings.delivered
        self._written_age_s = findings.age_s
        self._new_id = new_id
        self._last_document: bytes | None = None
        self._files = FileList(directory)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        before_writing: Callable[[bytes | None, Iterator[Commit]], None] = lambda state, commits: None,
        new_id: Callable[[], str] = new_journal_id,
        segment_bytes: int = SEGMENT_BYTES,
        instead_of: "Journal | None" = None,
    ) -> "Journal":
        """Open the journal, or create it if there is none.

        `before_writing` is called with the state of the snapshot and the commits after it. If it raises, nothing on the
        disk has changed: so a program that does not understand them leaves the journal as it is.

        `instead_of` is a journal whose files are gone: then the directory must hold that journal's id and its last
        committed event, else JournalFault is raised and nothing is written (`faults.md#journal-file-gone`).

        Raises JournalDamaged if it must not be written to, JournalBusy if it is in use, JournalFault if the storage
        fails.
        """
        with ExitStack() as undo, storage_fault(f"the journal in {directory} cannot be opened"):
            if instead_of is None:
                make_directory(directory)
            lock = lock_directory(directory, None if instead_of is None else instead_of._lock)
            undo.callback(os.close, lock)
            snapshot = load_snapshot(directory)
            findings = examine(directory, snapshot)
            if instead_of is not None:
                pruned = () if snapshot is None else snapshot.pruned
                refuse_other_folder(directory, findings, pruned, instead_of._last_committed())
            _read_all(directory, snapshot, findings, before_writing)
            dropped = make_durable(directory, findings, segment_bytes)
            if not findings.segments:
                create_first(directory, check_journal_id(new_id()), segment_bytes)
                findings = examine(directory, snapshot)
            appender = Appender(
                directory, findings.segments[-1], capacity=segment_bytes, standby=findings.standby is not None
            )
            undo.pop_all()
        table = SegmentTable(tuple(findings.segments), () if snapshot is None else snapshot.pruned)
        return cls(
            directory=directory,
            lock=lock,
            appender=appender,
            findings=findings,
            checkpoints=Checkpoints(directory, snapshot, table, segment_bytes=segment_bytes),
            dropped_tail_bytes=dropped,
            new_id=new_id,
        )

    @property
    def in_doubt(self) -> bool:
        """Whether a write failed, so that commits are refused until `recover` has succeeded."""
        return self._appender.in_doubt

    @property
    def is_gone(self) -> bool:
        """Whether a file of the journal was found deleted or replaced. It stays so, and nothing is written any more."""
        return self._appender.is_gone

    def look_for_files(self) -> Path | None:
        """Return a file that was deleted or replaced, and set `is_gone`; None if all are in place.

        For the committing thread. (`faults.md#journal-file-gone`)
        """
        if not self._appender.look_for_file():
            return segment_path(self.directory, self._appender.segment.index)
        for _ in range(2):  # a file that is missing may have been pruned since the table was read
            table = self.table
            missing = self._files.missing(table, has_snapshot=self._checkpoints.snapshot is not None)
            if missing is None or self.table is table:
                break
        if missing is not None:
            self._appender.give_up()
        return missing

    def _last_committed(self) -> LastCommitted:
        return LastCommitted(journal=self.id, position=self.last_position, document=self._last_document)

    def _refuse_if_gone(self) -> None:
        if self.is_gone:
            raise JournalFault(f"a file of the journal in {self.directory} was deleted or replaced")

    # -- for the scan path -------------------------------------------------------------------------------------

    def commit(self, documents: Sequence[bytes], private: bytes = b"") -> Commit:
        """Append events, all or none. They are on disk when this returns (`signals.md#success-means-on-disk`).

        Neither documents nor `private` contain a newline. Raises JournalFault: then it is unknown whether the events
        are on disk, and `recover` must find out.
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
        self._last_document = commit.documents[-1]
        return commit

    def recover(self) -> list[Commit]:
        """Find out whether the write in doubt is on disk; adopt and return it if it is complete, else erase it.

        Raises JournalFault while the storage still fails. (`faults.md#disk-fault`)
        """
        found = self._appender.recover(self.last_position + 1)
        if found is None:
            return []
        data, record = found
        self._advance(Head(record.journal, record.position + record.events - 1, record.sequence + record.events - 1))
        if not record.events:
            return []
        commit = decode_commit(data, record)
        self._last_document = commit.documents[-1]
        return [commit]

    def mark(self, position: int) -> None:
        """Set the delivery mark; the next record stores it. A lower position than before is a no-op."""
        if position > self.head.position:
            raise ValueError(f"event {position} cannot be delivered, the last one is {self.last_position}")
        if position > self._mark:
            self._mark = position

    def flush_mark(self) -> None:
        """Store the delivery mark in a record without events, if it is not on disk yet. Raises JournalFault."""
        if self._mark > self._written_mark or self._age_s >= self._written_age_s + _AGE_WORTH_A_RECORD_S:
            journal, position, sequence = self.head
            self._append(journal, position + 1, sequence + 1, 0, b"")

    def start_over(self) -> str:
        """Continue under a new journal id, with sequence 1. It is on disk when this returns it. Raises JournalFault.

        (`mqtt.md#rolled-back-journal`)
        """
        journal = check_journal_id(self._new_id())
        while journal in self.ids:
            journal = check_journal_id(self._new_id())
        self._append(journal, self.last_position + 1, 1, 0, b"", fresh=True)
        return journal

    def _append(
        self, journal: str, position: int, sequence: int, count: int, payload: bytes, *, fresh: bool = False
    ) -> None:
        # Whatever can be computed before the flush is: the scan's signal waits for all that follows the flush.
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

    # -- for housekeeping --------------------------------------------------------------------------------------

    def advance_age(self, seconds: float) -> None:
        """Advance the age clock. The next record or checkpoint stores it."""
        self._age_s += seconds

    def prepare(self) -> None:
        """Create the next segment ahead of time, if it is missing. Raises JournalFault."""
        self._refuse_if_gone()
        self._appender.prepare()

    def wants_checkpoint(self) -> bool:
        """Return whether enough was committed since the last checkpoint to justify writing another."""
        return self._checkpoints.wanted()

    def checkpoint(self, position: int, state: bytes) -> None:
        """Store the state after the event at `position`, which must end a commit. It is on disk when this returns.

        Raises JournalFault, JournalDamaged; ValueError for another position or one before the last checkpoint.
        """
        self._refuse_if_gone()
        try:
            with storage_fault("the journal's snapshot cannot be written"):
                self._checkpoints.checkpoint(position, state, self._facts())
        except JournalDamaged:
            # A file that was replaced a moment ago is no damage of this journal (`faults.md#journal-file-gone`).
            if not self._appender.is_in_place():
                raise JournalFault(f"a file of the journal in {self.directory} was deleted or replaced") from None
            raise

    def prune(
        self,
        *,
        age_s: float,
        keep_s: float,
        pinned: Sequence[tuple[int, int]],
        early: bool = False,
        limit: int = 4,
    ) -> int:
        """Delete at most `limit` segments; return how many. Raises JournalFault.

        A segment may go if all of it lies before the snapshot and is delivered, if it holds none of the `pinned`
        (first, last) positions, and if it was sealed `keep_s` seconds before `age_s` on the age clock (with `early`: at
        any time).
        """
        self._refuse_if_gone()
        sealed_before_s = math.inf if early else age_s - keep_s
        with storage_fault("the journal cannot be pruned"):
            return self._checkpoints.prune(self._facts(), sealed_before_s=sealed_before_s, pinned=pinned, limit=limit)

    def _facts(self) -> SnapshotFacts:
        return SnapshotFacts(delivered=self._mark, age_s=int(self._age_s), eras=self._eras)

    def close(self) -> None:
        """Close the files and unlock the directory. Idempotent."""
        self._appender.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read_all(
    directory: Path,
    snapshot: Snapshot | None,
    findings: Findings,
    read: Callable[[bytes | None, Iterator[Commit]], None],
) -> None:
    segments = tuple(findings.segments)
    if snapshot is not None:
        read(snapshot.state, commits_from(directory, segments, snapshot.index, snapshot.offset))
    elif segments:
        read(None, commits_from(directory, segments, segments[0].index, SEGMENT_HEADER_BYTES))
