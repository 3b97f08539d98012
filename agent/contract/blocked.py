"""One part of the list of units that may not ship."""

from msgspec import Struct

__all__ = ["BlockedPart"]


class BlockedPart(Struct, frozen=True, kw_only=True):
    """One part of the list of blocked units. `identifiers` are in comparable form (`manifest.same_case`).

    `source` is the compact JSON text that parses to an equal part.
    """

    part: str
    revision: int
    identifiers: frozenset[str]
    source: str
