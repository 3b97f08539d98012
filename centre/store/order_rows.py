"""Orders: one row each, with the manifest in force."""

from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, select

from centre.store.counter_rows import advance
from centre.store.schema import orders
from centre.store.statements import chunks, replace_rows

__all__ = [
    "ORDERS_CHANGED",
    "OrderRow",
    "OrderSource",
    "OrderStatus",
    "load_orders",
    "lock_orders",
    "save_orders",
    "with_change",
]

OrderSource: TypeAlias = Literal["centre", "broker", "kiosk"]
"""Who writes the manifest: the centre, another system at the broker, or nobody: kiosks alone tell of the order."""

OrderStatus: TypeAlias = Literal["open", "in_progress", "packed", "cancelled", "withdrawn"]


ORDERS_CHANGED = "orders.changed"
"""The counter that `OrderRow.changed` comes from."""


class OrderRow(Struct, frozen=True, kw_only=True):
    """One order. The columns are described in `centre.store.schema`."""

    name: str
    site: str | None
    source: OrderSource
    revision: int | None
    manifest: str | None
    status: OrderStatus
    version: int
    changed: int
    changed_at: str
    opened_at: str | None = None
    packed_at: str | None = None
    cleared_at: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether no kiosk may work on it."""
        return self.status in ("packed", "cancelled", "withdrawn")


_COLUMNS = [orders.c[name] for name in OrderRow.__struct_fields__]


def lock_orders(connection: Connection, count: int = 1) -> range:
    """Return numbers for `OrderRow.changed`. Until the transaction ends, no other one changes orders.

    Call it before the rows are read that are to be changed: the counter's row is the lock, on PostgreSQL.
    """
    last = advance(connection, ORDERS_CHANGED, count)
    return range(last - count + 1, last + 1)


def load_orders(connection: Connection, names: Collection[str]) -> dict[str, OrderRow]:
    """Return the rows of these orders, by name."""
    found = {}
    for piece in chunks(list(names)):
        for row in connection.execute(select(*_COLUMNS).where(orders.c.name.in_(piece))):
            found[row.name] = OrderRow(**row._mapping)
    return found


def save_orders(connection: Connection, rows: Iterable[OrderRow]) -> None:
    """Insert or replace rows."""
    replace_rows(connection, orders, [asdict(row) for row in rows])


def with_change(row: OrderRow, changed: int, now: str) -> OrderRow:
    """Return the row with its next version."""
    return replace(row, version=row.version + 1, changed=changed, changed_at=now)
