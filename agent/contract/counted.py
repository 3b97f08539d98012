"""What other kiosks have packed for an order, as the centre tells it (`mqtt.md#counted-parts`)."""

from msgspec import Struct

__all__ = ["CountedBox", "CountedContent", "CountedPart"]


class CountedContent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a box holds of one line."""

    line: str
    quantity: int
    """Pieces."""
    units: tuple[str, ...] = ()
    """The published ids; empty where the line is not serialized."""


class CountedBox(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One confirmed box."""

    box: str
    """The box's id."""
    kiosk: str
    """The kiosk that packed it."""
    contents: tuple[CountedContent, ...]


class CountedPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One revision of a part. The union of an order's parts is what is counted elsewhere."""

    order: str
    part: str
    revision: int
    boxes: tuple[CountedBox, ...]
