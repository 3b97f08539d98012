"""The centre of the demonstration: tells the kiosk its orders, stores every event it publishes, and says so.

A real consumer does the same: it keeps events by journal and sequence, passes over what it has already, and retains how
far it has come without a gap (SPEC 5.2, `ack`) after storing, never before.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from agent.contract.topics import Topics
from agent.demo.board import Arrival
from agent.demo.broker import HOST, Listening
from agent.demo.sample import BOXES, KIOSK, OPERATORS, ORDERS, SITE, STOLEN
from agent.errors import KioskError
from agent.runtime.waker import Waker
from agent.uplink.client import Client
from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import BrokerSettings

__all__ = ["Central"]

_CONNECT_S = 10.0
_POLL_S = 1.0
_STOP_S = 3.0
_CLIENT_ID = "demo-centre"


class Central:
    """One thread with a connection of its own. `start` returns when everything the kiosk needs is retained.

    `on_arrival` is told each event the first time it comes, in its thread, before it is acknowledged.
    """

    def __init__(self, listening: Listening, *, on_arrival: Callable[[Arrival], None]) -> None:
        self._listening = listening
        self._on_arrival = on_arrival
        self._topics = Topics(SITE, KIOSK)
        self._events = self._topics.view("event/")
        settings = BrokerSettings(
            hosts=((HOST, listening.port),), protocol=listening.protocol, tls=False, keepalive_s=30
        )
        self._client = Client(settings, client_id=_CLIENT_ID)
        self._stored: dict[int, bytes] = {}
        self._ids: dict[int, str] = {}
        self._packed: set[str] = set()
        self._through = 0
        self._changed = threading.Condition()
        self._waker = Waker()
        self._stopping = False
        self._failed: str | None = None
        self._thread = threading.Thread(target=self._run, name="demo centre", daemon=True)

    # -- from other threads --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, subscribe, retain orders and reference lists. Raises KioskError."""
        self._client.connect(HOST, self._listening.port, timeout_s=_CONNECT_S)
        self._wait(lambda: self._client.connack is not None)
        self._client.subscribe([f"{self._events}#"])
        self._wait(lambda: bool(self._client.subacks()))
        waiting = {self._retain(topic, message) for topic, message in self._messages()}

        def all_taken() -> bool:
            waiting.difference_update(answer.token for answer in self._client.pubacks())
            return not waiting

        self._wait(all_taken)
        self._thread.start()

    def stop(self) -> None:
        """Disconnect and end the thread. Twice is fine, and so is a centre never started."""
        self._stopping = True
        if self._thread.is_alive():
            self._waker.wake()
            self._thread.join(_STOP_S)
        self._client.close()

    def stored(self) -> dict[int, bytes]:
        """The documents by sequence."""
        with self._changed:
            return dict(self._stored)

    def packed(self) -> frozenset[str]:
        """The orders whose packing was confirmed."""
        with self._changed:
            return frozenset(self._packed)

    @property
    def failed(self) -> str | None:
        """Why the centre lost its broker; none while it has it."""
        return self._failed

    def wait_through(self, sequence: int, timeout_s: float) -> bool:
        """Whether everything up to a sequence has come in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._through >= sequence or self._failed is not None, timeout_s)
            return self._through >= sequence

    # -- telling -------------------------------------------------------------------------------------------------

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
        through = self._through
        if through:
            ack = {"journal": journal, "through": f"{through:012d}", "id": self._ids[through]}
            self._retain(self._topics.ack, ack)

    def _hold(self, order: str, unit: str) -> None:
        verdict = {"revision": 1, "action": "hold", "order": order, "unit": unit, "reason": "reported stolen"}
        self._retain(self._topics.view(f"verdict/stolen-{unit}"), verdict)

    # -- its thread ----------------------------------------------------------------------------------------------

    def _wait(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + _CONNECT_S
        while not done():
            if time.monotonic() >= until:
                raise KioskError("the demo's broker does not answer")
            self._client.poll(until - time.monotonic())

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._take_all()
                self._client.poll(self._waker.before_wait(_POLL_S), self._waker.fd)
                self._waker.after_wait()
                self._waker.drain()
        except BrokerLost as exc:
            if not self._stopping:
                with self._changed:
                    self._failed = str(exc)
                    self._changed.notify_all()

    def _take_all(self) -> None:
        journal = None
        for message in self._client.messages():
            # amqtt may hand a new client under a known id what it never asked for.
            if message.topic.startswith(self._events):
                journal = self._take(message.payload)
        if journal is not None:
            self._acknowledge(journal)
        self._client.pubacks()

    def _take(self, document: bytes) -> str:
        """Store one event; the id of its journal. A repeated one is acknowledged again, and that is all."""
        event: dict[str, Any] = json.loads(document)
        sequence = int(event["sequence"])
        kind = str(event["type"]).removeprefix("kiosk.").removesuffix(".v1")
        data: dict[str, Any] = event["data"]
        journal = str(event["id"]).partition("-")[0]
        if sequence in self._stored:
            return journal
        if kind == "scan.accepted" and data["unit"] is not None and data["unit"]["id"] == STOLEN:
            self._hold(data["order"], STOLEN)
        self._on_arrival(Arrival(sequence=sequence, kind=kind, summary=_summary(kind, data)))
        with self._changed:
            self._stored[sequence] = document
            self._ids[sequence] = str(event["id"])
            if kind == "order.packing_confirmed":
                self._packed.add(data["order"])
            while self._through + 1 in self._stored:
                self._through += 1
            self._changed.notify_all()
        return journal


_TOLD = ("operator", "role", "kind", "reason", "sku", "what", "value", "unit", "size", "label", "cause", "outcome")


def _summary(kind: str, data: dict[str, Any]) -> str:
    """A few words of an event's data, for people."""
    of_order = ("order", "mode") if kind.startswith("order.") else ()
    words = [_word(data[name]) for name in (*of_order, *_TOLD) if data.get(name) is not None]
    if "contents" in data:
        words.append(f"{sum(content['quantity'] for content in data['contents'])} pieces")
    elif data.get("quantity", 1) != 1:
        words.append(f"× {data['quantity']}")
    return " ".join(words)


def _word(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("id") or value.get("code"))
    return str(value)
