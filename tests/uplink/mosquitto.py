"""A Mosquitto broker on the loopback interface, and a consumer that stores events and acknowledges them."""

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

from tests.uplink.kiosks import DEADLINE_S

__all__ = ["AGENT", "Centre", "Mosquitto", "centre_at", "needs_mosquitto"]

AGENT = "kiosk/v1/rtm1/agent/dock-3"

needs_mosquitto = pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")


class Mosquitto:
    """A broker process that can be restarted and then remembers nothing."""

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


class Centre:
    """A consumer: it stores events by id, acknowledges what it has without a gap, and keeps the retained topics."""

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
