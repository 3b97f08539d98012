"""The index of all orders that the centre has."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["OrderIndex"]


class OrderIndex(Struct, frozen=True, kw_only=True):
    """Every order that the centre has, with the revision of its manifest.

    `source` is the compact JSON text that parses to an equal index.
    """

    revision: int
    orders: Mapping[str, int]
    source: str
