"""Forgetting the documents of old events. The rows stay: by them an event that comes once more is recognised."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, func, or_, select, update

from centre.store.counter_rows import advance, value
from centre.store.schema import event, orders

__all__ = ["OldEventPage", "forget_documents", "forgotten_through", "note_forgotten", "old_events"]

_COUNTER = "documents.forgotten"


class OldEventPage(Struct, frozen=True, kw_only=True):
    """Some events in a row, by position."""

    last: int
    to_forget: list[int]
    are_all_done: bool
    """Whether no other one among them has its document any longer."""


def old_events(connection: Connection, *, before: str, after: int, limit: int) -> OldEventPage | None:
    """Return the next events behind a position that were received before a time; None if there are no more.

    An event that is not counted yet keeps its document, and so does one of an order that is not closed.
    """
    closed = select(orders.c.name).where(orders.c.status.in_(("packed", "cancelled", "withdrawn")))
    is_over = or_(event.c.order_name.is_(None), event.c.order_name.in_(closed))
    statement = (
        select(
            event.c.position,
            (func.length(event.c.document) > 0).label("has_document"),
            ((event.c.state == "projected") & is_over).label("is_over"),
        )
        .where(event.c.position > after, event.c.received_at < before)
        .order_by(event.c.position)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    if not rows:
        return None
    return OldEventPage(
        last=rows[-1].position,
        to_forget=[row.position for row in rows if row.has_document and row.is_over],
        are_all_done=not any(row.has_document and not row.is_over for row in rows),
    )


def forget_documents(connection: Connection, positions: Sequence[int]) -> None:
    """Forget the documents of these events."""
    connection.execute(update(event).where(event.c.position.in_(positions)).values(document=b""))


def forgotten_through(connection: Connection) -> int:
    """Return the position up to which all documents are forgotten."""
    return value(connection, _COUNTER)


def note_forgotten(connection: Connection, position: int) -> None:
    """Store the position up to which all documents are forgotten."""
    advance(connection, _COUNTER, by=position - forgotten_through(connection))
