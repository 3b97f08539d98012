"""What the centre says exists: the index of orders, and the identifiers that may not ship."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["BlockedPart", "OrderIndex"]


class OrderIndex(Struct, frozen=True, kw_only=True):
    """Every order that the centre has, with the revision of its manifest.

    `source` is the compact JSON text that parses to an equal index.
    """

    revision: int
    orders: Mapping[str, int]
    source: str


class BlockedPart(Struct, frozen=True, kw_only=True):
    """One part of the list of blocked units. `identifiers` are in comparable form (`manifest.same_case`).

    `source` is the compact JSON text that parses to an equal part.
    """

    part: str
    revision: int
    identifiers: frozenset[str]
    source: str
