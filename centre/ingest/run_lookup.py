"""Read and write the runs of the journals that a batch is about."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from sqlalchemy import Connection

from centre.ingest.branches import JournalKey, Placement, Run
from centre.ingest.reception import EventArrival
from centre.ingest.runs import cut, note_new
from centre.projection.understand import STAND_IN
from centre.store import event_rows, journal_rows
from centre.store.journal_rows import HoleRow, JournalRow

__all__ = ["Ranges", "look_up", "write_holes", "write_new_runs"]

Ranges: TypeAlias = Sequence[tuple[int, int]]
"""(first, last) of sequences, both included."""


def look_up(
    connection: Connection, keyed: Iterable[tuple[JournalKey, EventArrival]], others: Iterable[JournalKey]
) -> dict[JournalKey, list[Run]]:
    """Return the runs of the events' journals, with what is known of the events' sequences.

    A sequence above the highest one that is stored is free: in the plain case nothing is looked up.
    """
    sequences: dict[JournalKey, set[int]] = {key: set() for key in others}
    for key, event in keyed:
        sequences.setdefault(key, set()).add(event.sequence)
    found: dict[JournalKey, list[Run]] = {}
    if not sequences:
        return found
    kiosk_ids, journals = {key.kiosk_id for key in sequences}, {key.journal for key in sequences}
    for row in journal_rows.of_kiosks(connection, kiosk_ids, journals):
        key = JournalKey(row.kiosk_id, row.journal)
        if key in sequences:
            found.setdefault(key, []).append(Run(row))
    for key, runs in found.items():
        wanted = sequences[key]
        if len(runs) > 1:  # the neighbours tell which branch an event belongs to
            wanted = {near for sequence in wanted for near in (sequence - 1, sequence, sequence + 1)}
        for run in runs:
            stored = [sequence for sequence in wanted if sequence <= run.row.highest]
            if stored:
                run.look_up(event_rows.slots(connection, run.row.id, stored), STAND_IN)
    return found


def write_new_runs(connection: Connection, placement: Placement, others: Collection[JournalKey], now: str) -> list[Run]:
    """Insert the runs that are new, those of `others` included, and return all runs of the batch."""
    for key in others:
        if not placement.runs.get(key):
            placement.runs[key] = [Run(JournalRow(0, key.kiosk_id, key.journal, 0, 0, 0, None, 0, now, now))]
    runs = [run for some in placement.runs.values() for run in some]
    for run in runs:
        note_new(run)
        if not run.row.id:
            journal_rows.insert(connection, run.row)
    return runs


def write_holes(
    connection: Connection, placement: Placement, holes: Iterable[tuple[JournalKey, Ranges]], now: str
) -> None:
    """Insert the holes that a kiosk has told of, where really nothing is stored."""
    for key, ranges in holes:
        run = placement.runs[key][0]
        for first, last in ranges:
            first = max(first, run.row.through + 1)
            stored = event_rows.sequences_between(connection, run.row.id, first, last)
            rows = [HoleRow(run.row.id, low, high, now) for low, high in cut(first, last, [*stored, *run.new])]
            journal_rows.insert_holes(connection, rows)
