"""A power cut after every single step of everything a journal does. (`faults.md#power-cut`)

Nothing that was committed is lost, and nothing is there by half.
"""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.errors import JournalFault
from agent.journal import Journal
from tests.journal.disk import Disk, lay_out
from tests.journal.samples import document, events_in

SEGMENT = 2048


@dataclass
class Expected:
    """What must be on disk (`returned` and the like), and what may be, because it was being written."""

    documents: list[tuple[bytes, int]] = field(default_factory=list)  # each with its commit's number
    returned: int = 0
    ids: int = 1
    ids_returned: int = 0
    states: list[tuple[int, bytes]] = field(default_factory=list)
    states_returned: int = 0
    mark: int = 0
    mark_flushed: int = 0

    def commit(self, journal: Journal, *documents: bytes, private: bytes = b"") -> None:
        number = self.documents[-1][1] + 1 if self.documents else 1
        self.documents += [(one, number) for one in documents]
        journal.commit(documents, private)
        self.returned = len(self.documents)

    def checkpoint(self, journal: Journal) -> None:
        state = b"state at %d" % journal.last_position
        self.states.append((journal.last_position, state))
        journal.checkpoint(journal.last_position, state)
        self.states_returned = len(self.states)

    def start_over(self, journal: Journal) -> None:
        self.ids += 1
        journal.start_over()
        self.ids_returned = self.ids

    def flush_mark(self, journal: Journal, position: int) -> None:
        self.mark = position
        journal.mark(position)
        journal.flush_mark()
        self.mark_flushed = position


def check(directory: Path, expected: Expected) -> None:
    """Open what a power cut left, and compare it with what must be there."""
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        held = journal.last_position
        assert held >= expected.returned
        assert held in (0, *(i for i, one in enumerate(expected.documents, 1) if not _same_commit(expected, i, one[1])))
        there = [i for i in range(1, held + 1) if not any(a <= i <= b for a, b in journal.pruned)]
        events = events_in(journal)
        assert [(event.position, event.document) for event in events] == [
            (i, expected.documents[i - 1][0]) for i in there
        ]
        assert expected.ids_returned <= len(journal.ids) <= expected.ids
        assert expected.mark_flushed <= journal.delivered <= expected.mark
        assert all(last <= journal.delivered for _, last in journal.pruned)
        found = (journal.snapshot_position, journal.snapshot_state)
        if expected.states_returned == len(expected.states):
            assert found == (expected.states[-1] if expected.states else (0, None))
        else:
            assert found in (*expected.states[-2:], *([(0, None)] if len(expected.states) == 1 else []))
        replayed = [one for commit in journal.replay() for one in commit.documents]
        assert replayed == [one for one, _ in expected.documents[journal.snapshot_position : held]]
        sequence = journal.last_sequence
        assert journal.commit([b"{}"]).sequence == sequence + 1
        named = {int(path.stem) for path in directory.glob("*.seg")}
        used = {segment.index for segment in journal.table.segments}
        assert named - used <= {max(used) + 1}
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        assert (journal.last_position, journal.dropped_tail_bytes) == (held + 1, 0)
        assert events_in(journal, after=held)[0].document == b"{}"


def _same_commit(expected: Expected, index: int, number: int) -> bool:
    return index < len(expected.documents) and expected.documents[index][1] == number


def work(directory: Path, expected: Expected, _: Disk) -> None:
    """Do everything that a journal can do, over several segments."""
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        expected.ids_returned = 1
        for i in range(4):
            expected.commit(journal, document(i, 300), private=b'{"p":1}')
        journal.prepare()
        expected.commit(journal, document(10, 100), document(11, 100), document(12, 1200))
        expected.flush_mark(journal, 3)
        expected.checkpoint(journal)
        for i in range(5):
            expected.commit(journal, document(20 + i, 700))
            if i % 2:
                journal.prepare()
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        expected.start_over(journal)
        expected.commit(journal, document(30, 5000), document(31))  # more than a segment holds
        expected.flush_mark(journal, 12)
        expected.checkpoint(journal)
        assert journal.prune(age_s=0, keep_s=0, pinned=[(5, 5)], limit=2) == 2
        expected.commit(journal, document(40, 900))
        assert journal.prune(age_s=0, keep_s=0, pinned=[]) > 0
        expected.start_over(journal)
        journal.prepare()
        for i in range(3):
            expected.commit(journal, document(50 + i, 800))
        expected.checkpoint(journal)


def anything(directory: Path, expected: Expected, seed: int) -> None:
    """Do a few dozen steps in random order, with restarts in between."""
    rng = random.Random(seed)
    for _ in range(3):
        with Journal.open(directory, segment_bytes=SEGMENT) as journal:
            expected.ids_returned = expected.ids
            for _ in range(12):
                what = rng.choice(
                    ("commit", "commit", "commit", "prepare", "mark", "checkpoint", "start over", "prune")
                )
                if what == "commit":
                    sizes = [rng.choice((0, 60, 400, 1300, 2500)) for _ in range(rng.choice((1, 1, 2, 5)))]
                    expected.commit(journal, *(document(rng.randrange(1000), size) for size in sizes))
                elif what == "prepare":
                    journal.prepare()
                elif what == "mark":
                    expected.flush_mark(journal, max(journal.delivered, journal.last_position - rng.randrange(6)))
                elif what == "checkpoint":
                    expected.checkpoint(journal)
                elif what == "start over":
                    expected.start_over(journal)
                else:
                    journal.prune(age_s=0, keep_s=0, pinned=[(3, 3)] if rng.random() < 0.5 else [], limit=2)


