"""Clearing what brokers retain of orders that were closed long ago: tombstones, counted parts."""

from msgspec.structs import replace
from sqlalchemy import Connection

from centre.orders.renewal import renew_messages
from centre.store.message_rows import due_messages, save_messages
from centre.store.order_rows import load_orders, lock_orders, save_orders, with_change

__all__ = ["clear_tombstones"]

STEP = 200
"""Messages in one transaction."""


def clear_tombstones(connection: Connection, now: str) -> int:
    """Clear some of the messages whose time has come; return how many. Call it again until it returns 0."""
    numbers = lock_orders(connection, STEP)
    due = due_messages(connection, now, STEP)
    rows = load_orders(connection, list({message.order_name for message in due if message.order_name is not None}))
    ended = [row for row in rows.values() if row.is_closed and row.cleared_at is None]
    save_messages(connection, [replace(message, payload=b"", clear_at=None) for message in due])
    save_orders(
        connection,
        [with_change(replace(row, cleared_at=now), number, now) for row, number in zip(ended, numbers, strict=False)],
    )
    renew_messages(connection, [row.name for row in ended], now)
    return len(due)
