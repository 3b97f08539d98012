"""Read one message from a kiosk: what it is, or why it is refused. Pure; any topic and any bytes are safe to pass.

An event with a readable id and sequence is taken even if its type or data are not understood. So no event can block the
ones behind it.
"""

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder

from agent.contract.events import Event
from centre.ingest.kiosk_views import ViewArrival, ViewKind, read_view
from centre.legible import legible
from centre.link.received import Received
from centre.projection.understand import STAND_IN, NotUnderstood, is_order_name, understand
from centre.store.kiosk_rows import KioskName

__all__ = [
    "LARGEST_EVENT",
    "Arrival",
    "EventArrival",
    "LetterReason",
    "RefusedMessage",
    "ResponseArrival",
    "event_in",
    "receive",
    "refuse",
    "second_document",
    "typed_event",
]

LARGEST_EVENT = 64 * 1024
"""In bytes (`mqtt.md#event-documents`)."""
TYPE_CHARACTERS = 128
KEPT_OF_TOO_LARGE = 4096
"""Bytes kept of a payload that is refused for its size."""
TOPIC_CHARACTERS = 1024


class LetterReason(StrEnum):
    """Why a message is a dead letter."""

    TOPIC = "topic"
    """No topic of a kiosk, or the site's or kiosk's name is not allowed."""
    SOURCE = "source"
    """The source is not the topic's: another kiosk's event, or a forged one."""
    NOT_AN_EVENT = "no_cloudevent"
    """No CloudEvent, or its id or sequence cannot be read."""
    TOO_LARGE = "too_large"
    SECOND_DOCUMENT = "second_document"
    """Another document is stored under this source and id."""
    NOT_A_VIEW = "no_view"
    """On the topic of a status, health or station view, and none."""
    NOT_STORABLE = "not_storable"
    """The database refuses it."""


class RefusedMessage(NamedTuple):
    """A message that becomes a dead letter."""

    topic: str
    reason: LetterReason
    received_at: str
    payload: bytes


class EventArrival(Struct, frozen=True, gc=False):
    """An event document. `event` is None if it is not understood."""

    kiosk: KioskName
    journal: str
    sequence: int
    boot: str
    event_id: str
    type: str
    order: str | None
    time: str
    """The document's; the time of receipt where its clock was not synchronised."""
    clock_synced: bool
    event: Event | None
    document: bytes
    topic: str
    received_at: str

    @property
    def is_stand_in(self) -> bool:
        return self.type == STAND_IN


class ResponseArrival(NamedTuple):
    """The answer to a request."""

    kiosk: KioskName
    transaction: str
    """The end of its topic, as it is there."""
    payload: bytes


Arrival: TypeAlias = EventArrival | ViewArrival | ResponseArrival | RefusedMessage


class _Topic(NamedTuple):
    kiosk: KioskName
    source: str
    kind: str
    rest: str


_NAME = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
_ID = re.compile("([!-~]{8})-([0-9]{12})-([!-~]{1,36})", re.ASCII)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)


@lru_cache(maxsize=4096)
def _topic(topic: str) -> _Topic | None:
    """Return the parts of a kiosk's topic; None for any other."""
    levels = topic.split("/")
    if len(levels) < 6 or levels[:2] != ["kiosk", "v1"] or levels[3] != "agent":
        return None
    _, _, site, _, name, kind, *rest = levels
    if _NAME.fullmatch(site) is None or _NAME.fullmatch(name) is None:
        return None
    return _Topic(KioskName(site, name), f"/kiosk/{site}/{name}", kind, "/".join(rest))


def receive(message: Received) -> Arrival:
    """Return what a message is."""
    topic = _topic(message.topic)
    if topic is None:
        return refuse(message, LetterReason.TOPIC)
    match topic.kind:
        case "event":
            return _event(message, topic)
        case "status" | "health" if not topic.rest:
            return _view(message, topic, ViewKind(topic.kind))
        case "station" if _NAME.fullmatch(topic.rest):
            return _view(message, topic, ViewKind.STATION)
        case "response" if topic.rest:
            return ResponseArrival(topic.kiosk, topic.rest, message.payload)
        case _:
            return refuse(message, LetterReason.TOPIC)


