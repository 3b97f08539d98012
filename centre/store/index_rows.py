"""What the order index needs to know of orders, and how far it has followed their changes."""

from msgspec import Struct
from sqlalchemy import Connection, select

from centre.store.counter_rows import advance, value
from centre.store.order_rows import OrderSource, OrderStatus
from centre.store.schema import orders

__all__ = [
    "IndexedOrder",
    "changed_orders",
    "closed_orders",
    "follow_through",
    "followed_through",
    "indexed_through",
]


class IndexedOrder(Struct, frozen=True, kw_only=True):
    """An order as far as the index is concerned."""

    name: str
    site: str | None
    source: OrderSource
    status: OrderStatus
    revision: int | None
    changed: int
    is_cleared: bool


def changed_orders(connection: Connection, after: int) -> list[IndexedOrder]:
    """Return the orders whose `changed` is higher, in its order."""
    columns = [orders.c[name] for name in IndexedOrder.__struct_fields__ if name != "is_cleared"]
    is_cleared = orders.c.cleared_at.is_not(None).label("is_cleared")
    statement = select(*columns, is_cleared).where(orders.c.changed > after).order_by(orders.c.changed)
    return [IndexedOrder(**row._mapping) for row in connection.execute(statement)]


def closed_orders(connection: Connection) -> list[str]:
    """Return the packed and cancelled orders, the one that changed longest ago first."""
    statement = select(orders.c.name).where(orders.c.status.in_(("packed", "cancelled"))).order_by(orders.c.changed)
    return list(connection.execute(statement).scalars())


def indexed_through(connection: Connection, site: str) -> int:
    """Return the last change that the site's index has taken up, without a lock."""
    return value(connection, _counter(site))


def followed_through(connection: Connection, site: str) -> int:
    """Return the last change that the site's index has taken up; no other transaction raises it until this one ends."""
    return advance(connection, _counter(site), by=0)


def follow_through(connection: Connection, site: str, change: int) -> None:
    """Say that the site's index has taken up all changes up to this one."""
    advance(connection, _counter(site), by=change - followed_through(connection, site))


def _counter(site: str) -> str:
    return f"index:{site}"
