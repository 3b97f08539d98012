"""Checkpoints of the state, and pruning before them."""

from pathlib import Path

import pytest

from agent.errors import JournalFault
from agent.journal import Journal
from tests.journal.failing_storage import Storage
from tests.journal.samples import SMALL, document, events_in


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
    """(`mqtt.md#pruning`)"""
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        for i in range(4):
            journal.commit([document(i, 600)])
            journal.advance_age(100)
        journal.mark(4)
        journal.checkpoint(4, b"")
    with Journal.open(directory, segment_bytes=SMALL) as journal:
        assert journal.age_s == 400
        # The first segment was sealed at age 100, by the commit that began the second.
        assert journal.prune(age_s=399, keep_s=300, pinned=[]) == 0
        assert journal.prune(age_s=400, keep_s=300, pinned=[]) == 1
        assert journal.pruned == ((1, 1),)
        assert journal.prune(age_s=400, keep_s=300, pinned=[], early=True) == 2
        assert [event.position for event in events_in(journal)] == [4]


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
