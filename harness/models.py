"""Every event of a kiosk as a strict model, written from the contract alone. Its other messages are in `views`.

Unknown fields and wrong types are errors, so that a change of the messages shows here first.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

__all__ = [
    "Accepted",
    "BoxConfirmed",
    "BoxEvent",
    "Content",
    "Event",
    "LineCount",
    "Rejected",
    "Unit",
    "Voided",
    "category",
    "event_of",
]

Id = Annotated[str, Field(min_length=1, max_length=64)]
Sequence = Annotated[str, Field(pattern=r"^\d{12}$")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Operator = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,32}$")]
Journal = Annotated[str, Field(min_length=8, max_length=8)]
Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Flow = Literal["used", "distribution", "pos"]
Role = Literal["picking", "packing", "shipping"]
Cause = Literal["badge", "command", "idle", "takeover", "delisted"]
Reason = Literal[
    "unreadable", "unknown_code", "wrong_barcode", "ambiguous", "bad_argument", "bad_check_digit", "not_signed_in",
    "badge_unknown", "badge_required", "order_required", "order_unknown", "order_closed", "order_in_use",
    "role_not_allowed", "operator_unassigned", "mode_required", "wrong_mode", "wrong_kind", "product_required",
    "wrong_product", "not_on_order", "already_counted", "counted_elsewhere", "held", "over_quantity", "box_full",
    "box_empty", "box_open", "box_not_confirmed", "size_required", "size_unknown", "label_used", "not_in_box",
    "quantity_mismatch", "not_assigned", "not_allowed",
]  # fmt: skip
Signal = Literal[
    "ok", "line_done", "order_done", "boxed", "saved", "confirmed", "prompt", "again", "removed", "reject", "fault",
    "alarm", "where",
]  # fmt: skip
Seen = Literal[
    "gtin",
    "iccid",
    "eid",
    "imeisv",
    "imei_without_check_digit",
    "meid",
    "sscc",
    "concatenated",
    "tracking",
    "badge",
    "command",
]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Unit(Strict):
    scheme: Literal["imei", "meid", "serial"]
    id: Id
    aliases: list[Id]


class Content(Strict):
    """What a box holds of one line: a unit for each piece, or no units if the line is not serialized."""

    line: Id
    sku: Id
    quantity: Positive
    units: list[Id]

    @model_validator(mode="after")
    def _pieces(self) -> "Content":
        if self.units and (len(self.units) != self.quantity or len(set(self.units)) != self.quantity):
            raise ValueError(f"{self.quantity} pieces, but units {self.units}")
        return self


class LineCount(Strict):
    line: Id
    ordered: Count
    scanned: Count


class Size(Strict):
    code: Operator
    length_mm: Positive
    width_mm: Positive
    height_mm: Positive


class Signed(Strict):
    operator: Operator
    cause: Cause


class Order(Strict):
    order: Id


class OrderMoved(Order):
    revision: Count
    mode: Flow | None = None


class RoleAsked(Order):
    role: Role | Literal["all"] | None = None


class RoleAssigned(Order):
    role: Role
    operator: Operator


class ModeChosen(Order):
    mode: Flow


class KindChosen(Order):
    kind: Literal["serial", "sku", "auto"]


class PackingRefused(Order):
    reason: Literal["quantity_mismatch"]
    lines: Annotated[list[LineCount], Field(min_length=1)]


class Assigned(Strict):
    picking: Operator | None = None
    packing: Operator | None = None
    shipping: Operator | None = None


class PackingConfirmed(Order):
    revision: Count
    lines: list[LineCount]
    boxes: Annotated[list[Id], Field(max_length=1000)]
    operators: Assigned


class CountedContent(Strict):
    line: Id
    quantity: int
    units: list[str]


class CountedBox(Strict):
    box: Id
    kiosk: Id
    contents: list[CountedContent]


class OrderCounted(Order):
    added: list[CountedBox]
    removed: list[str]


class OrderRevised(Order):
    revision: Count
    status: Literal["open", "packed", "cancelled", "withdrawn"]
    misfits: list[LineCount]


class VerdictTaken(Order):
    verdict: Id
    unit: Id | None
    reason: str | None = None
    outcome: None = None


class VerdictEnded(Order):
    verdict: Id
    unit: Id | None
    reason: str | None = None
    outcome: Literal["unit_removed", "released", "not_here", "already_packed"]


class Selected(Order):
    what: Literal["product", "quantity", "remove", "none"]
    value: str | None = None


class Accepted(Order):
    """Counts are those after the event; `unit` is null where the line is not serialized."""

    line: Id
    sku: Id
    mode: Flow
    unit: Unit | None = None
    quantity: Positive
    box: Id
    scanner: Name | None = None
    symbology: str | None = None
    line_scanned: Count
    line_pending: int
    order_scanned: Count
    order_pending: int

    @model_validator(mode="after")
    def _one_device(self) -> "Accepted":
        if self.unit is not None and self.quantity != 1:
            raise ValueError(f"{self.quantity} of one unit")
        return self


class Rejected(Strict):
    reason: Reason
    code: Annotated[str, Field(max_length=128)]
    seen: Seen | None = None
    symbology: str | None = None
    scanner: Name | None = None
    order: Id | None = None
    count: Positive

    @model_validator(mode="after")
    def _printable(self) -> "Rejected":
        if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in self.code):
            raise ValueError("control characters are not escaped")
        return self


class Voided(Accepted):
    sequence: Sequence


class Box(Order):
    box: Id
    mode: Flow
    contents: list[Content]


class BoxReopened(Box):
    state: Literal["boxing", "scanning"]


class BoxSized(Order):
    box: Id
    size: Operator | None = None
    label: str | None = None


class BoxConfirmed(Box):
    size: Size | None = None
    label: str | None = None


class Undeliverable(BaseModel):
    """The contract promises the reason; other fields are open."""

    model_config = ConfigDict(strict=True, frozen=True)
    reason: str


BoxEvent = Box | BoxReopened | BoxSized | BoxConfirmed

_DATA: dict[str, type[BaseModel]] = {
    "operator.signed_in": Signed,
    "operator.signed_out": Signed,
    "order.opened": OrderMoved,
    "order.left": OrderMoved,
    "order.role_asked": RoleAsked,
    "order.assigned": RoleAssigned,
    "order.mode_chosen": ModeChosen,
    "order.kind_chosen": KindChosen,
    "order.packing_started": Order,
    "order.packing_left": Order,
    "order.packing_refused": PackingRefused,
    "order.packing_confirmed": PackingConfirmed,
    "order.revised": OrderRevised,
    "order.counted": OrderCounted,
    "order.held": VerdictTaken,
    "order.released": VerdictEnded,
    "scan.selected": Selected,
    "scan.accepted": Accepted,
    "scan.rejected": Rejected,
    "scan.voided": Voided,
    "box.created": Box,
    "box.reopened": BoxReopened,
    "box.voided": Box,
    "box.sized": BoxSized,
    "box.confirmed": BoxConfirmed,
    "event.undeliverable": Undeliverable,
}


class Event(Strict):
    """The CloudEvents 1.0 envelope. `data` is the model of the event's type."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(pattern=r"^.{8}-\d{12}-[0-9a-f]{8}$")]
    source: Annotated[str, Field(pattern=r"^/kiosk/[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}$")]
    type: Annotated[str, Field(pattern=r"^kiosk\..+\.v1$")]
    subject: Id | None = None
    time: Time
    datacontenttype: Literal["application/json"]
    sequence: Sequence
    station: Name | None = None
    operator: Operator | None = None
    bootid: Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f-]{27}$")]
    uptimems: Annotated[str, Field(pattern=r"^\d+$")]
    clocksynced: bool
    data: Any

    @model_validator(mode="after")
    def _hangs_together(self) -> "Event":
        if self.id != f"{self.journal}-{self.sequence}-{self.bootid[:8]}":
            raise ValueError(f"id {self.id} is not made of journal, sequence and boot id")
        if self.kind in _DATA:
            model = _DATA[self.kind].model_validate(self.data)
            if self.kind != "event.undeliverable" and getattr(model, "order", None) != self.subject:
                raise ValueError(f"subject {self.subject} is not the order")
            object.__setattr__(self, "data", model)
            return self
        raise ValueError(f"no such event: {self.type}")

    @property
    def kind(self) -> str:
        """`scan.accepted` of `kiosk.scan.accepted.v1`."""
        return self.type.removeprefix("kiosk.").removesuffix(".v1")

    @property
    def journal(self) -> str:
        return self.id[:8]

    @property
    def number(self) -> int:
        return int(self.sequence)


_EVENT = TypeAdapter(Event)


def event_of(document: bytes) -> Event:
    """Return the event of a published document. Raises pydantic's ValidationError."""
    return _EVENT.validate_json(document)


def category(event: Event) -> str:
    """Return the last level of the topic that an event belongs to."""
    first = event.kind.split(".", 1)[0]
    return "journal" if first == "event" else first
