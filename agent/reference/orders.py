"""What the centre says exists: the index of orders, and the identifiers that may not ship."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BlockedPart", "OrderIndex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIndex:
    """Every order that the centre has, with the revision of its manifest.

    `source` is the compact JSON text that parses to an equal index.
    """

    revision: int
    orders: Mapping[str, int]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedPart:
    """One part of the list of blocked units. `identifiers` are in comparable form (`manifest.same_case`).

    `source` is the compact JSON text that parses to an equal part.
    """

    part: str
    revision: int
    identifiers: frozenset[str]
    source: str
