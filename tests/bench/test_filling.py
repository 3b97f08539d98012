"""The journals that the benchmarks fill are like those of a kiosk."""

import json
from pathlib import Path

from agent.daemon.ledger import open_state
from agent.journal import Journal
from bench.filling import add, commits, fill, marked


def test_a_filled_journal_opens_and_holds_its_events_in_sequence(tmp_path: Path) -> None:
    fill(tmp_path, 5000)
    with open_state(tmp_path / "journal").journal as journal:
        assert (journal.last_position, journal.delivered) == (5000, 0)
        assert journal.snapshot_position > 0
        with journal.reader(after=0) as reader:
            documents = [json.loads(event.document) for event in reader.read(6000)]
    assert [int(one["sequence"]) for one in documents] == list(range(1, 5001))
    assert [one["id"][9:21] for one in documents] == [one["sequence"] for one in documents]


def test_what_is_marked_is_delivered_after_the_next_opening(tmp_path: Path) -> None:
    fill(tmp_path, 100)
    marked(tmp_path, 60)
    with Journal.open(tmp_path / "journal") as journal:
        assert journal.delivered == 60


def test_measured_commits_go_on_where_the_filling_ended(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal") as journal:
        add(journal, 10)
        assert len(commits(journal, 5)) == 5
        assert journal.last_sequence == 15
