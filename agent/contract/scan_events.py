"""What happens to units, products and boxes: the events published on `event/scan` and `event/box`."""

from typing import Literal

from agent.contract.event_values import Content, Event, Reopened, Size, Unit, What
from agent.contract.manifest import Flow
from agent.contract.reasons import Reason, Seen
from agent.contract.values import SequenceText

__all__ = [
    "Accepted",
    "BoxConfirmed",
    "BoxCreated",
    "BoxReopened",
    "BoxSized",
    "BoxVoided",
    "Rejected",
    "Selected",
    "Voided",
]


class Selected(Event, frozen=True, kw_only=True):
    """A product was selected, or a step is pending: QTY or REMOVE."""

    type = "scan.selected"
    order: str
    what: What
    """`none`: the product was put down, or the pending step ended."""
    value: str | None
    """The SKU or the quantity."""


class Accepted(Event, frozen=True, kw_only=True):
    """A unit or a number of pieces was counted (`workflow.md#scan-a-unit`, `workflow.md#scan-a-product`)."""

    type = "scan.accepted"
    order: str
    line: str
    sku: str
    mode: Flow
    unit: Unit | None
    """Null where pieces are counted, not devices."""
    quantity: int
    """Pieces: 1 for a unit."""
    box: str
    scanner: str | None
    symbology: str | None
    """The AIM identifier without its `]`, if the scanner sends one: `C0`."""
    line_scanned: int
    """Pieces counted on the line after this event."""
    line_pending: int
    order_scanned: int
    """Pieces counted on all lines of the order after this event."""
    order_pending: int


class Rejected(Event, frozen=True, kw_only=True):
    """A scan was refused (`workflow.md#one-reason-per-refusal`)."""

    type = "scan.rejected"
    private = ("clears",)
    reason: Reason
    code: str
    """What was scanned, control characters escaped; at most 128 characters."""
    seen: Seen | None
    """What it was, if it was recognised and not wanted."""
    symbology: str | None
    scanner: str | None
    order: str | None
    count: int = 1
    """How many refusals this stands for (`mqtt.md#counted-refusals`)."""
    clears: tuple[Literal["quantity", "remove"], ...] = ()
    """The pending steps that this refusal used up: `quantity`, `remove`."""


class Voided(Event, frozen=True, kw_only=True):
    """Pieces were taken out of the count (`workflow.md#nothing-is-erased`)."""

    type = "scan.voided"
    sequence: SequenceText
    """That of the `scan.accepted` event."""
    order: str
    line: str
    sku: str
    mode: Flow
    unit: Unit | None
    quantity: int
    """Pieces taken out, which may be fewer than the event had counted."""
    box: str
    scanner: str | None
    symbology: str | None
    line_scanned: int
    """Pieces counted on the line after this event."""
    line_pending: int
    order_scanned: int
    """Pieces counted on all lines of the order after this event."""
    order_pending: int


class _BoxEvent(Event, frozen=True, kw_only=True):
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]


class BoxCreated(_BoxEvent, frozen=True, kw_only=True):
    """SAVE created the box (`workflow.md#create-a-box`)."""

    type = "box.created"


class BoxReopened(_BoxEvent, frozen=True, kw_only=True):
    """A created or confirmed box takes scans, or waits for its size, again (`workflow.md#reopen-a-box`)."""

    type = "box.reopened"
    state: Reopened
    """`scanning` after CANCEL in `boxing`, and where REMOVE took something out of a confirmed box."""


class BoxVoided(_BoxEvent, frozen=True, kw_only=True):
    """The box is dissolved, its id never used again (`workflow.md#dissolve-an-empty-box`)."""

    type = "box.voided"


class BoxSized(Event, frozen=True, kw_only=True):
    """The box's size or label was set (`workflow.md#choose-a-box-size`, `workflow.md#label-a-box`)."""

    type = "box.sized"
    box: str
    order: str
    size: str | None
    """A code of the catalogue."""
    label: str | None
    """As it was scanned."""


class BoxConfirmed(_BoxEvent, frozen=True, kw_only=True):
    """The second SAVE confirmed the box (`workflow.md#confirm-a-box`)."""

    type = "box.confirmed"
    size: Size | None
    label: str | None
    """As it was scanned."""
