"""The stored events as readers of the feed get them: the exact documents, in the order of their commits."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, Select, func, select

from centre.store.schema import event, kiosk

__all__ = ["EventFilter", "FeedEvent", "feed_documents", "feed_page", "feed_positions"]


class EventFilter(Struct, frozen=True, kw_only=True):
    """Which events a reader wants; what is None is not asked for."""

    after: int = 0
    """The position of the last one that the reader has."""
    type: str | None = None
    order: str | None = None
    site: str | None = None
    kiosk: str | None = None


class FeedEvent(NamedTuple):
    """One event of the feed."""

    position: int
    document: bytes


def feed_page(connection: Connection, wanted: EventFilter, limit: int) -> list[FeedEvent]:
    """Return the next events, `limit` at most."""
    statement = _wanted(select(event.c.position, event.c.document), wanted).limit(limit)
    return [FeedEvent(row.position, bytes(row.document)) for row in connection.execute(statement)]


def feed_positions(connection: Connection, wanted: EventFilter, limit: int) -> list[int]:
    """Return the positions of the next events, `limit` at most."""
    statement = _wanted(select(event.c.position), wanted).limit(limit)
    return [row.position for row in connection.execute(statement)]


def feed_documents(connection: Connection, positions: Iterable[int]) -> list[bytes]:
    """Return the documents at these positions, in their order. One that was replaced in the meantime is left out."""
    statement = select(event.c.document).where(event.c.position.in_(list(positions))).order_by(event.c.position)
    return [bytes(row.document) for row in connection.execute(statement)]


def _wanted(statement: Select[Any], wanted: EventFilter) -> Select[Any]:
    # The documents of old events are forgotten (`old_document_rows`).
    found = statement.where(event.c.position > wanted.after, func.length(event.c.document) > 0)
    found = found.order_by(event.c.position)
    if wanted.order is not None:
        found = found.where(event.c.order_name == wanted.order)
    if wanted.type is not None:
        # An order has few events, a type may have millions: the index of types must not be used for both.
        column = event.c.type if wanted.order is None else func.coalesce(event.c.type, "")
        found = found.where(column == wanted.type)
    if wanted.kiosk is not None or wanted.site is not None:
        kiosks = select(kiosk.c.id)
        if wanted.kiosk is not None:
            kiosks = kiosks.where(kiosk.c.name == wanted.kiosk)
        if wanted.site is not None:
            kiosks = kiosks.where(kiosk.c.site == wanted.site)
        # No index has a kiosk's events by position. With the one by event id, each page would sort all of them.
        found = found.where((event.c.kiosk_id + 0).in_(kiosks))
    return found
