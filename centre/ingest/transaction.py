"""From a batch of messages to stored and projected events: one transaction, from top to bottom.

Receive, place, store once, count what is gapless, project, commit. The caller acknowledges afterwards, by what the
database then holds. Nothing is kept in memory from one batch to the next.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy.exc import SQLAlchemyError

from centre.centre_errors import DatabaseDown
from centre.ingest.branches import JournalKey, Placement, Run, place
from centre.ingest.event_counting import count
from centre.ingest.journal_copies import note_old_copies, note_overlaps
from centre.ingest.kiosk_views import HealthClaim, ViewArrival, newest_claims, store_views
from centre.ingest.projecting import Renew
from centre.ingest.reception import (
    Arrival,
    EventArrival,
    LetterReason,
    RefusedMessage,
    ResponseArrival,
    receive,
    refuse,
)
from centre.ingest.resend_answers import Asked, holes_of
from centre.ingest.run_lookup import look_up, write_holes, write_new_runs
from centre.link.received import Received
from centre.store import dead_letter_rows, event_rows, journal_rows, kiosk_rows
from centre.store.database import Database

__all__ = ["Stored", "go_on", "store_batch"]

_log = logging.getLogger(__name__)

_POISON = (SQLAlchemyError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What an unforeseen message might raise. DatabaseDown is not among them: it is no fault of a message."""


class Stored(NamedTuple):
    """What a committed transaction has changed."""

    touched: tuple[JournalKey, ...] = ()
    """The journals of which events came, new or again: to be acknowledged."""
    claims: tuple[HealthClaim, ...] = ()
    responses: tuple[ResponseArrival, ...] = ()
    has_more: bool = False
    """Whether more events could count by another transaction: call `go_on`."""
    events: int = 0
    """How many new events are stored."""
    letters: int = 0
    views: int = 0
    orders: frozenset[str] = frozenset()
    """The orders that have changed."""
    renewed: frozenset[str] = frozenset()
    """The orders whose retained messages were renewed."""
    conflicts: int = 0
    """How many conflicts were opened."""

    def __add__(self, other: object) -> "Stored":
        if not isinstance(other, Stored):
            return NotImplemented
        return Stored(
            touched=tuple(dict.fromkeys((*self.touched, *other.touched))),
            claims=self.claims + other.claims,
            responses=self.responses + other.responses,
            has_more=self.has_more or other.has_more,
            events=self.events + other.events,
            letters=self.letters + other.letters,
            views=self.views + other.views,
            orders=self.orders | other.orders,
            renewed=self.renewed | other.renewed,
            conflicts=self.conflicts + other.conflicts,
        )


def store_batch(
    database: Database,
    messages: Sequence[Received],
    *,
    now: str,
    renew: Renew,
    asked: Mapping[str, Asked] | None = None,
) -> Stored:
    """Store messages and all that follows from them, in one transaction.

    `asked` are the resend requests under way, by transaction. Whatever the messages hold, only DatabaseDown is raised,
    and then nothing is changed.
    """
    received = [(message, receive(message)) for message in messages]
    return _store_parts(database, received, now=now, renew=renew, asked=asked or {})


def _store_parts(
    database: Database,
    received: Sequence[tuple[Received, Arrival]],
    *,
    now: str,
    renew: Renew,
    asked: Mapping[str, Asked],
) -> Stored:
    """Store messages together; where that fails, each half by itself. So one bad message costs the others little."""
    if len(received) == 1:
        return _store_alone(database, *received[0], now=now, renew=renew, asked=asked)
    try:
        return _store(database, [arrival for _, arrival in received], now=now, renew=renew, asked=asked)
    except DatabaseDown:
        raise
    except _POISON as exc:
        _log.warning("%d messages cannot be stored together, so they are stored in two parts: %r", len(received), exc)
    middle = len(received) // 2
    stored = Stored()
    for part in (received[:middle], received[middle:]):
        stored += _store_parts(database, part, now=now, renew=renew, asked=asked)
    return stored


