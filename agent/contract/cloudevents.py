"""Events as CloudEvents 1.0 documents, and back: what is journaled, published and replayed (`mqtt.md#event-documents`).

Source: CloudEvents specification 1.0.2, JSON event format.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, convert
from msgspec.json import decode, encode
from msgspec.structs import replace

from agent.contract.events import EVENTS, Event
from agent.contract.values import SequenceText, UtcText

__all__ = ["CloudEvent", "Envelope", "Undeliverable", "document", "event_of", "private_of", "topic_of", "undeliverable"]

_TYPES = {cls: f"kiosk.{cls.type}.v1" for cls in EVENTS.values()}
_CLASSES = {name: cls for cls, name in _TYPES.items()}


class Envelope(Struct, frozen=True, kw_only=True):
    """What a commit adds to each of its events."""

    source: str
    """`/kiosk/{site}/{kiosk}`."""
    journal: str
    boot_id: str
    """The kernel's."""
    time: str
    """UTC, `YYYY-MM-DDThh:mm:ss.mmmZ`."""
    uptime_ms: int
    """The monotonic clock."""
    clock_synced: bool


class CloudEvent(Struct, frozen=True, kw_only=True):
    """An event as it is published. The attributes are written in this order; an unset one is left out."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Meta(extra_json_schema={"pattern": r"^.{8}-\d{12}-.{8}$"})]
    """Journal id, sequence, and the first 8 characters of the boot id (`mqtt.md#event-ids-and-sequence`)."""
    source: Annotated[str, Meta(extra_json_schema={"pattern": "^/kiosk/[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_-]{1,64}$"})]
    """`/kiosk/{site}/{kiosk}`."""
    type: str
    time: UtcText
    """When it was recorded, by the wall clock."""
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: SequenceText
    bootid: str
    """The kernel's boot id."""
    uptimems: Annotated[str, Meta(extra_json_schema={"pattern": r"^\d+$"})]
    """The monotonic clock in milliseconds when it was recorded."""
    clocksynced: bool
    """Whether the wall clock was synchronised."""
    subject: str | UnsetType
    """The order."""
    station: str | UnsetType
    """The station where it happened."""
    operator: str | UnsetType
    """The operator signed in there."""
    data: Event


_ATTRIBUTES = frozenset(CloudEvent.__struct_fields__)


class Undeliverable(Struct, frozen=True, kw_only=True):
    """The data of the event that stands in for one which the broker refuses for good (`mqtt.md#refused-publish`)."""

    type: str
    """The type of the original."""
    reason: str
    """Why the broker refused it."""
    bytes: int
    """The size of the original document."""


def document(event: Event, envelope: Envelope, sequence: int) -> bytes:
    """Return the JSON text of an event as it is journaled and published."""
    data = replace(event, station=UNSET, by=UNSET)
    if event.private:
        data = replace(data, **dict.fromkeys(event.private, UNSET))
    order = getattr(event, "order", None)
    digits = str(sequence).zfill(12)
    return encode(
        CloudEvent(
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
    """Return the fields that the journal keeps and that are not published; empty for most events."""
    return {name: value for name in event.private if (value := getattr(event, name))}


def event_of(doc: Mapping[str, Any], private: Mapping[str, Any]) -> Event:
    """Return the event of a parsed document that `document` wrote.

    Raise KeyError, TypeError or ValueError for any other document, also for a type, field or value that a later version
    has added: what it means for the state is not known (`faults.md#another-version`).
    """
    cls = _CLASSES.get(doc["type"])
    if cls is None:
        raise ValueError(f"the event type {doc['type']!r} is unknown")
    if not _ATTRIBUTES.issuperset(doc):
        raise ValueError(f"the event attributes {sorted(doc.keys() - _ATTRIBUTES)} are unknown")
    fields = {**doc["data"], **private, "station": doc.get("station"), "by": doc.get("operator")}
    return convert(fields, cls)


def topic_of(document: bytes) -> str:
    """Return the last level of the topic of a document: `operator`, `order`, `scan`, `box` or `journal`."""
    category = document.split(b'"type":"kiosk.', 1)[1].split(b".", 1)[0].decode("ascii")
    return "journal" if category == "event" else category


def undeliverable(document: bytes, reason: str) -> bytes:
    """Return the document that stands in for one which the broker refuses: same id and sequence, and the reason."""
    doc = decode(document)
    data = Undeliverable(type=doc["type"], reason=reason, bytes=len(document))
    return encode({**doc, "type": "kiosk.event.undeliverable.v1", "data": data})
