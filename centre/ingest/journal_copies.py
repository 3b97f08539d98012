"""Record that a kiosk's journal was copied, or that two kiosks have one name (`mqtt.md#rolled-back-journal`).

A kiosk has one journal at a time, and begins the next one when it ends the one before. So two journals that were
written in the same time are of two kiosks.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from centre.ingest.branches import OldCopy, Run
from centre.moments import later
from centre.store import conflict_rows, journal_rows

__all__ = ["MARGIN_S", "note_old_copies", "note_overlaps"]

MARGIN_S = 10.0
"""How far a synchronised clock may be set back."""
OLD_COPY = "old_copy"
TWO_KIOSKS = "two_kiosks_one_name"


def note_old_copies(connection: Connection, copies: Iterable[OldCopy], now: str) -> int:
    """Open a conflict for each branch that has begun; return how many."""
    opened = 0
    for copy in copies:
        row = copy.run.row
        details = {
            "journal": row.journal,
            "branch": row.branch,
            "sequence": f"{copy.arrival.sequence:012d}",
            "events": [copy.stored_id, copy.arrival.event_id],
        }
        conflict_rows.open_conflict(connection, OLD_COPY, at=now, details=details, kiosk_id=row.kiosk_id)
        opened += 1
    return opened


def note_overlaps(connection: Connection, runs: Sequence[Run], now: str) -> int:
    """Open a conflict for each kiosk of which two journals were written in the same time; return how many.

    While one is not closed, no other is opened for the kiosk.
    """
    opened = 0
    grown = [run for run in runs if run.row.branch == 0 and run.row.written_to is not None and run.new]
    several = journal_rows.with_several_journals(connection, {run.row.kiosk_id for run in grown})
    for run in grown:
        row = run.row
        if row.kiosk_id not in several or row.written_from is None or row.written_to is None:
            continue
        earliest, latest = later(row.written_from, seconds=MARGIN_S), later(row.written_to, seconds=-MARGIN_S)
        other = journal_rows.overlapping(connection, row, earliest=earliest, latest=latest)
        if other is not None and not conflict_rows.has_open(connection, TWO_KIOSKS, row.kiosk_id):
            journals = sorted((row.journal, other))
            events = journal_rows.newest_event_ids(connection, row.kiosk_id, journals)
            details = {"journals": journals, "events": events}
            conflict_rows.open_conflict(connection, TWO_KIOSKS, at=now, details=details, kiosk_id=row.kiosk_id)
            opened += 1
    return opened
