"""Events as CloudEvents 1.0 documents, and back: what is journaled, published and replayed.

Source: CloudEvents specification 1.0.2, JSON event format; the attributes are those of SPEC 5.1.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder
from msgspec.structs import replace

from agent.contract.events import (
    EVENTS,
    BoxConfirmed,
    Cause,
    Content,
    Event,
    Held,
    Kind,
    LineCount,
    Outcome,
    PackingRefused,
    Rejected,
    Released,
    Reopened,
    RoleAssigned,
    Size,
    Unit,
    What,
)
from agent.contract.manifest import Flow, Role, Status
from agent.contract.reasons import Reason, Seen

__all__ = [
    "Envelope",
    "decode",
    "document",
    "event_of",
    "private_of",
    "topic_of",
    "undeliverable",
]

_TYPES = {cls: f"kiosk.{cls.type}.v1" for cls in EVENTS.values()}


# -- out: event → document ---------------------------------------------------------------------------------------


class Envelope(Struct, frozen=True, kw_only=True):
    """What a commit adds to its events, the same for all of them but for the sequence.

    `time` is UTC, `YYYY-MM-DDThh:mm:ss.mmmZ`; `uptime_ms` the monotonic clock; `boot_id` the kernel's.
    """

    source: str
    journal: str
    boot_id: str
    time: str
    uptime_ms: int
    clock_synced: bool


class _Document(Struct, frozen=True, kw_only=True):
    """The attributes of a CloudEvent in the order in which they are written; what is unset is left out."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    time: str
    datacontenttype: str = "application/json"
    sequence: str
    bootid: str
    uptimems: str
    clocksynced: bool
    subject: str | UnsetType
    station: str | UnsetType
    operator: str | UnsetType
    data: Event


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no event holds a {type(value).__name__}")


_encode = Encoder(enc_hook=_plain).encode


def document(event: Event, envelope: Envelope, sequence: int) -> bytes:
    """The CloudEvents 1.0 JSON document of an event, as published."""
    data = replace(event, station=UNSET, by=UNSET)
    if event.private:
        data = replace(data, **dict.fromkeys(event.private, UNSET))
    order = getattr(event, "order", None)
    digits = str(sequence).zfill(12)
    return _encode(
        _Document(
            id=f"{envelope.journal}-{digits}-{envelope.boot_id[:8]}",
            source=envelope.source,
            type=_TYPES[type(event)],
            time=envelope.time,
            sequence=digits,
            bootid=envelope.boot_id,
            uptimems=str(envelope.uptime_ms),
            clocksynced=envelope.clock_synced,
            subject=order if order is not None else UNSET,
            station=event.station if event.station is not None else UNSET,
            operator=event.by if event.by is not None else UNSET,
            data=data,
        )
    )


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
    return _encode(doc)
