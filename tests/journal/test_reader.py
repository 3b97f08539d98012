"""Read events while other threads commit, prune, and while the storage fails."""

import os
import random
import threading
from pathlib import Path

import pytest

from agent.errors import JournalDamaged, JournalFault
from agent.journal import Journal
from agent.journal.records import SEGMENT_HEADER_BYTES
from tests.journal.samples import SMALL, document, events_in

pytestmark = pytest.mark.usefixtures("unflushed")


def filled(directory: Path, commits: int = 30) -> Journal:
    journal = Journal.open(directory, segment_bytes=SMALL)
    for i in range(commits):
        journal.commit([document(i, 120), document(i, 20)])
    return journal


def test_seek_to_any_position(directory: Path) -> None:
    with filled(directory) as journal:
        whole = events_in(journal)
        assert [event.position for event in whole] == list(range(1, 61))
        for after in random.Random(3).sample(range(61), 61):
            assert events_in(journal, after=after) == whole[after:]


def test_reader_follows_the_commits(directory: Path) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal, journal.reader(0) as reader:
        assert reader.read(10) == []
        for i in range(20):
            journal.commit([document(i, 100 * (i % 9))] * 3)
            if i % 4 == 0:
                journal.mark(journal.last_position)
                journal.flush_mark()
            if i == 7:
                journal.start_over()
            assert [event.document for event in (*reader.read(2), *reader.read(2))] == [document(i, 100 * (i % 9))] * 3
        assert reader.read(1) == []


def test_reader_skips_pruned_events(directory: Path) -> None:
    with filled(directory) as journal, journal.reader(0) as reader:
        assert len(reader.read(1)) == 1
        journal.mark(40)
        journal.checkpoint(50, b"")
        while journal.prune(age_s=0, keep_s=0, pinned=[(9, 9), (20, 22)]):
            pass
        positions = [event.position for event in reader.read(100)]
        there = [event.position for event in events_in(journal)]
        assert {9, 20, 21, 22} | set(range(41, 61)) <= set(there) < set(range(1, 61))
        # A reader may still return what it had open when the file was deleted.
        assert set(there) <= {1, *positions}
        assert positions == sorted(positions)


def test_damaged_record_is_refused_and_all_after_it_can_be_read(directory: Path) -> None:
    """(`faults.md#damaged-journal`)"""
    with filled(directory) as journal:
        path = directory / "0000000003.seg"
        first = journal.table.segments[2].first_position
        content = bytearray(path.read_bytes())
        content[SEGMENT_HEADER_BYTES + 80] ^= 1
        path.write_bytes(content)
        with journal.reader(first - 2) as reader:
            assert [event.position for event in reader.read(1)] == [first - 1]
            for _ in range(2):
                with pytest.raises(JournalDamaged, match=rf"byte {SEGMENT_HEADER_BYTES}: .*event {first} is expected"):
                    reader.read(1)
        assert [event.position for event in events_in(journal, after=first + 1)] == list(range(first + 2, 61))


def test_missing_segment_is_damage(directory: Path) -> None:
    with filled(directory) as journal:
        os.unlink(directory / "0000000003.seg")
        with journal.reader(0) as reader, pytest.raises(JournalDamaged, match=r"0000000003\.seg.*missing"):
            reader.read(100)


def test_failing_storage_is_a_fault(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pread(fd: int, length: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    with filled(directory) as journal, journal.reader(0) as reader:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", pread)
            with pytest.raises(JournalFault, match="Input/output error"):
                reader.read(1)
        assert len(reader.read(100)) == 60


def test_close_twice_is_fine(directory: Path) -> None:
    with filled(directory) as journal:
        reader = journal.reader(0)
        reader.read(1)
        reader.close()
        reader.close()


def test_readers_and_housekeeping_beside_commits(directory: Path) -> None:
    """Each reader sees every event once and in order, whatever the other threads do."""
    commits = 600
    problems: list[str] = []
    done = threading.Event()

    def follow(journal: Journal) -> None:
        seen: list[bytes] = []
        with journal.reader(0) as reader:
            while len(seen) < commits:
                seen += [event.document for event in reader.read(5)]
        if seen != [document(i, i % 300) for i in range(commits)]:
            problems.append("a reader saw something else")

    def housekeep(journal: Journal) -> None:
        while not done.is_set():
            journal.prepare()
            journal.advance_age(1)
            journal.checkpoint(journal.last_position, b"state")

    with Journal.open(directory, segment_bytes=4 * SMALL) as journal:
        threads = [threading.Thread(target=follow, args=(journal,)) for _ in range(2)]
        threads.append(threading.Thread(target=housekeep, args=(journal,)))
        for thread in threads:
            thread.start()
        for i in range(commits):
            journal.commit([document(i, i % 300)])
        for thread in threads[:2]:
            thread.join(60)
        done.set()
        threads[2].join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert problems == []
    with Journal.open(directory, segment_bytes=4 * SMALL) as journal:
        assert len(events_in(journal)) == commits
