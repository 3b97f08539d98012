"""Open a journal directory for writing."""

from pathlib import Path

import pytest

from agent.errors import JournalBusy, JournalFault
from agent.journal import Journal
from tests.journal.failing_storage import Storage
from tests.journal.samples import ids


def test_open_new_journal_keeps_its_id(directory: Path) -> None:
    """(`mqtt.md#event-ids-and-sequence`)"""
    with Journal.open(directory, new_id=ids("3F0C9A1B")) as journal:
        assert (journal.id, journal.last_position, journal.last_sequence, journal.delivered) == ("3F0C9A1B", 0, 0, 0)
        assert (journal.snapshot_state, journal.pruned, journal.in_doubt) == (None, (), False)
    with Journal.open(directory, new_id=ids()) as journal:
        assert journal.ids == ("3F0C9A1B",)


def test_open_twice_is_refused_until_closed(directory: Path) -> None:
    with Journal.open(directory) as journal:
        with pytest.raises(JournalBusy, match="in use by another process"):
            Journal.open(directory)
        journal.commit([b"{}"])
    Journal.open(directory).close()


def test_open_on_failing_storage_is_a_fault_and_works_again(directory: Path, storage: Storage) -> None:
    """(`faults.md#disk-fault`)"""
    storage.failing = {"pwrite": 1}
    with pytest.raises(JournalFault, match="No space left"):
        Journal.open(directory)
    storage.failing = {"fdatasync": 1}
    with pytest.raises(JournalFault, match="Input/output error"):
        Journal.open(directory)
    with Journal.open(directory) as journal:
        assert journal.commit([b"{}"]).sequence == 1
