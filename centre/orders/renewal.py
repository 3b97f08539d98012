"""Renewing what brokers should retain about orders, in the transaction that changed them."""

from collections.abc import Collection

from sqlalchemy import Connection

from centre.orders.order_plan import plan_order
from centre.store.box_rows import BoxRow, boxes_of_orders
from centre.store.message_rows import messages_of_orders, save_messages
from centre.store.order_rows import load_orders, save_orders
from centre.store.site_rows import all_sites

__all__ = ["renew_messages"]


def renew_messages(connection: Connection, orders: Collection[str], now: str) -> None:
    """Write the messages about these orders that their rows, boxes and pieces now call for.

    Call it, under `lock_orders`, after everything else of the transaction is written: for orders whose manifest,
    status or site has changed, and for those of which a box was confirmed, reopened or voided. It raises an order's
    revision where a tombstone has to go out. The order index follows by itself, see `centre.orders.index_renewal`.
    """
    sites = all_sites(connection)
    rows = load_orders(connection, orders)
    retained = messages_of_orders(connection, list(rows))
    boxes: dict[str, list[BoxRow]] = {name: [] for name in rows}
    for box in boxes_of_orders(connection, [name for name, row in rows.items() if not row.is_closed]):
        boxes[box.order_name].append(box)
    raised, messages = [], []
    for name, row in rows.items():
        plan = plan_order(row, retained[name], boxes[name], sites=sites, now=now)
        messages += plan.messages
        if plan.row is not row:
            raised.append(plan.row)
    save_orders(connection, raised)
    save_messages(connection, messages)
