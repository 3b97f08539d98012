"""The topics of one kiosk: building them, and recognising the topic of an incoming message (`mqtt.md#topics-and-qos`).

An order id is written into a topic as its UTF-8 bytes, each byte outside `[A-Za-z0-9_-]` as `%XX` in upper-case hex
(`mqtt.md#order-ids-in-topics`). Pure.
"""

import re
from enum import StrEnum

from msgspec import Struct

__all__ = ["Inbound", "MessageKind", "Topics", "decode_order", "encode"]

MAX_ORDER_CHARACTERS = 64

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_LEVEL = tuple(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in range(256))
_ESCAPE = re.compile("%([0-9A-F]{2})", re.ASCII)
_ENCODED = re.compile("(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+", re.ASCII)


class MessageKind(StrEnum):
    """What an incoming message is."""

    ORDER = "order"
    ORDER_INDEX = "order_index"
    OPERATORS = "operators"
    BOXES = "boxes"
    BLOCKED = "blocked"
    COUNTED = "counted"
    ACK = "ack"
    VERDICT = "verdict"
    REQUEST = "request"


class Inbound(Struct, frozen=True, kw_only=True):
    """One message from the centre, not yet parsed."""

    kind: MessageKind
    id: str
    """The order, the part of a list or index, the verdict or the request's name, decoded; else empty."""
    part: str = ""
    """The part of what is counted for an order (`MessageKind.COUNTED`); else empty."""
    payload: bytes
    retained: bool
    """Whether the broker had retained the message. A retained request is never passed on."""
    topic: str
    discarded_bytes: int = 0
    """The size of a payload that was too large and was discarded as it arrived; `payload` is then empty."""


def encode(text: str) -> str:
    """Return one topic level that stands for any text."""
    return "".join(map(_LEVEL.__getitem__, text.encode("utf-8", "surrogatepass")))


def decode_order(level: str) -> str | None:
    """Return the order id that encodes to this topic level, or None if no order id does."""
    if not _ENCODED.fullmatch(level):
        return None
    raw = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), level).encode("latin-1")
    try:
        order = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(order) > MAX_ORDER_CHARACTERS or not order.isprintable() or encode(order) != level:
        return None
    return order


class Topics:
    """All topics of one kiosk. `site` and `kiosk` are `[A-Za-z0-9_-]{1,64}`."""

    def __init__(self, site: str, kiosk: str) -> None:
        self._orders = f"kiosk/v1/{site}/order/"
        self._counted = f"kiosk/v1/{site}/counted/"
        self._reference = f"kiosk/v1/{site}/reference/"
        self._agent = f"kiosk/v1/{site}/agent/{kiosk}/"
        self.client_id = f"kiosk-{site}-{kiosk}"
        self.status = self.view("status")
        self.ack = self.view("ack")
        self.requests = self.view("request/+")
        self.stations = self.view("station/+")
        self.subscriptions: tuple[str, ...] = (
            self.ack,
            self.requests,
            self.view("verdict/+"),
            self._reference + "orders",
            self._reference + "orders/+",
            self._reference + "operators",
            self._reference + "boxes",
            self._reference + "blocked/+",
            self._counted + "+/+",
            self._orders + "+",
        )
        """What to subscribe to at every connect; `ack` comes first because events wait for it."""

    def view(self, suffix: str) -> str:
        """Return a topic below this kiosk's own: `status`, `health`, `station/1`."""
        return self._agent + suffix

    def event(self, category: str) -> str:
        """Return the topic for events of a category: `scan`, `box`, …"""
        return f"{self._agent}event/{category}"

    def response(self, transaction: str) -> str:
        """Return the topic on which the request of this transaction is answered."""
        return f"{self._agent}response/{encode(transaction)}"

    def order(self, order: str) -> str:
        """Return the topic of an order's manifest."""
        return self._orders + encode(order)

    def classify(self, topic: str) -> tuple[MessageKind, str, str] | None:
        """Return what an incoming topic is, with id and part (see `Inbound`); None if it was not subscribed to.

        The id is empty where the topic has none, and for an order's topic that no order id encodes to: its manifest
        is then refused and reported.
        """
        if topic.startswith(self._orders):
            return MessageKind.ORDER, decode_order(topic[len(self._orders) :]) or "", ""
        if topic.startswith(self._counted):
            return _classify_counted(topic[len(self._counted) :])
        if topic.startswith(self._reference):
            return _classify_reference(topic[len(self._reference) :])
        if topic.startswith(self._agent):
            return _classify_own(topic[len(self._agent) :])
        return None


_REFERENCE = {
    "orders": MessageKind.ORDER_INDEX,
    "operators": MessageKind.OPERATORS,
    "boxes": MessageKind.BOXES,
}
_OWN = {"verdict": MessageKind.VERDICT, "request": MessageKind.REQUEST}


_IN_PARTS = {"blocked": MessageKind.BLOCKED, "orders": MessageKind.ORDER_INDEX}


def _classify_counted(rest: str) -> tuple[MessageKind, str, str] | None:
    level, _, part = rest.partition("/")
    return (MessageKind.COUNTED, decode_order(level) or "", part) if part and "/" not in part else None


def _classify_reference(rest: str) -> tuple[MessageKind, str, str] | None:
    if kind := _REFERENCE.get(rest):
        return kind, "", ""
    head, _, part = rest.partition("/")
    kind = _IN_PARTS.get(head)
    return (kind, part, "") if kind and part and "/" not in part else None


def _classify_own(rest: str) -> tuple[MessageKind, str, str] | None:
    if rest == "ack":
        return MessageKind.ACK, "", ""
    head, _, name = rest.partition("/")
    kind = _OWN.get(head)
    return (kind, name, "") if kind and name and "/" not in name else None
