"""One part of the list of units that may not ship (`mqtt.md#blocked-units`)."""

from msgspec import Struct

__all__ = ["BlockedPart"]


class BlockedPart(Struct, frozen=True, kw_only=True):
    """One part of the list of blocked units."""

    part: str
    revision: int
    identifiers: frozenset[str]
    """As `unit_key` gives them."""
    source: str
    """Compact JSON text that parses to an equal part."""
    flaws: tuple[str, ...] = ()
    """What no label can match in the message, a line each (`mqtt.md#data-that-no-label-can-match`)."""
