"""The journal as the uplink reads it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.daemon.journal_source import JournalSource
from agent.journal import Journal
from agent.uplink.event_source import SourceHead


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal") as journal:
        for number in range(1, 6):
            journal.commit([json.dumps({"id": f"event-{number}"}).encode()])
        yield journal


def test_a_journal_that_is_not_open_is_empty() -> None:
    source = JournalSource(lambda: None)
    assert source.head() == SourceHead(journal="", last_position=0, last_sequence=0, delivered=0)
    assert source.read(0, 10) == ()
    assert source.event_id("AAAAAAAA", 1) is None
    source.close()


def test_reads_on_where_it_was_and_from_anywhere_else(journal: Journal) -> None:
    source = JournalSource(lambda: journal)
    assert source.head().last_position == 5
    assert [event.position for event in source.read(0, 2)] == [1, 2]
    assert [event.position for event in source.read(2, 2)] == [3, 4]
    assert [event.position for event in source.read(1, 10)] == [2, 3, 4, 5]
    assert source.read(5, 10) == []
    source.close()


def test_close_leaves_no_descriptor_and_may_be_repeated(journal: Journal) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    source = JournalSource(lambda: journal)
    source.read(0, 1)
    source.close()
    source.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert len(source.read(0, 10)) == 5, "a later read opens it again"
    source.close()


def test_ids_of_events_are_looked_up(journal: Journal) -> None:
    source = JournalSource(lambda: journal)
    assert source.event_id(journal.id, 3) == "event-3"
    assert source.event_id(journal.id, 6) is None
    assert source.event_id("FFFFFFFF", 1) is None


def test_a_journal_opened_anew_is_read_anew(journal: Journal, tmp_path: Path) -> None:
    opened = [journal]
    source = JournalSource(lambda: opened[0])
    assert len(source.read(0, 5)) == 5
    with Journal.open(tmp_path / "other") as other:
        other.commit([b'{"id":"another"}'])
        opened[0] = other
        assert [event.document for event in source.read(0, 5)] == [b'{"id":"another"}']
        source.close()
