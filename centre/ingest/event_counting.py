"""Store the new events of a batch, and project those that count: the ones in the gapless run of their journal."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from centre.ingest.branches import Placed, Placement, Run
from centre.ingest.projecting import Projected, Renew, project, project_late, unit_event_rows
from centre.ingest.reception import event_in
from centre.ingest.runs import extend, fill_holes
from centre.projection.projector import Fact
from centre.projection.understand import STAND_IN
from centre.store import event_rows, journal_rows
from centre.store.event_rows import EventState, NewEvent, StoredDocument
from centre.store.journal_rows import HoleRow

__all__ = ["Counted", "count"]


class Counted(NamedTuple):
    """What has come of a batch."""

    projected: Projected
    has_more: bool
    """Whether more events could count by another transaction."""


class _Work:
    """What the events of a batch lead to."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        """What counts now, in the order of each run."""
        self.late_facts: list[Fact] = []
        """What belongs before facts that were counted earlier."""
        self.shown: set[str] = set()
        """Orders with an event of this batch that does not count yet, or with a stored one that counts now."""
        self.states: list[tuple[int, str]] = []
        """The new states of stored events."""

    def count_new(self, placed: Placed) -> None:
        arrival = placed.arrival
        fact = None
        if arrival.event is not None:
            fact = Fact(placed.row.id, placed.position, arrival.time, arrival.event)
        placed.state = _state(arrival.type, fact)
        if fact is not None:
            (self.late_facts if placed.is_late else self.facts).append(fact)

    def count_stored(self, stored: StoredDocument) -> None:
        event = event_in(stored.document, stored.order_name)
        fact = None if event is None else Fact(stored.journal_id, stored.position, stored.time, event)
        self.states.append((stored.position, _state(stored.type, fact)))
        self.facts += [] if fact is None else [fact]
        self.shown.update([] if stored.order_name is None else [stored.order_name])


def count(connection: Connection, runs: Sequence[Run], placement: Placement, *, now: str, renew: Renew) -> Counted:
    """Extend the runs, insert the new events, and project the events that now count."""
    work = _Work()
    has_more = False
    holes: dict[int, list[HoleRow]] = {}
    for hole in journal_rows.holes(connection, [run.row.id for run in runs]):
        holes.setdefault(hole.journal_id, []).append(hole)
    for run in runs:
        own_holes = holes.get(run.row.id, [])
        fill_holes(connection, run, own_holes)
        extension = extend(connection, run, own_holes)
        has_more |= extension.has_more
        for one in extension.counted:
            if isinstance(one, Placed):
                work.count_new(one)
            else:
                work.count_stored(one)
    for placed in placement.new:
        if placed.is_late:
            work.count_new(placed)
        elif not placed.state:
            placed.state = EventState.WAITING
        if placed.state != EventState.PROJECTED and placed.arrival.order is not None:
            work.shown.add(placed.arrival.order)

    event_rows.delete(connection, placement.replaced)
    event_rows.insert(connection, list(map(_row, placement.new)))
    event_rows.set_states(connection, work.states)
    event_rows.insert_unit_events(connection, unit_event_rows([*work.facts, *work.late_facts]))
    projected = project(connection, work.facts, now=now, renew=renew, shown=work.shown)
    projected |= project_late(connection, work.late_facts, now=now, renew=renew)
    return Counted(projected, has_more)


def _state(type_: str, fact: Fact | None) -> str:
    if type_ == STAND_IN:
        return EventState.STAND_IN
    return EventState.NOT_UNDERSTOOD if fact is None else EventState.PROJECTED


def _row(placed: Placed) -> NewEvent:
    arrival, row = placed.arrival, placed.row
    return NewEvent(
        placed.position,
        row.kiosk_id,
        row.id,
        arrival.sequence,
        arrival.event_id,
        arrival.type,
        arrival.order,
        arrival.time,
        arrival.received_at,
        placed.state,
        arrival.document,
    )
