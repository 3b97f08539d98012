"""The events: every fact that the kiosk records, as frozen types.

An event's fields are the `data` of its published document (SPEC 5.1), but for three kinds of field: `station` and `by`
(the signed-in operator) belong to the envelope, and the fields named in `private` are kept in the journal beside the
document, never published: what the fold needs and the centre already has. `agent.cloudevents` writes and reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from agent.reasons import Reason, Seen
from agent.reference.manifest import Flow, Role, Status

__all__ = [
    "EVENTS",
    "Accepted",
    "BoxConfirmed",
    "BoxCreated",
    "BoxReopened",
    "BoxSized",
    "BoxVoided",
    "Cause",
    "Content",
    "Event",
    "Held",
    "Kind",
    "KindChosen",
    "LineCount",
    "ModeChosen",
    "OrderLeft",
    "OrderOpened",
    "OrderRevised",
    "Outcome",
    "PackingConfirmed",
    "PackingLeft",
    "PackingRefused",
    "PackingStarted",
    "Rejected",
    "Released",
    "Reopened",
    "RoleAsked",
    "RoleAssigned",
    "Selected",
    "SignedIn",
    "SignedOut",
    "Size",
    "Unit",
    "Voided",
    "What",
]


class Cause(StrEnum):
    BADGE = "badge"
    COMMAND = "command"
    IDLE = "idle"
    TAKEOVER = "takeover"
    DELISTED = "delisted"


class Kind(StrEnum):
    SERIAL = "serial"
    SKU = "sku"
    AUTO = "auto"


class What(StrEnum):
    PRODUCT = "product"
    QUANTITY = "quantity"
    REMOVE = "remove"
    NONE = "none"


class Outcome(StrEnum):
    UNIT_REMOVED = "unit_removed"
    RELEASED = "released"
    NOT_HERE = "not_here"
    ALREADY_PACKED = "already_packed"


class Reopened(StrEnum):
    BOXING = "boxing"
    SCANNING = "scanning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One device: `scheme` is `imei`, `meid` or `serial`; `id` the published identifier, `aliases` the others."""

    scheme: str
    id: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a box holds of one line; `units` are published ids, empty for what is not serialized."""

    line: str
    sku: str
    quantity: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    line: str
    ordered: int
    scanned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    code: str
    length_mm: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events; `type` is the middle of the published type, `kiosk.{type}.v1`."""

    type: ClassVar[str]
    private: ClassVar[tuple[str, ...]] = ()

    station: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    type = "operator.signed_in"
    operator: str
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    type = "operator.signed_out"
    operator: str
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOpened(Event):
    """`manifest` is the manifest's JSON text, so that the order survives the loss of the cache."""

    type = "order.opened"
    private = ("manifest",)
    order: str
    revision: int
    mode: Flow | None
    manifest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLeft(Event):
    type = "order.left"
    order: str
    revision: int
    mode: Flow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAsked(Event):
    """`role` is `picking`, `packing`, `shipping` or `all`; none when the pending role was dropped."""

    type = "order.role_asked"
    order: str
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssigned(Event):
    type = "order.assigned"
    order: str
    role: Role
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChosen(Event):
    type = "order.mode_chosen"
    order: str
    mode: Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class KindChosen(Event):
    type = "order.kind_chosen"
    order: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingStarted(Event):
    type = "order.packing_started"
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingLeft(Event):
    type = "order.packing_left"
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingRefused(Event):
    type = "order.packing_refused"
    order: str
    reason: Reason
    lines: tuple[LineCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingConfirmed(Event):
    type = "order.packing_confirmed"
    order: str
    revision: int
    lines: tuple[LineCount, ...]
    boxes: tuple[str, ...]
    operators: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRevised(Event):
    type = "order.revised"
    private = ("manifest",)
    order: str
    revision: int
    status: Status
    misfits: tuple[LineCount, ...]
    manifest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Event):
    """A verdict's hold, taken; `revision` is the verdict's."""

    type = "order.held"
    private = ("revision",)
    verdict: str
    order: str
    unit: str
    reason: str | None
    outcome: None = None
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Event):
    """The end of a hold. `revision` is the verdict's where one was taken, else 0."""

    type = "order.released"
    private = ("revision",)
    verdict: str
    order: str
    unit: str
    reason: str | None
    outcome: Outcome
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected(Event):
    type = "scan.selected"
    order: str
    what: What
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """Counts are those after this event; the order's are of all its lines."""

    type = "scan.accepted"
    order: str
    line: str
    sku: str
    mode: Flow
    unit: Unit | None
    quantity: int
    box: str
    scanner: str | None
    symbology: str | None
    line_scanned: int
    line_pending: int
    order_scanned: int
    order_pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Event):
    """`clears` names the pending steps that this refusal used up: `quantity`, `remove`."""

    type = "scan.rejected"
    private = ("clears",)
    reason: Reason
    code: str
    seen: Seen | None
    symbology: str | None
    scanner: str | None
    order: str | None
    count: int = 1
    clears: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(Event):
    """`sequence` is that of the accepted event; `quantity` what is taken out; counts are those after."""

    type = "scan.voided"
    sequence: str
    order: str
    line: str
    sku: str
    mode: Flow
    unit: Unit | None
    quantity: int
    box: str
    scanner: str | None
    symbology: str | None
    line_scanned: int
    line_pending: int
    order_scanned: int
    order_pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxCreated(Event):
    type = "box.created"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxReopened(Event):
    type = "box.reopened"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]
    state: Reopened


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxVoided(Event):
    type = "box.voided"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSized(Event):
    """`size` is a code of the catalogue, `label` as it was scanned; what is not set is none."""

    type = "box.sized"
    box: str
    order: str
    size: str | None
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxConfirmed(Event):
    type = "box.confirmed"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]
    size: Size | None
    label: str | None


EVENTS: dict[str, type[Event]] = {
    cls.type: cls
    for cls in (
        SignedIn, SignedOut, OrderOpened, OrderLeft, RoleAsked, RoleAssigned, ModeChosen, KindChosen,
        PackingStarted, PackingLeft, PackingRefused, PackingConfirmed, OrderRevised, Held, Released,
        Selected, Accepted, Rejected, Voided, BoxCreated, BoxReopened, BoxVoided, BoxSized, BoxConfirmed,
    )
}  # fmt: skip
