"""The journal as the scan path and housekeeping use it."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.journal import Journal
from tests.journal.samples import SMALL, contents, events_in, ids

DOCUMENTS = st.lists(st.binary(max_size=600).map(lambda raw: raw.replace(b"\n", b" ")), min_size=1, max_size=4)


class JournalMachine(RuleBasedStateMachine):
    """Any work in any order, with the journal reopened at any point: the content is always what was committed."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        for name in ("fsync", "fdatasync"):
            self.patch.setattr(os, name, lambda _fd: None)
        self.folder = TemporaryDirectory()
        self.directory = Path(self.folder.name) / "journal"
        self.journal = Journal.open(self.directory, segment_bytes=SMALL)
        self.events: list[tuple[str, int, bytes]] = []
        self.commits: list[tuple[int, tuple[bytes, ...], bytes]] = []
        self.ids = [self.journal.id]
        self.sequence = 0
        self.mark = 0
        self.snapshot: tuple[int, bytes | None] = (0, None)

    @rule(documents=DOCUMENTS, private=st.sampled_from([b"", b'{"a":1}']))
    def commit(self, documents: list[bytes], private: bytes) -> None:
        commit = self.journal.commit(documents, private)
        assert (commit.position, commit.sequence) == (len(self.events) + 1, self.sequence + 1)
        assert (commit.journal, commit.documents, commit.private) == (self.ids[-1], tuple(documents), private)
        self.commits.append((commit.position, commit.documents, private))
        for one in documents:
            self.sequence += 1
            self.events.append((self.ids[-1], self.sequence, one))

    @rule(share=st.floats(0, 1), flush=st.booleans())
    def deliver(self, share: float, flush: bool) -> None:
        position = round(share * len(self.events))
        self.journal.mark(position)
        self.mark = max(self.mark, position)
        if flush:
            self.journal.flush_mark()

    @rule()
    def start_over(self) -> None:
        self.ids.append(self.journal.start_over())
        self.sequence = 0

    @precondition(lambda self: self.commits)
    @rule(data=st.data())
    def checkpoint(self, data: st.DataObject) -> None:
        ends = [first + len(documents) - 1 for first, documents, _ in self.commits]
        position = data.draw(st.sampled_from([end for end in ends if end >= self.snapshot[0]]))
        state = b"\xf5KJ1 state %d" % position
        self.journal.checkpoint(position, state)
        self.snapshot = (position, state)

    @rule()
    def prepare(self) -> None:
        self.journal.prepare()

    @rule(position=st.integers(1, 30), limit=st.integers(1, 3))
    def prune(self, position: int, limit: int) -> None:
        before = self.pruned()
        deleted = self.journal.prune(age_s=0, keep_s=0, pinned=[(position, position + 2)], limit=limit)
        assert deleted <= limit
        assert before <= self.pruned()
        assert not (self.pruned() - before) & {position, position + 1, position + 2}

    def pruned(self) -> set[int]:
        return {p for first, last in self.journal.pruned for p in range(first, last + 1)}

    @rule()
    def reopen(self) -> None:
        # Only records store the mark: one that was not flushed may be lost.
        self.journal.flush_mark()
        self.journal.close()
        self.journal = Journal.open(self.directory, segment_bytes=SMALL)

    @invariant()
    def content_is_as_committed(self) -> None:
        journal = self.journal
        assert journal.head == (self.ids[-1], len(self.events), self.sequence)
        assert (journal.ids, journal.delivered, journal.dropped_tail_bytes) == (tuple(self.ids), self.mark, 0)
        assert (journal.snapshot_position, journal.snapshot_state) == self.snapshot
        pruned = self.pruned()
        assert all(p <= min(self.mark, self.snapshot[0]) for p in pruned)
        held = [(event.position, (event.journal, event.sequence, event.document)) for event in events_in(journal)]
        assert held == [(p, event) for p, event in enumerate(self.events, 1) if p not in pruned]
        replayed = [(commit.position, commit.documents, commit.private) for commit in journal.replay()]
        assert replayed == [commit for commit in self.commits if commit[0] > self.snapshot[0]]

    @precondition(lambda self: self.events)
    @rule(share=st.floats(0, 1))
    def look_up(self, share: float) -> None:
        position = 1 + round(share * (len(self.events) - 1))
        journal, sequence, one = self.events[position - 1]
        assert self.journal.position_of(journal, sequence) == position
        event = self.journal.event(journal=journal, sequence=sequence)
        if any(first <= position <= last for first, last in self.journal.pruned):
            assert event is None
        else:
            assert event is not None
            assert (event.position, event.document) == (position, one)

    @initialize()
    def unknown_events_are_none(self) -> None:
        assert self.journal.position_of(self.ids[0], 1) is None
        assert self.journal.event(journal="00000000", sequence=1) is None

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()
        self.patch.undo()


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_close_is_idempotent(directory: Path) -> None:
    journal = Journal.open(directory)
    journal.close()
    journal.close()


def test_start_over_never_uses_an_id_again(directory: Path) -> None:
    """(`mqtt.md#event-ids-and-sequence`, `mqtt.md#rolled-back-journal`)"""
    with Journal.open(directory, new_id=ids("00000001", "00000001", "00000002")) as journal:
        journal.commit([b"{}", b"{}"])
        assert journal.start_over() == "00000002"
        assert journal.head == ("00000002", 2, 0)
        assert journal.commit([b"{}"]).position == 3
        assert journal.position_of("00000001", 3) is None
        assert journal.position_of("00000002", 1) == 3


@pytest.mark.parametrize("documents", [[], [b"a\nb"], [b"a", b"b\n"]])
def test_commit_refuses_documents_with_newlines_or_none(directory: Path, documents: list[bytes]) -> None:
    with Journal.open(directory) as journal:
        with pytest.raises(ValueError, match="newlines"):
            journal.commit(documents)
        assert not journal.in_doubt
        assert journal.last_position == 0


def test_mark_beyond_the_last_event_is_refused(directory: Path) -> None:
    with Journal.open(directory) as journal, pytest.raises(ValueError, match="cannot be delivered"):
        journal.mark(1)


def test_flush_mark_writes_only_a_new_mark(directory: Path) -> None:
    with Journal.open(directory) as journal:
        journal.commit([b"{}"])
        before = contents(directory)
        journal.mark(0)
        journal.flush_mark()
        journal.advance_age(60)
        journal.flush_mark()
        assert contents(directory) == before
        journal.mark(1)
        journal.flush_mark()
        assert contents(directory) != before


def test_age_is_kept_when_idle(directory: Path) -> None:
    with Journal.open(directory) as journal:
        journal.advance_age(3600.5)
        journal.flush_mark()
    with Journal.open(directory) as journal:
        assert journal.age_s == 3600
