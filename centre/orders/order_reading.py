"""Reading orders for REST, webhooks, exports and the board: rows in, resources out."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from centre.orders.order_status import box_resource, order_resource
from centre.store.box_rows import BoxRow, boxes_named, boxes_of_orders
from centre.store.order_detail_rows import conflicts_of_orders, operators_of_orders, unfinished_orders
from centre.store.order_pages import OrderFilter, order_page
from centre.store.order_rows import OrderRow, load_orders

__all__ = ["OrderPage", "read_box", "read_order", "read_orders", "read_page"]


class OrderPage(Struct, frozen=True, kw_only=True):
    """Some orders of a longer list."""

    items: list[dict[str, Any]]
    next: str | int | None
    """Where the next page begins: a value for `OrderFilter.after`. None: there is no more, for now."""


def read_order(connection: Connection, order: str) -> dict[str, Any] | None:
    """Return the resource of an order; None if the centre does not know it."""
    rows = load_orders(connection, [order])
    return next(iter(read_orders(connection, list(rows.values()))), None)


def read_orders(connection: Connection, rows: Sequence[OrderRow]) -> list[dict[str, Any]]:
    """Return the resources of orders, in the order of the rows. One set of queries for all of them."""
    names = [row.name for row in rows]
    boxes: dict[str, list[BoxRow]] = {name: [] for name in names}
    for box in boxes_of_orders(connection, names):
        boxes[box.order_name].append(box)
    operators = operators_of_orders(connection, names)
    conflicts = conflicts_of_orders(connection, names)
    unfinished = unfinished_orders(connection, names)
    return [
        order_resource(
            row, boxes[row.name], operators[row.name], conflicts[row.name], is_incomplete=row.name in unfinished
        )
        for row in rows
    ]


def read_page(connection: Connection, wanted: OrderFilter, limit: int) -> OrderPage:
    """Return a page of orders."""
    rows = order_page(connection, wanted, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    end = (rows[-1].changed if wanted.by_change else rows[-1].name) if more else None
    return OrderPage(items=read_orders(connection, rows), next=end)


def read_box(connection: Connection, box: str) -> dict[str, Any] | None:
    """Return the resource of a box, with its order; None if the centre does not know it.

    If branches of a journal have the same box, it is the newest one.
    """
    found = boxes_named(connection, box)
    if not found:
        return None
    return {"order": found[-1].order_name, "voided_by": found[-1].voided_by, **box_resource(found[-1])}
