"""The events: every fact that the kiosk records, as frozen types.

An event's fields are the `data` of its published document (SPEC 5.1), but for three kinds of field: `station` and `by`
(the signed-in operator) belong to the envelope, and the fields named in `private` are kept in the journal beside the
document, never published: what the fold needs and the centre already has. `agent.contract.cloudevents` writes and reads
them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from agent.contract.manifest import Flow, Role, Status
from agent.contract.reasons import Reason, Seen

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


class Unit(Struct, frozen=True, kw_only=True):
    """One device: `scheme` is `imei`, `meid` or `serial`; `id` the published identifier, `aliases` the others."""

    scheme: str
    id: str
    aliases: tuple[str, ...] = ()


class Content(Struct, frozen=True, kw_only=True):
    """What a box holds of one line; `units` are published ids, empty for what is not serialized."""

    line: str
    sku: str
    quantity: int
    units: tuple[str, ...]


class LineCount(Struct, frozen=True, kw_only=True):
    line: str
    ordered: int
    scanned: int


class Size(Struct, frozen=True, kw_only=True):
    code: str
    length_mm: int
    width_mm: int
    height_mm: int


class Event(Struct, frozen=True, kw_only=True):
    """Base of all events; `type` is the middle of the published type, `kiosk.{type}.v1`."""

    type: ClassVar[str]
    private: ClassVar[tuple[str, ...]] = ()

    station: str | None = None
    by: str | None = None


class SignedIn(Event, frozen=True, kw_only=True):
    type = "operator.signed_in"
    operator: str
    cause: Cause


class SignedOut(Event, frozen=True, kw_only=True):
    type = "operator.signed_out"
    operator: str
    cause: Cause


class OrderOpened(Event, frozen=True, kw_only=True):
    """`manifest` is the manifest's JSON text, so that the order survives the loss of the cache."""

    type = "order.opened"
    private = ("manifest",)
    order: str
    revision: int
    mode: Flow | None
    manifest: str | None = None


class OrderLeft(Event, frozen=True, kw_only=True):
    type = "order.left"
    order: str
    revision: int
    mode: Flow | None


class RoleAsked(Event, frozen=True, kw_only=True):
    """`role` is `picking`, `packing`, `shipping` or `all`; none when the pending role was dropped."""

    type = "order.role_asked"
    order: str
    role: str | None


class RoleAssigned(Event, frozen=True, kw_only=True):
    type = "order.assigned"
    order: str
    role: Role
    operator: str


class ModeChosen(Event, frozen=True, kw_only=True):
    type = "order.mode_chosen"
    order: str
    mode: Flow


class KindChosen(Event, frozen=True, kw_only=True):
    type = "order.kind_chosen"
    order: str
    kind: Kind


class PackingStarted(Event, frozen=True, kw_only=True):
    type = "order.packing_started"
    order: str


class PackingLeft(Event, frozen=True, kw_only=True):
    type = "order.packing_left"
    order: str


class PackingRefused(Event, frozen=True, kw_only=True):
    type = "order.packing_refused"
    order: str
    reason: Reason
    lines: tuple[LineCount, ...]


class PackingConfirmed(Event, frozen=True, kw_only=True):
    type = "order.packing_confirmed"
    order: str
    revision: int
    lines: tuple[LineCount, ...]
    boxes: tuple[str, ...]
    operators: Mapping[str, str | None]


class OrderRevised(Event, frozen=True, kw_only=True):
    type = "order.revised"
    private = ("manifest",)
    order: str
    revision: int
    status: Status
    misfits: tuple[LineCount, ...]
    manifest: str | None = None


class Held(Event, frozen=True, kw_only=True):
    """A verdict's hold, taken; `revision` is the verdict's."""

    type = "order.held"
    private = ("revision",)
    verdict: str
    order: str
    unit: str
    reason: str | None
    outcome: None = None
    revision: int = 0


class Released(Event, frozen=True, kw_only=True):
    """The end of a hold. `revision` is the verdict's where one was taken, else 0."""

    type = "order.released"
    private = ("revision",)
    verdict: str
    order: str
    unit: str
    reason: str | None
    outcome: Outcome
    revision: int = 0


class Selected(Event, frozen=True, kw_only=True):
    type = "scan.selected"
    order: str
    what: What
    value: str | None


class Accepted(Event, frozen=True, kw_only=True):
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


class Rejected(Event, frozen=True, kw_only=True):
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


class Voided(Event, frozen=True, kw_only=True):
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


class BoxCreated(Event, frozen=True, kw_only=True):
    type = "box.created"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]


class BoxReopened(Event, frozen=True, kw_only=True):
    type = "box.reopened"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]
    state: Reopened


class BoxVoided(Event, frozen=True, kw_only=True):
    type = "box.voided"
    box: str
    order: str
    mode: Flow
    contents: tuple[Content, ...]


class BoxSized(Event, frozen=True, kw_only=True):
    """`size` is a code of the catalogue, `label` as it was scanned; what is not set is none."""

    type = "box.sized"
    box: str
    order: str
    size: str | None
    label: str | None


class BoxConfirmed(Event, frozen=True, kw_only=True):
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
