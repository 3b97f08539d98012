"""The retained view of a station, `station/{station}` (`mqtt.md#station-view`)."""

from enum import StrEnum

from msgspec import Struct

from agent.contract.manifest import Flow
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.contract.values import UtcText

__all__ = ["BoxView", "LastSignal", "Phase", "StationView"]


class Phase(StrEnum):
    """The state of a station in the workflow (`workflow.md#state-table`). It is kept while nobody is signed in."""

    READY = "ready"
    ASSIGNING = "assigning"
    SCANNING = "scanning"
    BOXING = "boxing"
    PACKING = "packing"


class BoxView(Struct, frozen=True, kw_only=True):
    """The open box of a station's order."""

    id: str
    units: int
    """Pieces in the box, serialized and not."""
    size: str | None
    """The code of its size, once chosen."""
    label: str | None
    """Its label as scanned."""


class LastSignal(Struct, frozen=True, kw_only=True):
    """The newest signal that a scan got."""

    signal: Signal
    reason: Reason | None
    """Why the scan was refused; null for a success and for `fault`."""


class StationView(Struct, frozen=True, kw_only=True):
    """What one station is doing. Every field is written, `null` where there is nothing."""

    state: Phase
    signed_in: bool
    operator: str | None
    """The id of the signed-in operator."""
    order: str | None
    """The open order."""
    mode: Flow | None
    product: str | None
    """The SKU of the selected product."""
    scanned: int | None
    """Pieces of the open order counted so far, in all modes and boxes; null without an order."""
    pending: int | None
    """Pieces of the open order still to count; negative after a revision that ordered fewer."""
    box: BoxView | None
    last: LastSignal | None
    """Null until the first scan after a start."""
    held: bool
    """Whether a verdict holds the open order (`workflow.md#held-orders`)."""
    time: UtcText
    """When the view was made."""
    connection: int
    """The number of the connection that published it (`mqtt.md#connection-number`)."""
