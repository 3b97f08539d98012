"""The consumer on the page for programmers stores, acknowledges and refuses as the page says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from harness.broker import Broker
from harness.client import BrokerClient
from tests.docs.pages import ROOT, fences_of

PAGE = ROOT / "docs" / "how-to" / "connect-a-consumer.md"
TOPIC = "kiosk/v1/rtm1/agent/dock-3"


class PlayedKiosk(BrokerClient):
    """Publishes events and keeps the acks."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.acks: list[tuple[str, str]] = []

    def topics(self) -> Sequence[str]:
        return [f"{TOPIC}/ack", f"{TOPIC}/event/#"]

    def arrived(self, message: MQTTMessage) -> None:
        if message.topic == f"{TOPIC}/ack":
            ack = json.loads(message.payload)
            self.acks.append((ack["through"], ack["id"]))

    def record(self, sequence: int, *, source: str = "/kiosk/rtm1/dock-3") -> None:
        event = {"source": source, "id": event_id(sequence), "sequence": f"{sequence:012d}"}
        self.publish(f"{TOPIC}/event/scan", json.dumps(event))

    def acknowledged(self, through: int) -> None:
        ack = (f"{through:012d}", event_id(through))
        self.wait_until(lambda: ack in self.acks, f"an ack through {through}")


def event_id(sequence: int) -> str:
    return f"3F0C9A1B-{sequence:012d}-7d1e40aa"


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[PlayedKiosk]:
    with Broker(tmp_path / "broker") as broker, PlayedKiosk(broker) as kiosk:
        program = tmp_path / "consumer.py"
        program.write_text(fences_of(PAGE, "python")[0])
        env = {**os.environ, "BROKER_PORT": str(broker.port)}
        consumer = subprocess.Popen([sys.executable, str(program)], cwd=tmp_path, env=env)
        try:
            yield kiosk
            assert consumer.poll() is None, "the consumer has crashed"
        finally:
            consumer.terminate()
            consumer.wait()


def test_example_acknowledges_up_to_the_first_gap(kiosk: PlayedKiosk) -> None:
    while not kiosk.acks:  # until the consumer has subscribed
        kiosk.record(1)
    kiosk.acknowledged(1)
    kiosk.record(2, source="/kiosk/rtm1/dock-4")
    kiosk.record(3)
    kiosk.record(2)
    kiosk.acknowledged(3)
    assert {through for through, _ in kiosk.acks} <= {f"{number:012d}" for number in (1, 3)}
    before = len(kiosk.acks)
    kiosk.record(1)
    kiosk.wait_until(lambda: len(kiosk.acks) > before, "an ack for a repeated event")
