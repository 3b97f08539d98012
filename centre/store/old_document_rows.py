"""Forgetting the documents of old events. The rows stay: by them an event that comes once more is recognised."""

from sqlalchemy import Connection, func, or_, select, update

from centre.store.schema import event, orders

__all__ = ["forget_documents"]


def forget_documents(connection: Connection, *, before: str, after: int, limit: int) -> tuple[int, int] | None:
    """Forget documents received before a time, among the next `limit` events behind a position.

    An event that is not counted yet keeps its document, and so does one of an order that is not closed. Returns the
    position of the last event that was looked at, and how many documents were forgotten; None if there are no more.
    """
    window = (
        select(event.c.position)
        .where(event.c.position > after, event.c.received_at < before)
        .order_by(event.c.position)
        .limit(limit)
    )
    positions = list(connection.execute(window).scalars())
    if not positions:
        return None
    closed = select(orders.c.name).where(orders.c.status.in_(("packed", "cancelled", "withdrawn")))
    statement = (
        update(event)
        .where(
            event.c.position.between(positions[0], positions[-1]),
            event.c.received_at < before,
            event.c.state == "projected",
            func.length(event.c.document) > 0,
            or_(event.c.order_name.is_(None), event.c.order_name.in_(closed)),
        )
        .values(document=b"")
    )
    return positions[-1], connection.execute(statement).rowcount
