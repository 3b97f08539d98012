"""Real processes against those who mean harm: other kiosks are served, and the centre goes on."""

import json
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from harness.broker import Broker
from harness.centre_process import CentreProcess
from harness.site import site_of
from harness.waiting import wait_for

ROOT = "kiosk/v1/rtm1"
DEEP = b"[" * 100_000


def publish(broker: Broker, messages: dict[str, bytes]) -> None:
    """Have payloads retained."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for topic, payload in messages.items():
        client.publish(f"{ROOT}/{topic}", payload, 1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_a_centre_starts_over_garbage_that_is_retained(tmp_path: Path) -> None:
    lists = ("operators", "boxes", "orders", "orders/a", "blocked/a")
    garbage = {f"reference/{name}": b'{"revision":4,"orders":{"a":1},"items":[],"x":' + DEEP for name in lists}
    garbage |= {f"agent/evil/{rest}": b'{"connection":1,"x":' + DEEP for rest in ("status", "health", "station/1")}
    garbage |= {"order/X": b'{"revision":4,"x":' + DEEP, "counted/X/a": DEEP, "agent/evil/event/x": b" " * 10_000_000}
    with Broker(tmp_path / "broker") as broker:
        publish(broker, garbage)
        with CentreProcess(tmp_path / "centre", [broker.port]) as centre:
            centre.start()
            time.sleep(3)
            assert centre.is_ready()
            assert "Traceback" not in centre.output()
            assert centre.get("/dead-letters")["items"]


def test_nothing_is_acknowledged_into_a_file_that_is_gone(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        site.wait_delivered()
        [file] = site.centre.data_dir.glob("*.sqlite")
        aside = file.with_name("aside")
        file.rename(aside)
        wait_for(lambda: not site.centre.is_ready(), "readyz to say so")
        site.bench.station.scan("lost-and-found")
        time.sleep(2)
        assert site.bench.kiosk.status()["health"]["uplink"]["backlog"] > 0
        aside.rename(file)
        site.wait_delivered(deadline_s=60)
        site.check()


def test_the_feed_stays_json_whatever_comes(tmp_path: Path) -> None:
    event = {
        "specversion": "1.0",
        "id": "AAAAAAAA-000000000001-7d1e40aa",
        "source": "/kiosk/rtm1/evil",
        "type": "kiosk.x.v1",
        "sequence": "000000000001",
    }
    with Broker(tmp_path / "broker") as broker, CentreProcess(tmp_path / "centre", [broker.port]) as centre:
        centre.start()
        for end in (b',"a":"\xff"}', b',"a":' + DEEP[:60_000] + b"}", b',"\xed\xa0\x80":1}', b',"a":1}'):
            publish(broker, {"agent/evil/event/x": json.dumps(event).encode()[:-1] + end})
        wait_for(lambda: len(json.loads(centre.api().get("/events").content)["items"]) == 1, "the event")
        assert len(centre.get("/dead-letters")["items"]) == 3