def recover_from_failures(directory: Path, expected: Expected, fail: Callable[[int], None]) -> None:
    """Let flushes fail, and recover without a restart."""
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        expected.ids_returned = 1
        for i, size in enumerate((100, 60, 300, 30, 200, 1100, 400, 0, 900, 3000, 60, 1500, 10, 90)):
            fail(1 + i % 2)
            with pytest.raises(JournalFault):
                expected.commit(journal, document(i, size), document(i, size // 2))
            while journal.in_doubt:
                try:
                    adopted = journal.recover()
                except JournalFault:
                    continue
                assert [commit.documents for commit in adopted] == [(document(i, size), document(i, size // 2))]
            expected.returned = len(expected.documents)
            expected.commit(journal, document(100 + i, 50))
            if i % 3 == 0:
                journal.prepare()


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run some work on a recording disk, and check every image that a power cut could leave; return how many."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda _fd: None)

    def run(work: Callable[[Path, Expected, Disk], None], *, directory: Path, expected: Expected, torn: int) -> int:
        left: list[tuple[dict[str, bytes], Expected]] = []
        seen: set[int] = set()
        rng = random.Random(7)

        def step() -> None:
            for image in disk.cuts(rng, torn):
                key = hash((*image.items(), expected.returned, len(expected.documents), expected.ids_returned))
                if key not in seen:
                    seen.add(key)
                    left.append(
                        (
                            image,
                            Expected(
                                **{**vars(expected), "documents": [*expected.documents], "states": [*expected.states]}
                            ),
                        )
                    )

        with monkeypatch.context() as patch:
            disk = Disk(directory, patch, step)
            work(directory, expected, disk)
        for image, promised in left:
            copy = tmp_path / "image"
            lay_out(image, copy)
            check(copy, promised)
            shutil.rmtree(copy)
        return len(left)

    return run


def test_power_cut_after_every_step(images: Callable[..., int], tmp_path: Path) -> None:
    """(`faults.md#power-cut`, `signals.md#success-means-on-disk`)"""
    directory = tmp_path / "journal"
    directory.mkdir()
    assert images(work, directory=directory, expected=Expected(), torn=12) > 150


@pytest.mark.parametrize("seed", range(4))
def test_power_cut_after_every_step_of_anything(images: Callable[..., int], tmp_path: Path, seed: int) -> None:
    """(`faults.md#power-cut`)"""
    directory = tmp_path / "journal"
    directory.mkdir()

    def work(directory: Path, expected: Expected, _: Disk) -> None:
        anything(directory, expected, seed)

    assert images(work, directory=directory, expected=Expected(), torn=3) > 60


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Disk], Callable[[int], None]]:
    """Return a function that prepares a disk; what that returns makes the next flushes fail, as many as given."""
    failures = 0
    rng = random.Random(11)

    def arm(disk: Disk) -> Callable[[int], None]:
        flush = os.fdatasync

        def fdatasync(fd: int) -> None:
            nonlocal failures
            if failures:
                failures -= 1
                disk.fail_flush(fd, rng)
                raise OSError(5, "Input/output error")
            flush(fd)

        def fail(times: int) -> None:
            nonlocal failures
            failures = times

        monkeypatch.setattr(os, "fdatasync", fdatasync)
        return fail

    return arm


def test_power_cut_after_every_step_of_a_recovery_while_running(
    images: Callable[..., int], tmp_path: Path, failing: Callable[[Disk], Callable[[int], None]]
) -> None:
    """(`faults.md#power-cut`, `faults.md#disk-fault`)"""
    directory = tmp_path / "journal"
    directory.mkdir()

    def work(directory: Path, expected: Expected, disk: Disk) -> None:
        recover_from_failures(directory, expected, failing(disk))

    assert images(work, directory=directory, expected=Expected(), torn=12) > 100


def test_power_cut_after_a_failed_flush_and_a_restart(
    images: Callable[..., int], tmp_path: Path, failing: Callable[[Disk], Callable[[int], None]]
) -> None:
    """After a failed flush the page cache shows what is not on disk; a restart writes it. (`faults.md#disk-fault`)"""
    directory = tmp_path / "journal"
    directory.mkdir()

    def work(directory: Path, expected: Expected, disk: Disk) -> None:
        fail = failing(disk)
        for i, size in enumerate((30, 500, 90, 700, 200, 1500, 0)):
            with Journal.open(directory, segment_bytes=SEGMENT) as journal:
                expected.ids_returned = 1
                assert journal.last_position == len(expected.documents)
                expected.returned = journal.last_position
                expected.commit(journal, document(100 + i, 20))
                fail(1)
                with pytest.raises(JournalFault):
                    expected.commit(journal, document(i, size))

    assert images(work, directory=directory, expected=Expected(), torn=12) > 30


@pytest.mark.parametrize("torn_at", [70, 200, 600, 1100])
def test_power_cut_after_every_step_of_an_opening(images: Callable[..., int], tmp_path: Path, torn_at: int) -> None:
    """The erasing of an interrupted write is itself interrupted. (`faults.md#unfinished-tail`)"""
    directory = tmp_path / "journal"
    expected = Expected()
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        expected.ids_returned = 1
        for i in range(3):
            expected.commit(journal, document(i, 500))
        journal.prepare()
    before = (directory / "0000000002.seg").read_bytes()
    with Journal.open(directory, segment_bytes=SEGMENT) as journal:
        journal.commit([document(4, 1500)])
    written = (directory / "0000000002.seg").read_bytes()
    (directory / "0000000002.seg").write_bytes(written[:torn_at] + before[torn_at:])

    def reopen(directory: Path, expected: Expected, _: Disk) -> None:
        with Journal.open(directory, segment_bytes=SEGMENT) as journal:
            assert journal.dropped_tail_bytes > 0
            expected.commit(journal, document(5, 200))

    assert images(reopen, directory=directory, expected=expected, torn=20) >= 4
