"""The manifest of an order as kiosks get it: what its source gave, under the centre's revision and status. Pure.

The stored manifest keeps the revision and status that its source gave, so that the same document given once more is
recognised even after the centre itself has raised the revision, to close or to reopen the order.
"""

from typing import Any

import msgspec

from centre.orders.manifest_check import Document, compact
from centre.store.order_rows import OrderRow

__all__ = ["manifest_in_force", "manifest_payload", "stored_document"]

_TOMBSTONE_FIELDS = ("barcodes", "reopen")
"""What a tombstone keeps: a kiosk that did not know the order says `order_closed` when one of its barcodes is read."""


def stored_document(row: OrderRow) -> dict[str, Any]:
    """Return the manifest as its source gave it; empty if the centre has none."""
    return {} if row.manifest is None else msgspec.json.decode(row.manifest)


def manifest_in_force(row: OrderRow) -> Document | None:
    """Return the whole manifest with the revision and status in force; None if the centre has none."""
    if row.manifest is None or row.revision is None:
        return None
    status = row.status if row.status in ("packed", "cancelled") else "open"
    return {**stored_document(row), "order": row.name, "revision": row.revision, "status": status}


def manifest_payload(row: OrderRow) -> bytes:
    """Return what is retained on the order's topic; empty for an order that is withdrawn.

    A packed or cancelled order becomes a tombstone (`mqtt.md#tombstones`).
    """
    if row.status == "withdrawn" or row.cleared_at is not None:
        return b""
    document = manifest_in_force(row)
    if document is None:
        return b""
    if row.is_closed:
        kept = {name: document[name] for name in _TOMBSTONE_FIELDS if name in document}
        return compact({"order": row.name, "revision": row.revision, "status": row.status, **kept})
    return compact(document)
