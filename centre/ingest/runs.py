"""Gapless runs: how far a journal's events reach without a gap, and so which events count."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from centre.ingest.branches import Placed, Run
from centre.store import event_rows, journal_rows
from centre.store.event_rows import StoredDocument
from centre.store.journal_rows import HoleRow

__all__ = ["CHUNK", "Extension", "cut", "extend", "fill_holes", "note_new"]

CHUNK = 2000
"""How many waiting events are counted in one transaction; more wait for the next one."""


class Extension(NamedTuple):
    """The events that count now, in the order of the run."""

    counted: list[Placed | StoredDocument]
    """New events, and stored ones that waited behind a gap."""
    has_more: bool
    """Whether more stored events could count."""


def note_new(run: Run) -> None:
    """Update the row by the new events: the highest sequence, and when they came and were written."""
    row = run.row
    for sequence, placed in run.new.items():
        arrival = placed.arrival
        row.highest = max(row.highest, sequence)
        row.last_event_at = max(row.last_event_at, arrival.received_at)
        if arrival.clock_synced:
            row.written_from = min(row.written_from or arrival.time, arrival.time)
            row.written_to = max(row.written_to or arrival.time, arrival.time)


def extend(connection: Connection, run: Run, holes: Collection[HoleRow]) -> Extension:
    """Extend the run up to the next gap. A hole is no gap: the run goes on behind it."""
    row = run.row
    behind = {hole.first: hole.last for hole in holes}
    counted: list[Placed | StoredDocument] = []
    waiting: dict[int, StoredDocument] = {}
    loaded = 0
    while True:
        following = row.through + 1
        placed = run.new.get(following) or waiting.get(following)
        if placed is not None:
            counted.append(placed)
            row.through = following
            row.through_id = placed.arrival.event_id if isinstance(placed, Placed) else placed.event_id
        elif following in behind:
            row.through, row.through_id = behind[following], None
            row.highest = max(row.highest, row.through)
        elif row.id and row.highest > row.through and event_rows.slots(connection, row.id, [following]):
            if loaded >= CHUNK:
                return Extension(counted, has_more=True)
            documents = event_rows.waiting_after(connection, row.id, row.through, CHUNK)
            waiting = {document.sequence: document for document in documents}
            loaded += len(documents)
        else:
            return Extension(counted, has_more=False)


# -- holes -----------------------------------------------------------------------------------------------------------


def cut(first: int, last: int, sequences: Iterable[int]) -> list[tuple[int, int]]:
    """Return what is left of a range, both ends included, without these sequences."""
    left = []
    for sequence in sorted(sequences):
        if first <= sequence <= last:
            if first < sequence:
                left.append((first, sequence - 1))
            first = sequence + 1
    if first <= last:
        left.append((first, last))
    return left


def fill_holes(connection: Connection, run: Run, holes: Collection[HoleRow]) -> None:
    """Cut holes where events came after all: from the card of a dead kiosk, say."""
    late = [sequence for sequence, placed in run.new.items() if placed.is_late]
    changed = [hole for hole in holes if any(hole.first <= sequence <= hole.last for sequence in late)]
    journal_rows.delete_holes(connection, changed)
    journal_rows.insert_holes(
        connection,
        [hole._replace(first=first, last=last) for hole in changed for first, last in cut(hole.first, hole.last, late)],
    )
    if run.row.through in late:
        run.row.through_id = run.new[run.row.through].arrival.event_id
