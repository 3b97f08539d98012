"""The index of all orders that the centre has: one message, or 16 parts (`mqtt.md#order-index`)."""

import hashlib
from collections.abc import Mapping

from msgspec import Struct

__all__ = ["PARTS", "OrderIndex", "part_of"]

PARTS = "0123456789abcdef"
"""The names of the parts."""


def part_of(order: str) -> str:
    """Return the part that an order is in: the first hex digit of the SHA-256 of its id in UTF-8."""
    return hashlib.sha256(order.encode("utf-8", "surrogatepass")).hexdigest()[0]


class OrderIndex(Struct, frozen=True, kw_only=True):
    """One revision of the index, or of one part of it."""

    part: str | None = None
    """One of `PARTS`; None for the index in one message."""
    revision: int
    orders: Mapping[str, int]
    """The revision of each order's manifest, by order id."""
    source: str
    """Compact JSON text that parses to an equal index."""