def _store_alone(
    database: Database, message: Received, arrival: Arrival, *, now: str, renew: Renew, asked: Mapping[str, Asked]
) -> Stored:
    """Store one message of a batch that could not be stored: as it is, else without its meaning, else as a letter."""
    attempts: list[Arrival] = [arrival]
    if isinstance(arrival, EventArrival):
        attempts.append(replace(arrival, event=None))
    attempts.append(refuse(message, LetterReason.NOT_STORABLE))
    for attempt in attempts:
        try:
            return _store(database, [attempt], now=now, renew=renew, asked=asked)
        except DatabaseDown:
            raise
        except _POISON:
            _log.exception("a message on %r cannot be stored as %s", message.topic, type(attempt).__name__)
    return Stored()


def _store(
    database: Database, arrivals: Sequence[Arrival], *, now: str, renew: Renew, asked: Mapping[str, Asked]
) -> Stored:
    events = [arrival for arrival in arrivals if isinstance(arrival, EventArrival)]
    views = [arrival for arrival in arrivals if isinstance(arrival, ViewArrival)]
    responses = [arrival for arrival in arrivals if isinstance(arrival, ResponseArrival)]
    letters = [arrival for arrival in arrivals if isinstance(arrival, RefusedMessage)]
    pruned = holes_of(responses, asked)
    if not (events or views or letters or pruned):
        return Stored(responses=tuple(responses))

    with database.writing() as connection:
        first_position = event_rows.reserve_positions(connection, max(1, len(events)))
        names = {one.kiosk for one in events} | {one.kiosk for one in views} | {one.kiosk for one in pruned}
        kiosks = kiosk_rows.ensure(connection, names)
        store_views(connection, kiosks, views)

        # Place each event: known already, in a run of its journal, or in a branch of its own.
        keyed = [(JournalKey(kiosks[event.kiosk], event.journal), event) for event in events]
        holes = [(JournalKey(kiosks[answer.kiosk], answer.journal), answer.ranges) for answer in pruned]
        placement = Placement(look_up(connection, keyed, [key for key, _ in holes]))
        for key, event in keyed:
            place(placement, key, event)
        placement.compare(event_rows.documents_at(connection, [position for position, _ in placement.to_compare]))

        # Store each once, extend the runs, and project the events that now count.
        runs = write_new_runs(connection, placement, [key for key, _ in holes], now)
        write_holes(connection, placement, holes, now)
        for position, placed in enumerate(placement.new, first_position):
            placed.position = position
        counted = count(connection, runs, placement, now=now, renew=renew)
        journal_rows.update(connection, [run.row for run in runs])

        working = {kiosks[view.kiosk] for view in views if view.text is not None and not view.is_retained}
        kiosk_rows.bring_back(connection, working.union(placed.row.kiosk_id for placed in placement.new))
        conflicts = note_old_copies(connection, placement.old_copies, now) + note_overlaps(connection, runs, now)
        letters += placement.letters
        if letters:
            dead_letter_rows.add(connection, letters)
    return Stored(
        touched=tuple(dict.fromkeys(key for key, _ in keyed)),
        claims=tuple(newest_claims(views)),
        responses=tuple(responses),
        has_more=counted.has_more,
        events=len(placement.new),
        letters=len(letters),
        views=len(views),
        orders=counted.projected.orders,
        renewed=counted.projected.renewed,
        conflicts=conflicts,
    )


def go_on(database: Database, *, now: str, renew: Renew) -> Stored:
    """Count events that waited where nothing is missing any longer: after a long gap, and at the start.

    Raises DatabaseDown.
    """
    with database.writing() as connection:
        event_rows.reserve_positions(connection, 1)  # no other transaction stores events meanwhile
        runs = [Run(row) for row in journal_rows.unfinished(connection)]
        before = [run.row.through for run in runs]
        counted = count(connection, runs, Placement({}), now=now, renew=renew)
        moved = [run.row for run, through in zip(runs, before, strict=True) if run.row.through > through]
        journal_rows.update(connection, moved)
    touched = tuple(JournalKey(row.kiosk_id, row.journal) for row in moved)
    orders, renewed = counted.projected
    return Stored(touched=touched, has_more=counted.has_more, orders=orders, renewed=renewed)
