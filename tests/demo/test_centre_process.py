"""The demo's centre is the real one: what it retains, what it stores, and how it ends."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.contract.topics import Topics
from agent.demo.broker import HOST, PROTOCOL, running_broker
from agent.demo.centre_process import DemoCentre
from agent.demo.event_summary import EventSummary
from agent.demo.fraud_desk import hold
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

    def publish(self, sequence: int) -> bytes:
        event = {
            "specversion": "1.0",
            "id": f"{JOURNAL}-{sequence:012d}-7d1e40aa",
            "source": f"/kiosk/{SITE}/{KIOSK}",
            "sequence": f"{sequence:012d}",
            "type": "kiosk.operator.signed_in.v1",
            "time": "2026-11-28T12:00:00.000Z",
            "clocksynced": True,
            "data": {"operator": "E7", "station": "1"},
        }
        document = json.dumps(event).encode()
        self.client.publish_event(Topics(SITE, KIOSK).event("operator"), document)
        return document

    def on(self, suffix: str) -> list[dict[str, Any]]:
        """Return what has come on one of the kiosk's topics."""
        topic = Topics(SITE, KIOSK).view(suffix)
        return [json.loads(message.payload) for message in self.received if message.topic == topic]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running_broker() as port:
        yield port


@pytest.fixture(scope="module")
def events() -> list[EventSummary]:
    return []


@pytest.fixture(scope="module")
def centre(port: int, events: list[EventSummary], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCentre]:
    """One centre for all tests of this file: a start takes seconds."""
    with DemoCentre(tmp_path_factory.mktemp("centre"), port, on_event=events.append) as centre:
        yield centre


@pytest.fixture
def kiosk(port: int, centre: DemoCentre) -> Iterator[KioskConnection]:
    kiosk = KioskConnection(port)
    yield kiosk
    kiosk.client.close()


def test_everything_a_kiosk_needs_is_retained(kiosk: KioskConnection) -> None:
    wanted = {f"kiosk/v1/{SITE}/reference/{what}" for what in ("operators", "boxes")}
    wanted |= {Topics(SITE, KIOSK).order(str(order["order"])) for order in ORDERS}
    kiosk.until(lambda: wanted <= {message.topic for message in kiosk.received})


def test_events_are_stored_told_and_acknowledged(
    kiosk: KioskConnection, centre: DemoCentre, events: list[EventSummary]
) -> None:
    documents = {number: kiosk.publish(number) for number in (1, 2)}
    kiosk.until(lambda: bool(kiosk.on("ack")) and kiosk.on("ack")[-1]["through"] == "000000000002")
    wait_for(lambda: centre.has_told(2), "the second event")
    assert centre.stored() == documents
    assert [event.sequence for event in events] == [1, 2]
    assert centre.packed() == frozenset()
    assert centre.failed is None


def test_the_fraud_desk_objects(kiosk: KioskConnection, port: int) -> None:
    hold(port, "MX-4004", STOLEN)
    suffix = f"verdict/stolen-{STOLEN}"
    kiosk.until(lambda: bool(kiosk.on(suffix)))
    (verdict,) = kiosk.on(suffix)
    assert (verdict["action"], verdict["order"], verdict["unit"]) == ("hold", "MX-4004", STOLEN)


def test_a_centre_that_ends_is_noticed(centre: DemoCentre) -> None:
    centre._process.kill()
    wait_for(lambda: centre.failed is not None, "the end of the centre")
    assert "started" in centre.log()
