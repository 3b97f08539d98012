"""The centre: what it retains, what it acknowledges, and how it objects."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.contract.topics import Topics
from agent.demo.board import Arrival
from agent.demo.broker import HOST, BrokerChoice, Listening, running_broker
from agent.demo.central import Central
from agent.demo.sample import KIOSK, ORDERS, SITE, STOLEN
from agent.uplink.client import Client
from agent.uplink.packets import ReceivedMessage
from agent.uplink.uplink_settings import BrokerSettings

PATIENCE_S = 10.0
JOURNAL = "3F0C9A1B"


class Peer:
    """A kiosk's end of the connection, driven by the test."""

    def __init__(self, listening: Listening) -> None:
        settings = BrokerSettings(hosts=((HOST, listening.port),), protocol=listening.protocol, tls=False)
        self.client = Client(settings, client_id="peer")
        self.received: list[ReceivedMessage] = []
        self.client.connect(HOST, listening.port, timeout_s=PATIENCE_S)
        self.until(lambda: self.client.connack is not None)
        self.client.subscribe(Topics(SITE, KIOSK).subscriptions)

    def until(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, self.received
            self.client.poll(until - time.monotonic())
            self.received += self.client.messages()

    def publish(self, sequence: int, kind: str = "scan.rejected", **data: Any) -> bytes:
        event = {
            "id": f"{JOURNAL}-{sequence:012d}-7d1e40aa",
            "sequence": f"{sequence:012d}",
            "type": f"kiosk.{kind}.v1",
            "data": {"order": "MX-4004", "reason": "held", **data},
        }
        document = json.dumps(event).encode()
        self.client.publish_event(Topics(SITE, KIOSK).event("scan"), document)
        return document

    def on(self, suffix: str) -> list[dict[str, Any]]:
        topic = Topics(SITE, KIOSK).view(suffix)
        return [json.loads(message.payload) for message in self.received if message.topic == topic]


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    with running_broker(BrokerChoice.EMBEDDED, tmp_path) as listening:
        yield listening


@pytest.fixture
def arrivals() -> list[Arrival]:
    return []


@pytest.fixture
def central(listening: Listening, arrivals: list[Arrival]) -> Iterator[Central]:
    central = Central(listening, on_arrival=arrivals.append)
    central.start()
    yield central
    central.stop()
    central.stop()


def test_events_are_acknowledged_up_to_the_first_gap(
    listening: Listening, central: Central, arrivals: list[Arrival]
) -> None:
    peer = Peer(listening)
    documents = {number: peer.publish(number) for number in (2, 4, 1)}
    peer.until(lambda: bool(peer.on("ack")))
    documents[3] = peer.publish(3)
    peer.until(lambda: peer.on("ack")[-1]["through"] == "000000000004")
    assert list(dict.fromkeys(ack["through"] for ack in peer.on("ack"))) == ["000000000002", "000000000004"]
    assert peer.on("ack")[-1] == {
        "journal": JOURNAL,
        "through": "000000000004",
        "id": f"{JOURNAL}-000000000004-7d1e40aa",
    }
    assert central.stored() == documents
    peer.publish(2)
    peer.publish(5)
    assert central.wait_through(5, PATIENCE_S)
    assert [arrival.sequence for arrival in arrivals] == [2, 4, 1, 3, 5], "a repeated event is no second arrival"
    peer.client.close()


def test_everything_a_kiosk_needs_is_retained(listening: Listening, central: Central) -> None:
    peer = Peer(listening)
    wanted = {f"kiosk/v1/{SITE}/reference/{what}" for what in ("operators", "boxes", "orders")}
    wanted |= {Topics(SITE, KIOSK).order(str(order["order"])) for order in ORDERS}
    peer.until(lambda: wanted <= {message.topic for message in peer.received if message.retained})
    peer.client.close()


def test_the_stolen_phone_is_objected_to_and_packed_orders_are_known(listening: Listening, central: Central) -> None:
    peer = Peer(listening)
    peer.publish(1, "scan.accepted", unit={"id": STOLEN}, sku="P13", quantity=1)
    peer.publish(2, "order.packing_confirmed")
    suffix = f"verdict/stolen-{STOLEN}"
    peer.until(lambda: bool(peer.on(suffix)))
    (verdict,) = peer.on(suffix)
    assert (verdict["action"], verdict["order"], verdict["unit"]) == ("hold", "MX-4004", STOLEN)
    assert central.wait_through(2, PATIENCE_S)
    assert central.packed() == {"MX-4004"}
    peer.client.close()


def test_a_broker_that_goes_away_is_noticed(tmp_path: Path, arrivals: list[Arrival]) -> None:
    with running_broker(BrokerChoice.MOSQUITTO, tmp_path) as listening:
        central = Central(listening, on_arrival=arrivals.append)
        central.start()
    assert not central.wait_through(1, PATIENCE_S)
    assert central.failed is not None
    central.stop()
