"""Measure how fast a backlog is published, acknowledged and marked, against paho alone (`budgets.md#drain`)."""

import json
import subprocess
import sys
import threading
import time

from bench.filling import fill
from bench.results import Row
from bench.scratch import Scratch
from bench.world import DEADLINE_S, KIOSK, ROOT, Measured, drained, measured
from harness.kiosk import REPOSITORY

__all__ = ["drain_kiosk", "drain_paho", "measure"]

REFERENCE_BYTES = 400
INFLIGHT = 100


def drain_paho(port: int, count: int) -> float:
    """Return messages a second of paho as people use it: its own loop thread, QoS 1, 100 in flight.

    Runs in a process of its own: `python -m bench.drain PORT COUNT`.
    """
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(INFLIGHT)
    answered = 0
    done = threading.Event()
    connected = threading.Event()

    def on_publish(*_: object) -> None:
        nonlocal answered
        answered += 1
        if answered == count:
            done.set()

    client.on_publish = on_publish
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait(DEADLINE_S)
    payload = b"x" * REFERENCE_BYTES
    began = time.monotonic()
    for _ in range(count):
        client.publish(f"{ROOT}/agent/{KIOSK}/event/scan", payload, qos=1)
    if not done.wait(DEADLINE_S):
        raise TimeoutError(f"{answered} of {count} messages were answered")
    took_s = time.monotonic() - began
    client.disconnect()
    client.loop_stop()
    return count / took_s


def drain_kiosk(at: Measured, count: int) -> float:
    """Return events a second, from the first that the consumer has to the last; the kiosk's journal was filled."""
    at.kiosk.start()
    seen = at.consumer.wait(count, deadline_s=DEADLINE_S)
    drained(at.kiosk)
    at.kiosk.stop()
    return (seen.count - 1) / ((seen.last_ns - seen.first_ns) / 1e9)


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    rounds, count = (2, 5_000) if quick else (3, 20_000)
    ours, reference = [], []
    for number in range(rounds):
        with measured(scratch, f"drain-{number}") as at:
            fill(at.kiosk.state_dir, count)
            ours.append(drain_kiosk(at, count))
            alone = subprocess.run(
                [sys.executable, "-m", "bench.drain", str(at.broker.port), str(count)],
                cwd=REPOSITORY, capture_output=True, check=True,
            )  # fmt: skip
            reference.append(json.loads(alone.stdout))
    return [Row(what="backlog to broker, acknowledged", unit="/s", ours=ours, reference=reference, at_least=0.9)]


if __name__ == "__main__":
    print(json.dumps(drain_paho(int(sys.argv[1]), int(sys.argv[2]))))
