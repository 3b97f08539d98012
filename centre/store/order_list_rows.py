"""Orders as a list for people: the latest changed first, with the counts that a list shows."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from centre.store.schema import box, orders, piece
from centre.store.statements import chunks

__all__ = ["ListedOrder", "OrderCounts", "counts_of_orders", "list_orders"]


class ListedOrder(NamedTuple):
    """One order of the list."""

    name: str
    site: str | None
    status: str
    manifest: str | None
    changed: int
    changed_at: str


class OrderCounts(NamedTuple):
    """What is counted of an order."""

    scanned: int
    boxes: int


def list_orders(
    connection: Connection, *, statuses: Collection[str], text: str, before: int | None, limit: int
) -> list[ListedOrder]:
    """Return orders, the latest changed first.

    `statuses`: any of these; empty: all. `text`: what the order id contains, in any case. `before`: only orders whose
    `changed` is lower.
    """
    columns = (orders.c.name, orders.c.site, orders.c.status, orders.c.manifest, orders.c.changed, orders.c.changed_at)
    statement = select(*columns).order_by(orders.c.changed.desc()).limit(limit)
    if statuses:
        statement = statement.where(orders.c.status.in_(statuses))
    if text:
        statement = statement.where(or_(orders.c.name == text, orders.c.name.icontains(text, autoescape=True)))
    if before is not None:
        statement = statement.where(orders.c.changed < before)
    return [ListedOrder(*row) for row in connection.execute(statement)]


def counts_of_orders(connection: Connection, names: Sequence[str]) -> dict[str, OrderCounts]:
    """Return the counts of these orders; those without a box are left out."""
    found: dict[str, OrderCounts] = {}
    for some in chunks(names):
        pieces = (
            select(piece.c.order_name, func.sum(piece.c.quantity))
            .where(piece.c.order_name.in_(some))
            .group_by(piece.c.order_name)
        )
        scanned = {row[0]: int(row[1]) for row in connection.execute(pieces)}
        boxes = (
            select(box.c.order_name, func.count())
            .where(box.c.order_name.in_(some), box.c.state != "voided")
            .group_by(box.c.order_name)
        )
        for name, count in connection.execute(boxes):
            found[name] = OrderCounts(scanned.get(name, 0), count)
    return found
