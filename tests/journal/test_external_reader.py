"""Read a journal from outside, beside the daemon and after damage."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.journal import Journal, StoredEvent, external_reader
from agent.journal.external_reader import Damage, Found, UnfinishedTail, read_all, read_bases, segments_in
from agent.journal.records import SEGMENT_HEADER_BYTES
from agent.runtime.durable import read_file
from tests.journal.samples import SMALL, contents, document

pytestmark = pytest.mark.usefixtures("unflushed")

COUNT = 24


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "journal"
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for i in range(COUNT):
            if i == 9:
                journal.start_over()
            journal.commit([document(i, 150)])
        journal.mark(20)
        journal.checkpoint(COUNT, b"state")
        journal.prepare()
    return directory


def split(found: list[Found]) -> tuple[list[int], list[tuple[str, int]], int]:
    """Return (numbers of the events, where damage is, how many unfinished tails)."""
    numbers = [event.position - 1 for event in found if isinstance(event, StoredEvent)]
    assert [event.document for event in found if isinstance(event, StoredEvent)] == [document(n, 150) for n in numbers]
    damages = [(one.path.name, one.offset) for one in found if isinstance(one, Damage)]
    return numbers, damages, sum(isinstance(one, UnfinishedTail) for one in found)


def change(path: Path, at: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :])


def test_whole_journal_is_read_and_not_changed(directory: Path) -> None:
    before = contents(directory)
    assert split(list(read_all(directory))) == (list(range(COUNT)), [], 0)
    assert contents(directory) == before


def test_pruned_events_are_not_missed(directory: Path) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        while journal.prune(age_s=0, keep_s=0, pinned=[(6, 8)]):
            pass
        pruned = {p - 1 for first, last in journal.pruned for p in range(first, last + 1)}
    assert len(pruned) > 8
    assert split(list(read_all(directory))) == ([n for n in range(COUNT) if n not in pruned], [], 0)


def test_damaged_record_is_reported_and_the_others_are_read(directory: Path) -> None:
    """(`faults.md#damaged-journal`)"""
    change(directory / "0000000002.seg", SEGMENT_HEADER_BYTES + 60)
    first = 4
    assert split(list(read_all(directory))) == (
        [n for n in range(COUNT) if n != first],
        [("0000000002.seg", SEGMENT_HEADER_BYTES)],
        0,
    )


def test_damaged_header_is_reported_and_its_events_are_read(directory: Path) -> None:
    change(directory / "0000000002.seg", 20)
    assert split(list(read_all(directory))) == (list(range(COUNT)), [("0000000002.seg", 0)], 0)


def test_damaged_snapshot_is_reported_and_all_events_are_read(directory: Path) -> None:
    change(directory / "snapshot", 30)
    assert split(list(read_all(directory))) == (list(range(COUNT)), [("snapshot", 0)], 0)


def test_missing_segment_is_reported(directory: Path) -> None:
    (directory / "0000000002.seg").unlink()
    numbers, damages, _ = split(list(read_all(directory)))
    assert set(range(COUNT)) > set(numbers)
    assert [name for name, _ in damages] == ["0000000001.seg"]


def test_lost_end_is_found_by_the_snapshot(directory: Path) -> None:
    last = [index for index in segments_in(directory) if index < max(segments_in(directory))][-1]
    path = directory / f"{last:010d}.seg"
    path.write_bytes(bytes(SMALL))
    _, damages, _ = split(list(read_all(directory)))
    assert len(damages) == 1
    path.write_bytes(b"")
    assert (path.name, 0) in split(list(read_all(directory)))[1]


def test_damage_at_the_end_of_a_closed_segment_is_no_unfinished_write(directory: Path) -> None:
    path = directory / "0000000001.seg"
    used = len(path.read_bytes().rstrip(b"\0"))
    change(path, used - 1)
    numbers, damages, unfinished = split(list(read_all(directory)))
    assert numbers == [n for n in range(COUNT) if n != 3]
    assert [name for name, _ in damages] == ["0000000001.seg"]
    assert unfinished == 0


def test_unfinished_write_is_no_damage(directory: Path) -> None:
    """(`faults.md#unfinished-tail`)"""
    (directory / f"{max(segments_in(directory)):010d}.seg").write_bytes(b"garbage".ljust(SMALL, b"\0"))
    assert split(list(read_all(directory))) == (list(range(COUNT)), [], 1)


def test_since_a_segment(directory: Path) -> None:
    assert split(list(read_all(directory, since=3)))[0][-1] == COUNT - 1
    assert split(list(read_all(directory, since=3)))[1] == []


def test_bases_give_the_position_of_a_sequence(directory: Path) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        first, second = journal.ids
    assert list(read_bases(directory).items()) == [(first, 0), (second, 9)]
    (directory / "snapshot").unlink()
    assert list(read_bases(directory).items()) == [(first, 0), (second, 9)]


@pytest.mark.parametrize("torn", ["0000000002.seg", "0000000003.seg"])
def test_a_commit_seen_in_part_is_read_again(directory: Path, monkeypatch: pytest.MonkeyPatch, torn: str) -> None:
    """A file that is read while two commits are written may show the second and not yet the first."""
    reads = 0

    def reading(path: Path) -> bytes:
        nonlocal reads
        data = read_file(path)
        if path.name != torn:
            return data
        reads += 1
        return data[:SEGMENT_HEADER_BYTES] + bytes(200) + data[SEGMENT_HEADER_BYTES + 200 :] if reads == 1 else data

    monkeypatch.setattr(external_reader, "read_file", reading)
    assert split(list(read_all(directory))) == (list(range(COUNT)), [], 0)
    assert reads == 2


def test_beside_commits_and_pruning_nothing_looks_damaged(tmp_path: Path) -> None:
    directory = tmp_path / "journal"
    enough = threading.Event()
    done = threading.Event()

    def look() -> list[Found]:
        damages: list[Found] = []
        surveys = 0
        while not done.is_set():
            damages += [found for found in read_all(directory) if isinstance(found, Damage)]
            surveys += 1
            if surveys == 20:
                enough.set()
        return damages

    with Journal.open(directory, segment_bytes=2 * SMALL) as journal, ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        written = 0
        while not (enough.is_set() and written >= 300) and not looking.done():
            journal.commit([document(written, written % 400)])
            written += 1
            if written % 20 == 0:
                journal.mark(journal.last_position)
                journal.checkpoint(journal.last_position, b"")
                journal.prune(age_s=0, keep_s=0, pinned=[], limit=2)
        done.set()
        assert looking.result() == []
    assert enough.is_set()
