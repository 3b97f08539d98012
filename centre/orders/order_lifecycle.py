"""What a person or the order management system asks of an order as a whole: cancel, withdraw, reopen it.

Each function changes the order, renews its messages and writes the audit in the caller's transaction, and returns the
order's row. `now` is moment text. An order that is already as asked for stays as it is. An order whose manifest
another system writes becomes the centre's own: the request says more than that system does.
"""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from agent.contract.schemas import MAX_REVISION
from centre.centre_errors import Refused
from centre.orders.manifest_check import compact
from centre.orders.published_manifest import stored_document
from centre.orders.renewal import renew_messages
from centre.store.audit_rows import add_audit
from centre.store.order_event_rows import seen_revisions
from centre.store.order_rows import OrderRow, load_orders, lock_orders, save_orders, with_change

__all__ = ["OrderNotKnown", "OrderNotReopened", "cancel", "reopen", "withdraw"]


class OrderNotKnown(Refused):
    """The centre has no such order."""

    def __init__(self, order: str) -> None:
        super().__init__(f"there is no order {order!a}")
        self.order = order


class OrderNotReopened(Refused):
    """The order cannot be worked on, because its lines are not known."""

    def __init__(self, order: str) -> None:
        super().__init__(f"order {order!a} cannot be reopened: its lines are not known. Put its manifest first.")
        self.order = order


def cancel(connection: Connection, order: str, *, actor: str, now: str) -> OrderRow:
    """Close the order at every kiosk. Raises OrderNotKnown."""
    row, changed = _locked(connection, order)
    if row.status == "cancelled":
        return row
    document = stored_document(row) or {"order": order}
    new = replace(
        row,
        source="centre",
        revision=_next_revision(connection, row),
        manifest=compact(document).decode(),
        status="cancelled",
        cleared_at=None,
    )
    return _saved(connection, with_change(new, changed, now), "order.cancel", actor, now)


def withdraw(connection: Connection, order: str, *, actor: str, now: str) -> OrderRow:
    """Take the order from every kiosk, as if it had never been sent. Raises OrderNotKnown.

    The empty message has no revision. The revision rises all the same, so that the next manifest is newer for a kiosk
    that does not hear of the withdrawal.
    """
    row, changed = _locked(connection, order)
    if row.status == "withdrawn":
        return row
    new = replace(row, source="centre", status="withdrawn", revision=_next_revision(connection, row))
    return _saved(connection, with_change(new, changed, now), "order.withdraw", actor, now)


def reopen(connection: Connection, order: str, *, actor: str, now: str) -> OrderRow:
    """Let kiosks work on a closed order again (`workflow.md#packed-orders-stay-closed`).

    Every packing that was confirmed before is undone. Raises OrderNotKnown or OrderNotReopened.
    """
    row, changed = _locked(connection, order)
    if not row.is_closed:
        return row
    document: dict[str, Any] = stored_document(row)
    if not document.get("lines"):
        raise OrderNotReopened(order)
    revision = _next_revision(connection, row)
    new = replace(
        row,
        source="centre",
        revision=revision,
        manifest=compact({**document, "reopen": revision}).decode(),
        status="open" if row.opened_at is None else "in_progress",
        packed_at=None,
        cleared_at=None,
    )
    return _saved(connection, with_change(new, changed, now), "order.reopen", actor, now)


def _locked(connection: Connection, order: str) -> tuple[OrderRow, int]:
    """Return the order's row and the number of its next change. Raises OrderNotKnown."""
    (changed,) = lock_orders(connection)
    row = load_orders(connection, [order]).get(order)
    if row is None:
        raise OrderNotKnown(order)
    return row, changed


def _next_revision(connection: Connection, row: OrderRow) -> int:
    present = row.revision
    if present is None:
        present = seen_revisions(connection, [row.name]).get(row.name, 0)
    if present >= MAX_REVISION:
        raise Refused(f"order {row.name!a} has the highest revision there is: withdraw it, and put it again")
    return present + 1


def _saved(connection: Connection, row: OrderRow, action: str, actor: str, now: str) -> OrderRow:
    save_orders(connection, [row])
    renew_messages(connection, [row.name], now)
    add_audit(connection, now, actor, action, row.name, {"revision": row.revision, "status": row.status})
    return load_orders(connection, [row.name])[row.name]
