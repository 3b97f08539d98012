"""The demo's centre: publishes orders and reference lists, stores and acknowledges every event, and holds one order.

It does what a real consumer does: it keeps events by sequence, ignores repetitions, and acknowledges up to the first
gap, after storing and never before (mqtt.md#acknowledgement).
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from msgspec import Struct

from agent.contract.topics import Topics
from agent.demo.broker import HOST, PROTOCOL
from agent.demo.sample import BOXES, KIOSK, OPERATORS, ORDERS, SITE, STOLEN
from agent.errors import KioskError
from agent.uplink.client import Client
from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import BrokerSettings

__all__ = ["DemoCentre", "EventSummary"]

_CONNECT_S = 10.0
_POLL_S = 0.2


class EventSummary(Struct, frozen=True, kw_only=True):
    """An event for people: `kind` is `scan.accepted` of its type, `text` a few words of its data."""

    sequence: int
    kind: str
    text: str


class DemoCentre:
    """One connection and one thread. Context-managed: on entry it returns when all that the kiosk needs is retained.

    `on_event` is called with each event the first time it comes, in the centre's thread, before it is acknowledged.
    """

    def __init__(self, port: int, *, on_event: Callable[[EventSummary], None]) -> None:
        self._port = port
        self._on_event = on_event
        self._topics = Topics(SITE, KIOSK)
        self._event_topic = self._topics.view("event/")
        settings = BrokerSettings(hosts=((HOST, port),), protocol=PROTOCOL, tls=False, keepalive_s=30)
        self._client = Client(settings, client_id="demo-centre")
        self._stored: dict[int, bytes] = {}
        self._ids: dict[int, str] = {}
        self._packed: set[str] = set()
        self._through = 0
        self._lock = threading.Lock()
        self._is_stopping = False
        self._failed: str | None = None
        self._thread = threading.Thread(target=self._run, name="demo centre", daemon=True)

    def __enter__(self) -> Self:
        self._client.connect(HOST, self._port, timeout_s=_CONNECT_S)
        self._wait(lambda: self._client.connack is not None)
        self._client.subscribe([f"{self._event_topic}#"])
        self._wait(lambda: bool(self._client.subacks()))
        waiting = {self._retain(topic, message) for topic, message in self._messages()}

        def are_all_taken() -> bool:
            waiting.difference_update(answer.token for answer in self._client.pubacks())
            return not waiting

        self._wait(are_all_taken)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopping = True
        if self._thread.is_alive():
            self._thread.join()
        self._client.close()

    # -- for other threads ---------------------------------------------------------------------------------------

    def stored(self) -> dict[int, bytes]:
        """Return the documents stored so far, by sequence."""
        with self._lock:
            return dict(self._stored)

    def packed(self) -> frozenset[str]:
        """Return the orders whose packing was confirmed."""
        with self._lock:
            return frozenset(self._packed)

    @property
    def failed(self) -> str | None:
        """Why the centre has lost its broker; None while it is connected."""
        return self._failed

    # -- publishing ----------------------------------------------------------------------------------------------

    def _messages(self) -> list[tuple[str, object]]:
        reference = f"kiosk/v1/{SITE}/reference"
        index = {"revision": 1, "orders": {order["order"]: order["revision"] for order in ORDERS}}
        return [
            (f"{reference}/operators", OPERATORS),
            (f"{reference}/boxes", BOXES),
            (f"{reference}/orders", index),
            *((self._topics.order(str(order["order"])), order) for order in ORDERS),
        ]

    def _retain(self, topic: str, message: object) -> int:
        return self._client.publish(topic, json.dumps(message).encode(), retain=True)

    def _acknowledge(self, journal: str) -> None:
        if self._through:
            through = {"through": f"{self._through:012d}", "id": self._ids[self._through]}
            self._retain(self._topics.ack, {"journal": journal, **through})

    def _hold(self, order: str, unit: str) -> None:
        verdict = {"revision": 1, "action": "hold", "order": order, "unit": unit, "reason": "reported stolen"}
        self._retain(self._topics.view(f"verdict/stolen-{unit}"), verdict)

    # -- taking events -------------------------------------------------------------------------------------------

    def _wait(self, is_done: Callable[[], bool]) -> None:
        until = time.monotonic() + _CONNECT_S
        while not is_done():
            if time.monotonic() >= until:
                raise KioskError("the demo's broker does not answer")
            self._client.poll(until - time.monotonic())

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._take_all()
                self._client.poll(_POLL_S)
        except BrokerLost as exc:
            self._failed = str(exc)

    def _take_all(self) -> None:
        journal = None
        for message in self._client.messages():
            # amqtt may send a new client, under a known id, what it never subscribed to.
            if message.topic.startswith(self._event_topic):
                journal = self._take(message.payload)
        if journal is not None:
            self._acknowledge(journal)
        self._client.pubacks()

    def _take(self, document: bytes) -> str:
        """Store one event; return its journal id. A repeated event is acknowledged again, and nothing else."""
        event: dict[str, Any] = json.loads(document)
        sequence, data = int(event["sequence"]), event["data"]
        kind = str(event["type"]).removeprefix("kiosk.").removesuffix(".v1")
        journal = str(event["id"]).partition("-")[0]
        if sequence in self._stored:
            return journal
        if kind == "scan.accepted" and data["unit"] is not None and data["unit"]["id"] == STOLEN:
            self._hold(data["order"], STOLEN)
        self._on_event(EventSummary(sequence=sequence, kind=kind, text=_summary(kind, data)))
        with self._lock:
            self._stored[sequence] = document
            self._ids[sequence] = str(event["id"])
            if kind == "order.packing_confirmed":
                self._packed.add(data["order"])
            while self._through + 1 in self._stored:
                self._through += 1
        return journal


_SHOWN = ("operator", "role", "kind", "reason", "sku", "what", "value", "unit", "size", "label", "cause", "outcome")


def _summary(kind: str, data: dict[str, Any]) -> str:
    """Return a few words of an event's data."""
    of_order = ("order", "mode") if kind.startswith("order.") else ()
    words = [_word(data[name]) for name in (*of_order, *_SHOWN) if data.get(name) is not None]
    if "contents" in data:
        words.append(f"{sum(content['quantity'] for content in data['contents'])} pieces")
    elif data.get("quantity", 1) != 1:
        words.append(f"× {data['quantity']}")
    return " ".join(words)


def _word(value: object) -> str:
    return str(value.get("id") or value.get("code")) if isinstance(value, dict) else str(value)
