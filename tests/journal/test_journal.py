"""The journal as its owner uses it, and its failures."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.errors import JournalBusy, JournalFault
from agent.journal import Journal
from agent.journal.segments import SEGMENT_BYTES
from tests.journal.samples import SMALL, contents, document, events_in

DOCUMENTS = st.lists(st.binary(max_size=600).map(lambda raw: raw.replace(b"\n", b" ")), min_size=1, max_size=4)


class JournalMachine(RuleBasedStateMachine):
    """Any work in any order, opened anew at any point: always the same content."""

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
        # The mark is kept by frames only: what was not flushed may be lost.
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


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal"


def ids(*names: str) -> Callable[[], str]:
    remaining = iter(names)
    return lambda: next(remaining)


def test_open_new_journal_keeps_its_id(directory: Path) -> None:
    with Journal.open(directory, new_id=ids("3F0C9A1B")) as journal:
        assert (journal.id, journal.last_position, journal.last_sequence, journal.delivered) == ("3F0C9A1B", 0, 0, 0)
        assert (journal.snapshot_state, journal.pruned, journal.in_doubt) == (None, (), False)
    with Journal.open(directory, new_id=ids()) as journal:
        assert journal.ids == ("3F0C9A1B",)


@pytest.mark.parametrize("name", ["3f0c9a1b", "3F0C9A1", "3F0C9A1B\n", "٣F0C9A1B"])
def test_open_refuses_an_id_of_another_form(directory: Path, name: str) -> None:
    with pytest.raises(ValueError, match="8 characters"):
        Journal.open(directory, new_id=ids(name))
    with Journal.open(directory, new_id=ids("3F0C9A1B")) as journal:
        assert journal.id == "3F0C9A1B"


def test_open_twice_is_refused_until_closed(directory: Path) -> None:
    with Journal.open(directory) as journal:
        with pytest.raises(JournalBusy, match="in use by another process"):
            Journal.open(directory)
        journal.commit([b"{}"])
    Journal.open(directory).close()


def test_close_twice_is_fine(directory: Path) -> None:
    journal = Journal.open(directory)
    journal.close()
    journal.close()


def test_start_over_never_takes_an_id_again(directory: Path) -> None:
    with Journal.open(directory, new_id=ids("00000001", "00000001", "00000002")) as journal:
        journal.commit([b"{}", b"{}"])
        assert journal.start_over() == "00000002"
        assert journal.head == ("00000002", 2, 0)
        assert journal.commit([b"{}"]).position == 3
        assert journal.position_of("00000001", 3) is None
        assert journal.position_of("00000002", 1) == 3


@pytest.mark.parametrize("documents", [[], [b"a\nb"], [b"a", b"b\n"]])
def test_commit_refuses_what_is_no_list_of_lines(directory: Path, documents: list[bytes]) -> None:
    with Journal.open(directory) as journal:
        with pytest.raises(ValueError, match="newlines"):
            journal.commit(documents)
        assert not journal.in_doubt
        assert journal.last_position == 0


def test_commit_is_one_write_and_one_flush(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    with Journal.open(directory) as journal:
        journal.prepare()
        for name in ("pwrite", "fdatasync", "fsync", "open", "replace"):
            real = getattr(os, name)

            def counting(*args: object, name: str = name, real: Callable[..., object] = real) -> object:
                calls.append(name)
                return real(*args)

            monkeypatch.setattr(os, name, counting)
        journal.commit([document(1)], b"{}")
        assert calls == ["pwrite", "fdatasync"]
        calls.clear()
        journal.commit([document(2, SEGMENT_BYTES - 2000)])
        journal.commit([document(3, 4000)])
        assert [name for name in calls if name != "open"] == ["pwrite", "fdatasync"] * 2


@pytest.mark.parametrize("size", [SEGMENT_BYTES, 8 << 20])
def test_commit_larger_than_a_segment(directory: Path, size: int) -> None:
    documents = [document(i, size // 1000) for i in range(1000)]
    with Journal.open(directory) as journal:
        journal.commit([document(0)])
        journal.commit(documents)
        journal.commit([document(1)])
    with Journal.open(directory) as journal:
        assert journal.last_position == 1002
        assert [event.document for event in events_in(journal, after=1, limit=300)] == [*documents, document(1)]


def test_mark_beyond_the_last_event_is_refused(directory: Path) -> None:
    with Journal.open(directory) as journal, pytest.raises(ValueError, match="cannot be delivered"):
        journal.mark(1)


def test_flush_mark_writes_only_what_is_new(directory: Path) -> None:
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


def test_checkpoint_within_a_commit_is_refused(directory: Path) -> None:
    with Journal.open(directory) as journal:
        journal.commit([b"{}", b"{}"])
        journal.commit([b"{}"])
        for position in (1, 4):
            with pytest.raises(ValueError, match=r"commit|checkpoint"):
                journal.checkpoint(position, b"")
        journal.checkpoint(3, b"")
        with pytest.raises(ValueError, match="checkpoint"):
            journal.checkpoint(2, b"")


def test_wants_checkpoint_after_a_segment_or_twice_the_snapshot(directory: Path) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert not journal.wants_checkpoint()
        for i in range(2):
            journal.commit([document(i, 600)])
        assert journal.wants_checkpoint()
        journal.checkpoint(2, bytes(3000))
        for i in range(7):
            journal.commit([document(i, 600)])
        assert not journal.wants_checkpoint()
        for i in range(4):
            journal.commit([document(i, 600)])
        assert journal.wants_checkpoint()


def test_prune_waits_for_the_age_clock(directory: Path) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for i in range(4):
            journal.commit([document(i, 600)])
            journal.advance_age(100)
        journal.mark(4)
        journal.checkpoint(4, b"")
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert journal.age_s == 400
        # The first segment was sealed at 100, by the commit that began the second.
        assert journal.prune(age_s=399, keep_s=300, pinned=[]) == 0
        assert journal.prune(age_s=400, keep_s=300, pinned=[]) == 1
        assert journal.pruned == ((1, 1),)
        assert journal.prune(age_s=400, keep_s=300, pinned=[], early=True) == 2
        assert [event.position for event in events_in(journal)] == [4]


def test_opening_reads_no_old_segment(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for i in range(30):
            journal.commit([document(i, 500)])
        journal.checkpoint(28, b"state")
    read = []
    real = Path.read_bytes

    def reading(path: Path) -> bytes:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", reading)
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert set(read) == {"snapshot", "0000000028.seg", "0000000029.seg", "0000000030.seg"}
        assert journal.last_position == 30


def test_free_bytes_are_those_of_the_file_system(directory: Path) -> None:
    with Journal.open(directory) as journal:
        assert 0 < journal.free_bytes() <= os.statvfs(directory).f_blocks * os.statvfs(directory).f_frsize


# -- the storage fails -------------------------------------------------------------------------------------------


@dataclass
class Storage:
    """Which of the next calls fail, by the name of the call; of a failing write, how much is written none the less."""

    failing: dict[str, int] = field(default_factory=dict)
    written: int = 0
    rewritten: list[tuple[int, int]] = field(default_factory=list)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    state = Storage()

    def fails(name: str) -> bool:
        state.failing[name] = state.failing.get(name, 0) - 1
        return state.failing[name] >= 0

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        state.rewritten.append((offset, offset + len(data)))
        if not fails("pwrite"):
            return real_pwrite(fd, data, offset)
        if state.written:
            return real_pwrite(fd, bytes(data)[: state.written], offset)
        raise OSError(28, "No space left on device")

    def flush(real: Callable[[int], None], name: str) -> Callable[[int], None]:
        def call(fd: int) -> None:
            if fails(name):
                raise OSError(5, "Input/output error")
            real(fd)

        return call

    real_pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "fdatasync", flush(os.fdatasync, "fdatasync"))
    monkeypatch.setattr(os, "fsync", flush(os.fsync, "fsync"))
    yield state
    state.failing.clear()


def test_commit_after_a_failed_flush_is_refused_until_recovered(directory: Path, storage: Storage) -> None:
    with Journal.open(directory) as journal:
        journal.commit([document(1)])
        end = journal.table.segments[-1].end
        storage.failing = {"fdatasync": 2}
        with pytest.raises(JournalFault, match="Input/output error"):
            journal.commit([document(2), document(3)], b"{}")
        assert journal.in_doubt
        assert journal.last_position == 1
        assert len(events_in(journal)) == 1
        with pytest.raises(JournalFault, match="in doubt"):
            journal.commit([document(4)])
        with pytest.raises(JournalFault, match="Input/output error"):
            journal.recover()
        assert journal.in_doubt
        storage.rewritten.clear()
        (adopted,) = journal.recover()
        assert any(start <= end and stop > end for start, stop in storage.rewritten)
        assert (adopted.position, adopted.sequence) == (2, 2)
        assert (adopted.documents, adopted.private) == ((document(2), document(3)), b"{}")
        assert not journal.in_doubt
        assert journal.recover() == []
        assert journal.commit([document(4)]).position == 4
        assert len(events_in(journal)) == 4


@pytest.mark.parametrize("size", [100, SMALL, 4 * SMALL])
@pytest.mark.parametrize("written", [0, 1, 80, 200])
def test_half_a_commit_is_erased(directory: Path, storage: Storage, size: int, written: int) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        journal.prepare()
        storage.written = written
        storage.failing = {"pwrite": 1}
        with pytest.raises(JournalFault, match="No space left"):
            journal.commit([document(1, size), document(2, size)])
        assert journal.recover() == []
        assert journal.commit([document(3)]).position == 1
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert journal.dropped_tail_bytes == 0
        assert [event.document for event in events_in(journal)] == [document(3)]


def test_part_of_a_large_commit_is_cut_off_again(directory: Path, storage: Storage) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        journal.prepare()
        storage.written = 3 * SMALL
        storage.failing = {"pwrite": 1}
        with pytest.raises(JournalFault):
            journal.commit([document(1, 4 * SMALL)])
        journal.recover()
        assert (directory / "0000000002.seg").read_bytes() == bytes(SMALL)
        assert journal.commit([document(2, 4 * SMALL)]).position == 1


@pytest.mark.parametrize("call", ["pwrite", "fsync"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_commit_goes_on_once_the_next_segment_can_be_made(
    directory: Path, storage: Storage, call: str, times: int
) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        journal.commit([document(1, 800)])
        storage.failing = {call: times}
        refused = 0
        while True:
            try:
                commit = journal.commit([document(2, 800)])
                break
            except JournalFault:
                refused += 1
                assert journal.recover() == []
        assert (refused, commit.position) == (times, 2)


def test_failed_directory_flush_does_not_spoil_the_next_segment(directory: Path, storage: Storage) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        journal.commit([document(1, 800)])
        storage.failing = {"fsync": 1}
        with pytest.raises(JournalFault, match="cannot be made"):
            journal.prepare()
        journal.prepare()
        assert not journal.in_doubt
        assert journal.commit([document(2, 800)]).position == 2


def test_start_over_in_doubt_is_settled(directory: Path, storage: Storage) -> None:
    with Journal.open(directory, new_id=ids("00000001", "00000002")) as journal:
        journal.commit([document(1)])
        storage.failing = {"fdatasync": 1}
        with pytest.raises(JournalFault):
            journal.start_over()
        assert journal.id == "00000001"
        assert journal.recover() == []
        assert journal.head == ("00000002", 1, 0)
        assert journal.ids == ("00000001", "00000002")
        assert journal.commit([document(2)]).sequence == 1


def test_failed_checkpoint_leaves_the_last_one(directory: Path, storage: Storage) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        journal.commit([document(1)])
        journal.checkpoint(1, b"first")
        journal.commit([document(2)])
        storage.failing = {"pwrite": 1}
        with pytest.raises(JournalFault, match="No space left"):
            journal.checkpoint(2, b"second")
        assert not journal.in_doubt
        assert [path.name for path in directory.glob("*.tmp")] == []
        assert journal.snapshot_state == b"first"
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert journal.snapshot_state == b"first"


def test_open_on_failing_storage_is_a_fault_and_works_again(directory: Path, storage: Storage) -> None:
    storage.failing = {"pwrite": 1}
    with pytest.raises(JournalFault, match="No space left"):
        Journal.open(directory)
    storage.failing = {"fdatasync": 1}
    with pytest.raises(JournalFault, match="Input/output error"):
        Journal.open(directory)
    with Journal.open(directory) as journal:
        assert journal.commit([b"{}"]).sequence == 1
