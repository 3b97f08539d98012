"""The table `event`: every document once, in the order of commits."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, literal_column, select

from centre.store import counter_rows
from centre.store.schema import event, kiosk, unit_event
from centre.store.statements import chunks, insert_rows

__all__ = [
    "IS_UNFINISHED",
    "POSITIONS",
    "EventState",
    "FeedRow",
    "NewEvent",
    "Slot",
    "StoredDocument",
    "delete",
    "documents_at",
    "documents_to_project",
    "feed",
    "insert",
    "insert_unit_events",
    "not_understood",
    "of_order",
    "reserve_positions",
    "set_states",
    "slots",
    "waiting_after",
]

POSITIONS = "events.position"
"""The counter of positions. Who raises it is alone with it until the commit: so positions rise with commits."""


class EventState:
    """The values of `event.state`."""

    WAITING = "waiting"
    PROJECTED = "projected"
    NOT_UNDERSTOOD = "not_understood"
    STAND_IN = "stand_in"


class Slot(NamedTuple):
    """A sequence of a run that is taken."""

    position: int
    journal_id: int
    sequence: int
    event_id: str
    type: str


class NewEvent(NamedTuple):
    """A row to insert."""

    position: int
    kiosk_id: int
    journal_id: int
    sequence: int
    event_id: str
    type: str
    order_name: str | None
    time: str
    received_at: str
    state: str
    document: bytes


class StoredDocument(NamedTuple):
    """A stored event, to be projected."""

    position: int
    journal_id: int
    sequence: int
    event_id: str
    type: str
    order_name: str | None
    time: str
    document: bytes


class FeedRow(NamedTuple):
    """An event as the feed gives it."""

    position: int
    site: str
    kiosk: str
    state: str
    received_at: str
    document: bytes


_STORED = (
    event.c.position,
    event.c.journal_id,
    event.c.sequence,
    event.c.event_id,
    event.c.type,
    event.c.order_name,
    event.c.time,
    event.c.document,
)


def reserve_positions(connection: Connection, count: int) -> int:
    """Return the first of `count` positions. Other writers of events wait until this transaction ends."""
    return counter_rows.advance(connection, POSITIONS, count) - count + 1


# -- looking up ------------------------------------------------------------------------------------------------------

_SLOTS = select(event.c.position, event.c.journal_id, event.c.sequence, event.c.event_id, event.c.type).where(
    event.c.journal_id == bindparam("journal_id")
)


def slots(connection: Connection, journal_id: int, sequences: Collection[int]) -> list[Slot]:
    """Return which of these sequences of a run are taken, and by which event."""
    return [
        Slot(*row)
        for some in chunks(sorted(sequences))
        for row in connection.execute(_SLOTS.where(event.c.sequence.in_(some)), {"journal_id": journal_id})
    ]


def sequences_between(connection: Connection, journal_id: int, first: int, last: int) -> list[int]:
    """Return the taken sequences of a run between two, both included."""
    statement = select(event.c.sequence).where(
        event.c.journal_id == journal_id, event.c.sequence >= first, event.c.sequence <= last
    )
    return list(connection.execute(statement.order_by(event.c.sequence)).scalars())


def documents_at(connection: Connection, positions: Collection[int]) -> dict[int, bytes]:
    """Return the documents at these positions, but for those that are forgotten (`old_document_rows`)."""
    statement = select(event.c.position, event.c.document).where(func.length(event.c.document) > 0)
    return {
        row.position: bytes(row.document)
        for some in chunks(list(positions))
        for row in connection.execute(statement.where(event.c.position.in_(some)))
    }


def waiting_after(connection: Connection, journal_id: int, sequence: int, limit: int) -> list[StoredDocument]:
    """Return the stored events of a run behind a sequence, in order."""
    statement = select(*_STORED).where(event.c.journal_id == journal_id, event.c.sequence > sequence)
    return _stored(connection, statement.order_by(event.c.sequence).limit(limit))


def of_order(connection: Connection, journal_id: int, order: str) -> list[StoredDocument]:
    """Return the events of one order in one run that count, in order."""
    statement = select(*_STORED).where(event.c.order_name == order, event.c.state == EventState.PROJECTED)
    # An order has few events, a run may have a million: SQLite would choose the run's index.
    found = [document for document in _stored(connection, statement) if document.journal_id == journal_id]
    return sorted(found, key=lambda document: document.sequence)


IS_UNFINISHED = event.c.state != literal_column("'projected'")
"""Whether an event waits, is not understood or is a stand-in. With a parameter in place of the literal, SQLite does not
use the index of these events, and reads all."""


def not_understood(connection: Connection, types: Collection[str]) -> list[int]:
    """Return the positions of the events of these types that were not understood when they came."""
    statement = select(event.c.position, event.c.type).where(IS_UNFINISHED, event.c.state == EventState.NOT_UNDERSTOOD)
    return sorted(position for position, type_ in connection.execute(statement) if type_ in types)


def documents_to_project(connection: Connection, positions: Collection[int]) -> list[StoredDocument]:
    """Return the events at these positions, in order."""
    statement = select(*_STORED).where(event.c.position.in_(positions))
    return _stored(connection, statement.order_by(event.c.position))


def _stored(connection: Connection, statement: Select[Any]) -> list[StoredDocument]:
    return [StoredDocument(*row) for row in connection.execute(statement)]


# -- writing ---------------------------------------------------------------------------------------------------------


def insert(connection: Connection, rows: Sequence[NewEvent]) -> None:
    """Insert events."""
    insert_rows(connection, event, NewEvent._fields, rows)


def insert_unit_events(connection: Connection, rows: Sequence[tuple[str, int]]) -> None:
    """Insert the (key, position) of each event that names a device."""
    insert_rows(connection, unit_event, ("key", "position"), rows)


def delete(connection: Connection, positions: Sequence[int]) -> None:
    """Delete stand-ins whose originals have come."""
    for some in chunks(positions):
        connection.execute(event.delete().where(event.c.position.in_(some)))


def set_states(connection: Connection, states: Iterable[tuple[int, str]]) -> None:
    """Set the state of events: (position, state) each."""
    rows = [{"at": position, "new": state} for position, state in states]
    if rows:
        connection.execute(
            event.update().where(event.c.position == bindparam("at")).values(state=bindparam("new")), rows
        )


# -- the feed --------------------------------------------------------------------------------------------------------


def feed(
    connection: Connection,
    *,
    after: int = 0,
    limit: int,
    type: str | None = None,
    order: str | None = None,
    site: str | None = None,
    kiosk_name: str | None = None,
    since: str | None = None,
) -> list[FeedRow]:
    """Return stored events in the order of commits, those behind a position. `since` is a time of receipt."""
    statement = select(
        event.c.position, kiosk.c.site, kiosk.c.name, event.c.state, event.c.received_at, event.c.document
    ).select_from(event.join(kiosk))
    statement = statement.where(event.c.position > after, func.length(event.c.document) > 0)
    if type is not None:
        statement = statement.where(event.c.type == type)
    if order is not None:
        statement = statement.where(event.c.order_name == order)
    if site is not None:
        statement = statement.where(kiosk.c.site == site)
    if kiosk_name is not None:
        statement = statement.where(kiosk.c.name == kiosk_name)
    if since is not None:
        statement = statement.where(event.c.received_at >= since)
    rows = connection.execute(statement.order_by(event.c.position).limit(limit))
    return [FeedRow(*row[:-1], bytes(row[-1])) for row in rows]


def last_position(connection: Connection) -> int:
    """Return the position of the newest event; 0 if there is none."""
    return connection.execute(select(func.max(event.c.position))).scalar() or 0
