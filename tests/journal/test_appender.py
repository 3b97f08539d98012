"""Append records, and recover from failed writes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import JournalFault
from agent.journal import Journal
from agent.journal.segments import SEGMENT_BYTES
from tests.journal.failing_storage import Storage
from tests.journal.samples import SMALL, document, events_in, ids


def test_commit_is_one_write_and_one_flush(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(`signals.md#success-means-on-disk`, `budgets.md#flushes-per-scan`)"""
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


def test_commit_after_a_failed_flush_is_refused_until_recovered(directory: Path, storage: Storage) -> None:
    """(`faults.md#disk-fault`)"""
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
    """(`faults.md#disk-fault`)"""
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
def test_commit_works_again_once_the_next_segment_can_be_created(
    directory: Path, storage: Storage, call: str, times: int
) -> None:
    """(`faults.md#disk-fault`)"""
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


def test_start_over_in_doubt_is_recovered(directory: Path, storage: Storage) -> None:
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
