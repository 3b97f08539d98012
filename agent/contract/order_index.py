"""The index of all orders that the centre has (`mqtt.md#order-index`)."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["OrderIndex"]


class OrderIndex(Struct, frozen=True, kw_only=True):
    """One revision of the index."""

    revision: int
    orders: Mapping[str, int]
    """The revision of each order's manifest, by order id."""
    source: str
    """Compact JSON text that parses to an equal index."""