def refuse(message: Received, reason: LetterReason) -> RefusedMessage:
    """Return a message as a dead letter. Of one that is too large only the beginning is kept."""
    payload = message.payload
    kept = payload if len(payload) <= LARGEST_EVENT else payload[:KEPT_OF_TOO_LARGE]
    # A topic is any text: PostgreSQL stores no NUL.
    topic = message.topic if message.topic.isprintable() else legible(message.topic)
    return RefusedMessage(topic[:TOPIC_CHARACTERS], reason, message.received_at, kept)


def second_document(arrival: EventArrival) -> RefusedMessage:
    """Return an event as the dead letter that it is, because another document is stored under its id."""
    return RefusedMessage(arrival.topic, LetterReason.SECOND_DOCUMENT, arrival.received_at, arrival.document)


# -- events ----------------------------------------------------------------------------------------------------------


class _Head(Struct):
    id: str
    source: str
    type: str
    specversion: str
    sequence: str


class _EventDocument(_Head):
    data: Raw = Raw(b"null")
    subject: str | None = None
    time: str | None = None
    clocksynced: bool = False


_DOCUMENT = Decoder(_EventDocument)
_HEAD = Decoder(_Head)


def _event(message: Received, topic: _Topic) -> EventArrival | RefusedMessage:
    document = message.payload
    if len(document) > LARGEST_EVENT:
        return refuse(message, LetterReason.TOO_LARGE)
    head: Any
    try:
        if not document.isascii():
            document.decode()  # in what it skips, the decoder takes any bytes
        head = _DOCUMENT.decode(document)
    except ValidationError:
        try:
            head = _HEAD.decode(document)
        except (DecodeError, ValueError, RecursionError):
            return refuse(message, LetterReason.NOT_AN_EVENT)
    except (DecodeError, ValueError, RecursionError):
        return refuse(message, LetterReason.NOT_AN_EVENT)
    if head.source != topic.source:
        return refuse(message, LetterReason.SOURCE)
    match = _ID.fullmatch(head.id)
    if match is None or match[2] != head.sequence or head.sequence == "000000000000":
        return refuse(message, LetterReason.NOT_AN_EVENT)
    return _read(message, topic, head, match)


def _read(message: Received, topic: _Topic, head: Any, match: re.Match[str]) -> EventArrival:
    """Return the event in a document whose id can be read. With any other fault it is one that is not understood."""
    is_whole = type(head) is _EventDocument
    order = head.subject if is_whole else None
    if order is not None and not is_order_name(order):
        order = None
    time = message.received_at
    is_synced = is_whole and head.clocksynced and _is_time(head.time)
    if is_synced:
        time = head.time
    return EventArrival(
        topic.kiosk,
        match[1],
        int(match[2]),
        match[3],
        head.id,
        _type(head.type),
        order,
        time,
        is_synced,
        typed_event(head.type, head.data, order) if is_whole and head.specversion == "1.0" else None,
        message.payload,
        message.topic,
        message.received_at,
    )


def _is_time(text: str | None) -> bool:
    """Return whether it is the text of a time that a clock can show."""
    if text is None or _TIME.fullmatch(text) is None or not "2000" < text < "2200":
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _type(text: str) -> str:
    return text if text.isprintable() and len(text) <= TYPE_CHARACTERS else legible(text)[:TYPE_CHARACTERS]


def typed_event(type_: str, data: Any, order: str | None) -> Event | None:
    """Return the event in a document's data; None if it is not understood, or about another order than `order`."""
    try:
        event = understand(type_, data)
    except NotUnderstood:
        return None
    return event if getattr(event, "order", None) == order else None


def event_in(document: bytes, order: str | None) -> Event | None:
    """Return the event in a stored document; None if this version does not understand it."""
    try:
        head = _DOCUMENT.decode(document)
    except (DecodeError, ValueError, RecursionError):
        return None
    return typed_event(head.type, head.data, order) if head.specversion == "1.0" else None


# -- views -----------------------------------------------------------------------------------------------------------


def _view(message: Received, topic: _Topic, kind: ViewKind) -> ViewArrival | RefusedMessage:
    if len(message.payload) > LARGEST_EVENT:
        return refuse(message, LetterReason.TOO_LARGE)
    view = read_view(message, topic.kiosk, kind, topic.rest)
    return refuse(message, LetterReason.NOT_A_VIEW) if view is None else view
