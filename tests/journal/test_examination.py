"""A damaged journal is never taken for a whole one: it is refused, or its unfinished tail is erased."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from agent.errors import JournalDamaged
from agent.journal import Journal, examination, opening, snapshot
from agent.journal.records import RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES
from agent.runtime.durable import read_file
from tests.journal.samples import SMALL, contents, document, events_in

pytestmark = pytest.mark.usefixtures("unflushed")

COMMITS = [[document(10 * i + j, 90) for j in range(1 + i % 3)] for i in range(12)]
EVENTS = [one for commit in COMMITS for one in commit]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A journal of several small segments, with a snapshot in the middle and an empty standby segment at the end."""
    directory = tmp_path / "journal"
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for i, documents in enumerate(COMMITS):
            journal.commit(documents, b"{}")
            if i == 5:
                journal.checkpoint(journal.last_position, b"state")
        journal.mark(9)
        journal.flush_mark()
        journal.prepare()
    return directory


def put(path: Path, content: bytes) -> None:
    """Overwrite in place: some file systems flush a file that is truncated first, which is slow."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(content)
        file.truncate()


def restore(directory: Path, original: dict[str, bytes]) -> None:
    for name, content in contents(directory).items():
        if original.get(name) != content:
            put(directory / name, original[name])
    for name in original.keys() - contents(directory).keys():
        put(directory / name, original[name])


def opened(directory: Path) -> tuple[list[bytes], int] | None:
    """Return (the events, bytes of an erased tail); None if the journal is refused, when opened or when read."""
    before = contents(directory)
    try:
        journal = Journal.open(directory, segment_bytes=SMALL)
    except JournalDamaged:
        assert contents(directory) == before, "a damaged journal was changed"
        return None
    with journal:
        try:
            return [event.document for event in events_in(journal)], journal.dropped_tail_bytes
        except JournalDamaged:
            return None


def in_use(directory: Path) -> dict[str, int]:
    """Return how many bytes of each file are in use."""
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        ends = {f"{segment.index:010d}.seg": segment.end for segment in journal.table.segments}
    return {"snapshot": (directory / "snapshot").stat().st_size, **dict.fromkeys(segments(directory), 0), **ends}


def segments(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("*.seg"))


def test_the_sample_is_what_these_tests_need(directory: Path) -> None:
    assert opened(directory) == (EVENTS, 0)
    names = segments(directory)
    assert in_use(directory)[names[-1]] == 0
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        live = [segment for segment in journal.table.segments if segment.last_position > journal.snapshot_position]
        assert len(live) >= 2
        assert live[0].index == 3  # the snapshot is at the second segment's last event


def test_any_byte_changed(directory: Path) -> None:
    """(`faults.md#damaged-journal`)"""
    original = contents(directory)
    ends = in_use(directory)
    names = segments(directory)
    tail = 0
    for name, content in original.items():
        for at in range(0, ends[name], 1 if name in ("snapshot", names[-2]) else 9):
            put(directory / name, content[:at] + bytes((content[at] ^ 0x21,)) + content[at + 1 :])
            found = opened(directory)
            if found is not None:
                assert found[0] == EVENTS
                # Before the snapshot, a segment's header and an empty first record are not needed. Elsewhere only what
                # no valid record follows may be gone: here the last record, which holds a mark and no event.
                if not (name == names[0] and at < SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES):
                    assert name == names[-2]
                    assert found[1] > 0
                    tail += 1
            restore(directory, original)
    assert tail == RECORD_HEADER_BYTES


def test_last_commit_changed_at_any_byte_is_dropped_whole(tmp_path: Path) -> None:
    """(`faults.md#unfinished-tail`)"""
    directory = tmp_path / "journal"
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        journal.commit([document(1)])
        start = journal.table.segments[-1].end
        journal.commit([document(2), document(3)])
        end = journal.table.segments[-1].end
    path = directory / "0000000001.seg"
    content = path.read_bytes()
    for at in range(start, end):
        path.write_bytes(content[:at] + bytes((content[at] ^ 0x80,)) + content[at + 1 :])
        assert opened(directory) == ([document(1)], end - start)
        assert path.read_bytes() == content[:start] + bytes(SMALL - start)


@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_any_sector_overwritten(directory: Path, fill: bytes) -> None:
    """(`faults.md#damaged-journal`)"""
    original = contents(directory)
    last = segments(directory)[-2]
    for name, content in original.items():
        for at in range(0, len(content), 512):
            sector = fill * len(content[at : at + 512])
            put(directory / name, content[:at] + sector + content[at + 512 :])
            found = opened(directory)
            if found is not None:
                assert found[0] == EVENTS[: len(found[0])]
                # The last sector in use may hold the last commits, with no valid record after them.
                assert len(found[0]) == len(EVENTS) or name == last
            restore(directory, original)


def test_any_file_cut_at_any_length(directory: Path) -> None:
    """(`faults.md#damaged-journal`)"""
    original = contents(directory)
    names = segments(directory)
    ends = in_use(directory)
    for name, content in original.items():
        for length in range(0, len(content), 7):
            put(directory / name, content[:length])
            found = opened(directory)
            if name == names[-1] and length >= SEGMENT_HEADER_BYTES:
                assert found == (EVENTS, 0)
            elif found is not None:
                # Of a segment before the snapshot only the unused end may be missing.
                assert name < names[-3]
                assert length >= ends[name]
                assert found == (EVENTS, 0)
            restore(directory, original)


def test_any_segment_missing(directory: Path) -> None:
    """(`faults.md#damaged-journal`)"""
    names = segments(directory)
    original = contents(directory)
    for name in names[:-2]:
        os.unlink(directory / name)
        assert opened(directory) is None
        put(directory / name, original[name])
    os.unlink(directory / names[-1])
    assert opened(directory) == (EVENTS, 0)


def test_two_segments_swapped(directory: Path) -> None:
    names = segments(directory)
    original = contents(directory)
    for one, other in pairwise(names[:-1]):
        put(directory / one, original[other])
        put(directory / other, original[one])
        assert opened(directory) is None
        for name in (one, other):
            put(directory / name, original[name])


def test_snapshot_missing_is_replayed_from_the_first_event(directory: Path) -> None:
    os.unlink(directory / "snapshot")
    assert opened(directory) == (EVENTS, 0)
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert [commit.documents for commit in journal.replay()] == [tuple(documents) for documents in COMMITS]


def test_snapshot_missing_after_pruning_is_refused(directory: Path) -> None:
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert journal.prune(age_s=0, keep_s=0, pinned=[]) == 1
    os.unlink(directory / "snapshot")
    with pytest.raises(JournalDamaged, match=r"0000000001\.seg.*missing"):
        Journal.open(directory, segment_bytes=SMALL)


def test_garbage_after_the_last_record_is_erased(directory: Path) -> None:
    """(`faults.md#unfinished-tail`)"""
    path = directory / segments(directory)[-2]
    content = path.read_bytes()
    used = in_use(directory)[path.name]
    for garbage in (b"x", b"\0\0\xf5KJ1", b"\xf5KJ1" + b"\xff" * 60):
        path.write_bytes((content[:used] + garbage).ljust(SMALL, b"\0"))
        assert opened(directory) == (EVENTS, len(garbage))
        assert path.read_bytes() == content


def test_damage_says_where_and_what(directory: Path) -> None:
    """(`faults.md#damaged-journal`)"""
    path = directory / segments(directory)[-2]
    original = path.read_bytes()
    for at, where, what in (
        (10, 0, "header is damaged"),
        (SEGMENT_HEADER_BYTES + 100, SEGMENT_HEADER_BYTES, "no valid record, but"),
    ):
        path.write_bytes(original[:at] + bytes((original[at] ^ 1,)) + original[at + 1 :])
        with pytest.raises(JournalDamaged, match=what) as caught:
            Journal.open(directory, segment_bytes=SMALL)
        assert (caught.value.path, caught.value.offset) == (str(path), where)


def test_opening_reads_no_old_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(`budgets.md#start-with-a-long-journal`)"""
    directory = tmp_path / "other"
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for i in range(30):
            journal.commit([document(i, 500)])
        journal.checkpoint(28, b"state")
    read = []

    def reading(path: Path) -> bytes:
        read.append(path.name)
        return read_file(path)

    for module in (examination, snapshot, opening):
        monkeypatch.setattr(module, "read_file", reading)
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert set(read) == {"snapshot", "0000000028.seg", "0000000029.seg", "0000000030.seg"}
        assert journal.last_position == 30


def test_another_format_is_refused(directory: Path) -> None:
    path = directory / "snapshot"
    content = bytearray(path.read_bytes())
    content[8] = 2
    path.write_bytes(content)
    with pytest.raises(JournalDamaged, match="format 2"):
        Journal.open(directory, segment_bytes=SMALL)
