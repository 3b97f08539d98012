"""With a real broker: Mosquitto on the loopback, and a consumer that stores and acknowledges."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agent.uplink.oneshot import publish_status_once, retire, try_connect
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings
from tests.uplink.kiosks import DEADLINE_S, Kiosk, LockedJournal, running

AGENT = "kiosk/v1/rtm1/agent/dock-3"

pytestmark = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")


class Mosquitto:
    """A broker process that can be stopped and started again, forgetting everything."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            threading.Event().wait(0.02)
        raise AssertionError("mosquitto does not start")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(DEADLINE_S)
            self._process = None


@pytest.fixture(name="mosquitto")
def _mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


class Centre:
    """Stores events by id and acknowledges what it has without a gap; keeps what the kiosk retains."""

    def __init__(self, port: int) -> None:
        self.ids: list[str] = []
        self.content_types: set[str] = set()
        self.retained: dict[str, bytes] = {}
        self._sequences: set[int] = set()
        self._through = 0
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._paho = Paho(CallbackAPIVersion.VERSION2, client_id="centre", protocol=MQTTProtocolVersion.MQTTv5)
        self._paho.on_connect = lambda client, *_: client.subscribe(f"{AGENT}/#", 1)
        self._paho.on_subscribe = lambda *_: self._subscribed.set()
        self._paho.on_message = self._on_message
        self._paho.reconnect_delay_set(1, 1)
        self._paho.connect("127.0.0.1", port)
        self._paho.loop_start()
        assert self._subscribed.wait(DEADLINE_S)

    def _on_message(self, client: Paho, _userdata: object, message: MQTTMessage) -> None:
        with self._changed:
            if message.topic.startswith(f"{AGENT}/event/"):
                document = json.loads(message.payload)
                self.ids.append(document["id"])
                self.content_types.add(getattr(message.properties, "ContentType", ""))
                self._sequences.add(int(document["sequence"]))
                while self._through + 1 in self._sequences:
                    self._through += 1
                ack = {"journal": document["id"][:8], "through": f"{self._through:012d}"}
                client.publish(f"{AGENT}/ack", json.dumps(ack), qos=1, retain=True)
            elif not message.topic.endswith("/ack"):
                self.retained[message.topic] = bytes(message.payload)
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_S), (len(self.ids), self.retained)

    def status(self) -> str | None:
        payload = self.retained.get(f"{AGENT}/status")
        return json.loads(payload)["state"] if payload else None

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()


@contextmanager
def centre_at(port: int) -> Iterator[Centre]:
    centre = Centre(port)
    try:
        yield centre
    finally:
        centre.close()


@pytest.mark.parametrize(("protocol", "confirm"), [(5, Confirm.CONSUMER), (5, Confirm.BROKER), (311, Confirm.CONSUMER)])
def test_everything_arrives_in_sequence(mosquitto: Mosquitto, protocol: int, confirm: Confirm) -> None:
    journal = LockedJournal(events=400)
    kiosk = Kiosk(mosquitto.port, journal=journal, protocol=protocol, confirm=confirm)
    with centre_at(mosquitto.port) as centre:
        with running(kiosk):
            kiosk.until(lambda: kiosk.uplink.health().acked == 400)
            centre.until(lambda: len(centre.ids) >= 400)
            assert centre.ids == [event.id for event in journal.events]
            assert centre.content_types == ({"application/cloudevents+json"} if protocol == 5 else {""})
            assert centre.status() == "online"
            kiosk.uplink.stop(reason="upgrade", timeout_s=DEADLINE_S)
        centre.until(lambda: centre.status() == "offline")
        assert json.loads(centre.retained[f"{AGENT}/status"])["reason"] == "upgrade"


def test_a_broker_that_restarts_with_its_memory_lost_gets_everything(mosquitto: Mosquitto) -> None:
    journal = LockedJournal(events=200)
    # The consumer comes back after the kiosk: what was published to nobody must be sent again.
    kiosk = Kiosk(mosquitto.port, journal=journal, ack_timeout_s=0.3)
    with centre_at(mosquitto.port) as centre, running(kiosk):
        kiosk.until(lambda: kiosk.uplink.health().acked == 200)
        mosquitto.stop()
        kiosk.until(lambda: not kiosk.uplink.health().online)
        for _ in range(100):
            journal.commit()
        kiosk.uplink.wake()
        mosquitto.start()
        kiosk.until(lambda: kiosk.uplink.health().acked == 300)
        assert set(centre.ids) == {event.id for event in journal.events}


def test_a_second_client_with_our_id_makes_a_duplicate(mosquitto: Mosquitto) -> None:
    # Mosquitto before 2.0.12 tells nobody that his session was taken over; over MQTT 3.1.1 no broker can.
    kiosk, other = Kiosk(mosquitto.port, protocol=311), Kiosk(mosquitto.port, protocol=311)
    with running(kiosk):
        kiosk.until(lambda: kiosk.uplink.health().online)
        with running(other):
            kiosk.until(lambda: kiosk.uplink.health().situation.duplicate_id)


def settings(port: int, protocol: int = 5) -> BrokerSettings:
    return BrokerSettings(hosts=(("127.0.0.1", port),), protocol=protocol, tls=False)


@pytest.mark.parametrize("protocol", [5, 311])
def test_the_check_connects_and_says_so_in_one_line(mosquitto: Mosquitto, protocol: int) -> None:
    line = try_connect(settings(mosquitto.port, protocol), DeliverySettings(), site="rtm1", kiosk="dock-3")
    assert f"127.0.0.1:{mosquitto.port}: connected" in line
    assert "NOT encrypted" in line
    assert line.isprintable()


def test_the_check_says_what_the_broker_must_be_set_to(mosquitto: Mosquitto) -> None:
    delivery = DeliverySettings(confirm=Confirm.BROKER)
    line = try_connect(settings(mosquitto.port), delivery, site="rtm1", kiosk="dock-3")
    assert "persistent session" in line


def test_a_failed_start_leaves_its_status(mosquitto: Mosquitto) -> None:
    with centre_at(mosquitto.port) as centre:
        publish_status_once(
            settings(mosquitto.port), site="rtm1", kiosk="dock-3", version="1.2.3", reason="journal damaged"
        )
        centre.until(lambda: centre.status() == "failed")
        assert json.loads(centre.retained[f"{AGENT}/status"])["reason"] == "journal damaged"


@pytest.mark.parametrize("protocol", [5, 311])
def test_retiring_clears_what_is_retained(mosquitto: Mosquitto, protocol: int) -> None:
    kiosk = Kiosk(mosquitto.port)
    kiosk.uplink.publish_view("station/1", b"{}")
    kiosk.uplink.publish_view("station/gone", b"{}")
    kiosk.uplink.publish_view("health", b"{}")
    with centre_at(mosquitto.port) as centre, running(kiosk):
        centre.until(lambda: len(centre.retained) == 4)
        kiosk.uplink.stop(reason="retired", timeout_s=DEADLINE_S)
        cleared = retire(settings(mosquitto.port, protocol), site="rtm1", kiosk="dock-3", stations=["1"])
        assert set(cleared) == {f"{AGENT}/{name}" for name in ("status", "health", "station/1", "station/gone")}
        centre.until(lambda: set(centre.retained.values()) == {b""})
