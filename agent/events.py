"""The events: every fact the kiosk records, as frozen types, and their way into and out of a CloudEvents document.

An event's fields are the `data` of its published document (SPEC 5.1), but for three kinds of field:
`station` and `by` (the signed-in operator) belong to the envelope, and the fields named in `private` are kept in the
journal beside the document, never published: what the fold needs and the centre already has.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar

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
    "Envelope",
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
    "decode",
    "document",
    "event_id",
    "event_of",
    "private_of",
    "topic_of",
    "undeliverable",
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

_ENVELOPE = ("station", "by")
_DATA: dict[type[Event], tuple[str, ...]] = {
    cls: tuple(f.name for f in fields(cls) if f.name not in _ENVELOPE and f.name not in cls.private)
    for cls in EVENTS.values()
}


# -- out: event → document ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a commit adds to its events, the same for all of them but for the sequence.

    `time` is UTC, `YYYY-MM-DDThh:mm:ss.mmmZ`; `uptime_ms` the monotonic clock; `boot_id` the kernel's.
    """

    source: str
    journal: str
    boot_id: str
    time: str
    uptime_ms: int
    clock_synced: bool


def event_id(journal: str, sequence: int, boot_id: str) -> str:
    return f"{journal}-{sequence:012d}-{boot_id[:8]}"


def _plain(value: object) -> object:
    if isinstance(value, Unit):
        return {"scheme": value.scheme, "id": value.id, "aliases": value.aliases}
    if isinstance(value, Content):
        return {"line": value.line, "sku": value.sku, "quantity": value.quantity, "units": value.units}
    if isinstance(value, LineCount):
        return {"line": value.line, "ordered": value.ordered, "scanned": value.scanned}
    if isinstance(value, Size):
        return {
            "code": value.code,
            "length_mm": value.length_mm,
            "width_mm": value.width_mm,
            "height_mm": value.height_mm,
        }
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no event holds a {type(value).__name__}")


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def document(event: Event, envelope: Envelope, sequence: int) -> bytes:
    """The CloudEvents 1.0 JSON document of an event, as published."""
    cls = type(event)
    doc: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id(envelope.journal, sequence, envelope.boot_id),
        "source": envelope.source,
        "type": f"kiosk.{cls.type}.v1",
        "time": envelope.time,
        "datacontenttype": "application/json",
        "sequence": f"{sequence:012d}",
        "bootid": envelope.boot_id,
        "uptimems": str(envelope.uptime_ms),
        "clocksynced": envelope.clock_synced,
    }
    order = getattr(event, "order", None)
    if order is not None:
        doc["subject"] = order
    if event.station is not None:
        doc["station"] = event.station
    if event.by is not None:
        doc["operator"] = event.by
    doc["data"] = {name: getattr(event, name) for name in _DATA[cls]}
    return _dumps(doc).encode("utf-8", "replace")


def private_of(event: Event) -> dict[str, Any]:
    """What the journal keeps beside the document; empty for most events."""
    return {name: value for name in event.private if (value := getattr(event, name))}


# -- in: document → event ----------------------------------------------------------------------------------------


def _unit(raw: Mapping[str, Any]) -> Unit:
    return Unit(scheme=raw["scheme"], id=raw["id"], aliases=tuple(raw["aliases"]))


def _contents(raw: list[Mapping[str, Any]]) -> tuple[Content, ...]:
    return tuple(Content(line=c["line"], sku=c["sku"], quantity=c["quantity"], units=tuple(c["units"])) for c in raw)


def _line_counts(raw: list[Mapping[str, Any]]) -> tuple[LineCount, ...]:
    return tuple(LineCount(**count) for count in raw)


_READ: dict[str, Callable[[Any], Any]] = {
    "boxes": tuple,
    "cause": Cause,
    "clears": tuple,
    "contents": _contents,
    "kind": Kind,
    "lines": _line_counts,
    "misfits": _line_counts,
    "mode": Flow,
    "outcome": Outcome,
    "seen": Seen,
    "state": Reopened,
    "status": Status,
    "unit": _unit,
    "what": What,
}
_READ_BY_EVENT: dict[type[Event], dict[str, Callable[[Any], Any]]] = {
    RoleAssigned: {"role": Role},
    PackingRefused: {"reason": Reason},
    Rejected: {"reason": Reason},
    BoxConfirmed: {"size": lambda raw: Size(**raw)},
    Held: {"unit": str},
    Released: {"unit": str},
}


def event_of(doc: Mapping[str, Any], private: Mapping[str, Any]) -> Event | None:
    """The event of a parsed document of ours; none for a type the fold knows nothing of.

    Raises KeyError, TypeError or ValueError when the document is not one that `document` wrote.
    """
    cls = EVENTS.get(doc["type"].removeprefix("kiosk.").removesuffix(".v1"))
    if cls is None:
        return None
    special = _READ_BY_EVENT.get(cls, {})
    values: dict[str, Any] = {"station": doc.get("station"), "by": doc.get("operator")}
    for name, raw in (*doc["data"].items(), *private.items()):
        read = special.get(name) or _READ.get(name)
        values[name] = raw if raw is None or read is None else read(raw)
    return cls(**values)


def decode(document: bytes, private: Mapping[str, Any]) -> Event | None:
    """`event_of`, from the document's bytes."""
    return event_of(json.loads(document), private)


def topic_of(document: bytes) -> str:
    """Which `event/…` topic a document of ours belongs to: operator, order, scan, box or journal."""
    category = document.split(b'"type":"kiosk.', 1)[1].split(b".", 1)[0].decode("ascii")
    return "journal" if category == "event" else category


def undeliverable(document: bytes, reason: str) -> bytes:
    """The small stand-in for an event that the broker refuses for good: same id and sequence, and why."""
    doc = json.loads(document)
    was = doc["type"]
    doc["type"] = "kiosk.event.undeliverable.v1"
    doc["data"] = {"type": was, "reason": reason, "bytes": len(document)}
    return _dumps(doc).encode()
