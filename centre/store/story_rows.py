"""Events as a history: of an order, and the newest ones of some types."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from centre.store.schema import event, kiosk

__all__ = ["StoryRow", "events_of_order", "holds_of_orders", "recent_events"]


class StoryRow(NamedTuple):
    """One stored event and the kiosk that it is of."""

    position: int
    type: str
    order_name: str | None
    time: str
    received_at: str
    state: str
    document: bytes
    site: str
    kiosk: str


def _events() -> Select[Any]:
    return select(
        event.c.position, event.c.type, event.c.order_name, event.c.time, event.c.received_at, event.c.state,
        event.c.document, kiosk.c.site, kiosk.c.name,
    ).join(kiosk, kiosk.c.id == event.c.kiosk_id)  # fmt: skip


def events_of_order(connection: Connection, order: str, *, before: int | None, limit: int) -> list[StoryRow]:
    """Return the newest events of an order, newest first; with `before`, only those at lower positions."""
    statement = _events().where(event.c.order_name == order).order_by(event.c.position.desc()).limit(limit)
    if before is not None:
        statement = statement.where(event.c.position < before)
    return [StoryRow(*row) for row in connection.execute(statement)]


def recent_events(connection: Connection, type: str, *, since: str, limit: int) -> list[StoryRow]:
    """Return the newest events of a type that were received since then, newest first."""
    statement = _events().where(event.c.type == type).order_by(event.c.position.desc()).limit(limit)
    rows = (StoryRow(*row) for row in connection.execute(statement))
    return [row for row in rows if row.received_at >= since]


def holds_of_orders(connection: Connection, orders: Collection[str]) -> list[StoryRow]:
    """Return what kiosks said of holds on these orders, oldest first."""
    statement = _events().where(
        event.c.order_name.in_(orders), event.c.type.in_(("kiosk.order.held.v1", "kiosk.order.released.v1"))
    )
    return [StoryRow(*row) for row in connection.execute(statement.order_by(event.c.position))]
