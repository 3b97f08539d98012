"""The journal of a dead kiosk, from its card."""

from pathlib import Path

from agent.commands.journal import export
from agent.journal import Journal
from centre.ingest.journal_import import RefusedLine, import_journal
from centre.ingest.reception import LetterReason
from centre.store.database import Database
from centre.store.schema import dead_letter, hole
from tests.centre.ingest.played import (
    NOW,
    PlayedKiosk,
    changed,
    counted,
    opened,
    renew_nothing,
    rows,
    runs,
    scanned,
    store,
)


def exported(tmp_path: Path) -> list[bytes]:
    """Write a journal with the agent's own code, and export it."""
    kiosk = PlayedKiosk()
    with Journal.open(tmp_path / "journal") as journal:
        kiosk.journal = journal.id
        for number in range(20):
            journal.commit([kiosk.write(opened() if number == 0 else scanned(f"U{number}"))[0].payload])
    out = tmp_path / "export.ndjson"
    with out.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        assert export(tmp_path, file) == 0
    return out.read_bytes().splitlines(keepends=True)


def test_an_exported_journal_is_taken_in_once(database: Database, tmp_path: Path) -> None:
    lines = exported(tmp_path)
    assert import_journal(database, lines, now=NOW, renew=renew_nothing)[:3] == (20, 0, 0)
    assert len(counted(database)) == 19
    assert import_journal(database, lines, now=NOW, renew=renew_nothing)[:3] == (0, 20, 0)


def test_an_import_closes_gaps_and_fills_holes(database: Database, tmp_path: Path) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), *(scanned(f"U{number}") for number in range(5)))
    store(database, messages[0], messages[5])
    found = import_journal(database, [one.payload + b"\n" for one in messages], now=NOW, renew=renew_nothing)
    assert found[:3] == (4, 2, 0)
    assert runs(database) == [("3F0C9A1B", 0, 0, 6, 6)]
    assert rows(database, hole, "first") == []


def test_lines_that_are_no_events_are_named(database: Database) -> None:
    kiosk = PlayedKiosk()
    scan = kiosk.write(scanned("A"))[0]
    lines = [
        b"\n",
        scan.payload + b"\r\n",
        b"what is this\n",
        changed(scan, source="/kiosk/rtm1").payload,
        changed(scan, source="nobody").payload,
        changed(scan, source="/kiosk/a b/c").payload,
        changed(scan, id="x").payload,
    ]
    found = import_journal(database, lines, now=NOW, renew=renew_nothing)
    assert (found.stored, found.refused) == (1, 5)
    assert found.first_refused[0] == RefusedLine(3, LetterReason.NOT_AN_EVENT)
    assert rows(database, dead_letter, "reason") == []
