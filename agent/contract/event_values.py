"""What events are made of: their base class, and the values in their fields.

Events of our own are read strictly: an unknown field or value means that a newer version wrote it, and is an error.
"""

from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct

from agent.contract.identifiers import Scheme

__all__ = [
    "AwaitedRole",
    "Cause",
    "Content",
    "Event",
    "Kind",
    "LineCount",
    "Outcome",
    "Reopened",
    "Size",
    "Unit",
    "What",
]


AwaitedRole: TypeAlias = Literal["picking", "packing", "shipping", "all"]
"""The role whose badge is awaited; `all` for the three roles."""


class Cause(StrEnum):
    """Why an operator is signed in or out."""

    BADGE = "badge"
    COMMAND = "command"
    IDLE = "idle"
    TAKEOVER = "takeover"
    DELISTED = "delisted"


class Kind(StrEnum):
    """What a station counts (`workflow.md#choose-a-kind`)."""

    SERIAL = "serial"
    SKU = "sku"
    AUTO = "auto"


class What(StrEnum):
    """The pending step or selection that `scan.selected` is about."""

    PRODUCT = "product"
    QUANTITY = "quantity"
    REMOVE = "remove"
    NONE = "none"


class Outcome(StrEnum):
    """How a hold ended (`workflow.md#end-of-a-hold`)."""

    UNIT_REMOVED = "unit_removed"
    RELEASED = "released"
    NOT_HERE = "not_here"
    ALREADY_PACKED = "already_packed"


class Reopened(StrEnum):
    """The state that a station is in after a box was reopened."""

    BOXING = "boxing"
    SCANNING = "scanning"


class Unit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device (`mqtt.md#published-units`)."""

    scheme: Scheme
    """What kind of identifier `id` is."""
    id: str
    """The published identifier: the first one that the manifest lists, or the one that was read."""
    aliases: tuple[str, ...] = ()
    """The device's other identifiers."""


class Content(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a box holds of one line."""

    line: str
    sku: str
    quantity: int
    """Pieces."""
    units: tuple[str, ...]
    """The published ids; empty where the line is not serialized."""


class LineCount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of an order: how many pieces it orders, and how many are counted."""

    line: str
    ordered: int
    """0 for a line that the manifest no longer has."""
    scanned: int


class Size(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box size, as the catalogue had it when the box was confirmed."""

    code: str
    length_mm: int
    width_mm: int
    height_mm: int


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all events.

    `type` is the middle of the published type, `kiosk.{type}.v1`. The fields named in `private` are not published:
    the journal keeps them outside the document.
    """

    type: ClassVar[str]
    private: ClassVar[tuple[str, ...]] = ()

    station: str | None = None
    """The station where it happened; published as an attribute of the document, not in its data."""
    by: str | None = None
    """The operator signed in there; published as the attribute `operator`."""
