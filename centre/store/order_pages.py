"""Pages of orders, filtered. The order of the list is stable while orders are added."""

from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, or_, select

from centre.store.order_rows import OrderRow, OrderStatus
from centre.store.schema import orders

__all__ = ["OrderFilter", "count_orders", "order_page"]


class OrderFilter(Struct, frozen=True, kw_only=True):
    """Which orders a page shows. Without `changed_after` they are sorted by name, else by their last change."""

    status: tuple[OrderStatus, ...] = ()
    """Empty: any."""
    text: str | None = None
    """Stands somewhere in the order's id, in any case."""
    site: str | None = None
    """Orders of this site, and those for all sites."""
    changed_after: int | None = None
    """Orders whose `changed` is higher."""
    after: str | int | None = None
    """The name or `changed` of the last order of the page before."""

    @property
    def by_change(self) -> bool:
        return self.changed_after is not None


_COLUMNS = [orders.c[name] for name in OrderRow.__struct_fields__]


def _conditions(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status:
        found.append(orders.c.status.in_(wanted.status))
    if wanted.text:
        found.append(func.lower(orders.c.name).contains(wanted.text.lower(), autoescape=True))
    if wanted.site is not None:
        found.append(or_(orders.c.site == wanted.site, orders.c.site.is_(None)))
    if wanted.changed_after is not None:
        found.append(orders.c.changed > wanted.changed_after)
    return found


def order_page(connection: Connection, wanted: OrderFilter, limit: int) -> list[OrderRow]:
    """Return at most `limit` orders."""
    key: Any = orders.c.changed if wanted.by_change else orders.c.name
    statement = select(*_COLUMNS).where(*_conditions(wanted)).order_by(key).limit(limit)
    if wanted.after is not None:
        statement = statement.where(key > wanted.after)
    return [OrderRow(**row._mapping) for row in connection.execute(statement)]


def count_orders(connection: Connection, wanted: OrderFilter) -> int:
    """Return how many orders all pages have together."""
    statement = select(func.count()).select_from(orders).where(*_conditions(wanted))
    return connection.execute(statement).scalar_one()
