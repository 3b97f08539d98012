"""Events as exports show them, in the order of their commits."""

from msgspec import Struct
from sqlalchemy import Connection, func, select

from centre.store.schema import event, kiosk

__all__ = ["ExportedEvent", "events_page", "first_position_since"]


class ExportedEvent(Struct, frozen=True, kw_only=True):
    """One event. The columns are described in `centre.store.schema`."""

    position: int
    received_at: str
    time: str
    site: str
    kiosk: str
    type: str
    order_name: str | None
    document: bytes


def events_page(connection: Connection, after: int, limit: int) -> list[ExportedEvent]:
    """Return the next events behind a position. Those whose documents are forgotten are left out."""
    statement = (
        select(
            event.c.position,
            event.c.received_at,
            event.c.time,
            kiosk.c.site,
            kiosk.c.name.label("kiosk"),
            event.c.type,
            event.c.order_name,
            event.c.document,
        )
        .join(kiosk, kiosk.c.id == event.c.kiosk_id)
        .where(event.c.position > after, func.length(event.c.document) > 0)
        .order_by(event.c.position)
        .limit(limit)
    )
    return [ExportedEvent(**row._mapping) for row in connection.execute(statement)]


def first_position_since(connection: Connection, time: str) -> int:
    """Return a position at or before the first event received at or after a time, found by halving.

    Events are received in the order of their positions, but for a clock that is put back.
    """
    low = 1
    high = (connection.execute(select(func.max(event.c.position))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        statement = select(event.c.received_at).where(event.c.position >= middle).order_by(event.c.position).limit(1)
        received = connection.execute(statement).scalar()
        if received is None or received >= time:
            high = middle
        else:
            low = middle + 1
    return low
