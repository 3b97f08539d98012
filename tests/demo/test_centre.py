"""The demo's centre: what it retains, what it acknowledges, and how it objects."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.contract.topics import Topics
from agent.demo.broker import HOST, PROTOCOL, running_broker
from agent.demo.centre import DemoCentre, EventSummary
from agent.demo.sample import KIOSK, ORDERS, SITE, STOLEN
from agent.uplink.client import Client
from agent.uplink.packets import ReceivedMessage
from agent.uplink.uplink_settings import BrokerSettings
from harness.waiting import DEADLINE_S, wait_for

JOURNAL = "3F0C9A1B"


class KioskConnection:
    """A kiosk's connection to the broker, driven by the test."""

    def __init__(self, port: int) -> None:
        settings = BrokerSettings(hosts=((HOST, port),), protocol=PROTOCOL, tls=False)
        self.client = Client(settings, client_id="kiosk")
        self.received: list[ReceivedMessage] = []
        self.client.connect(HOST, port, timeout_s=DEADLINE_S)
        self.until(lambda: self.client.connack is not None)
        self.client.subscribe(Topics(SITE, KIOSK).subscriptions)

    def until(self, is_done: Callable[[], bool]) -> None:
        until = time.monotonic() + DEADLINE_S
        while not is_done():
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
        """Return what has come on one of the kiosk's topics."""
        topic = Topics(SITE, KIOSK).view(suffix)
        return [json.loads(message.payload) for message in self.received if message.topic == topic]


@pytest.fixture
def port() -> Iterator[int]:
    with running_broker() as port:
        yield port


@pytest.fixture
def events() -> list[EventSummary]:
    return []


@pytest.fixture
def centre(port: int, events: list[EventSummary]) -> Iterator[DemoCentre]:
    with DemoCentre(port, on_event=events.append) as centre:
        yield centre


@pytest.fixture
def kiosk(port: int, centre: DemoCentre) -> Iterator[KioskConnection]:
    kiosk = KioskConnection(port)
    yield kiosk
    kiosk.client.close()


def test_events_are_acknowledged_up_to_the_first_gap(
    kiosk: KioskConnection, centre: DemoCentre, events: list[EventSummary]
) -> None:
    documents = {number: kiosk.publish(number) for number in (2, 4, 1)}
    kiosk.until(lambda: bool(kiosk.on("ack")))
    documents[3] = kiosk.publish(3)
    kiosk.until(lambda: kiosk.on("ack")[-1]["through"] == "000000000004")
    assert list(dict.fromkeys(ack["through"] for ack in kiosk.on("ack"))) == ["000000000002", "000000000004"]
    assert kiosk.on("ack")[-1] == {
        "journal": JOURNAL,
        "through": "000000000004",
        "id": f"{JOURNAL}-000000000004-7d1e40aa",
    }
    assert centre.stored() == documents
    kiosk.publish(2)
    kiosk.publish(5)
    wait_for(lambda: 5 in centre.stored(), "the fifth event")
    assert [event.sequence for event in events] == [2, 4, 1, 3, 5], "a repeated event is told once"


def test_everything_a_kiosk_needs_is_retained(kiosk: KioskConnection) -> None:
    wanted = {f"kiosk/v1/{SITE}/reference/{what}" for what in ("operators", "boxes", "orders")}
    wanted |= {Topics(SITE, KIOSK).order(str(order["order"])) for order in ORDERS}
    kiosk.until(lambda: wanted <= {message.topic for message in kiosk.received if message.retained})


def test_the_stolen_phone_is_objected_to_and_packed_orders_are_known(
    kiosk: KioskConnection, centre: DemoCentre
) -> None:
    kiosk.publish(1, "scan.accepted", unit={"id": STOLEN}, sku="P13", quantity=1)
    kiosk.publish(2, "order.packing_confirmed")
    suffix = f"verdict/stolen-{STOLEN}"
    kiosk.until(lambda: bool(kiosk.on(suffix)))
    (verdict,) = kiosk.on(suffix)
    assert (verdict["action"], verdict["order"], verdict["unit"]) == ("hold", "MX-4004", STOLEN)
    wait_for(lambda: 2 in centre.stored(), "the second event")
    assert centre.packed() == {"MX-4004"}


def test_a_broker_that_goes_away_is_noticed(events: list[EventSummary]) -> None:
    with running_broker() as port:
        centre = DemoCentre(port, on_event=events.append)
        centre.__enter__()
    wait_for(lambda: centre.failed is not None, "the centre to notice")
    centre.__exit__()
