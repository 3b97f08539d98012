"""How fast a backlog goes out, acknowledged and marked, against paho alone."""

import json
import os
import sys
import threading
import time
from pathlib import Path

from agent.clock import SystemClock
from agent.cloudevents import Envelope, document
from agent.events import Rejected
from agent.journal import Journal
from agent.reasons import Reason
from bench.world import DEADLINE_S, KIOSK, ROOT, SITE, Kiosk

__all__ = ["drain_kiosk", "drain_paho", "fill"]

REFERENCE_BYTES = 400
INFLIGHT = 100


def fill(state_dir: Path, events: int, *, delivered: int = 0, code_bytes: int = 15) -> None:
    """Make a journal as a kiosk without network leaves it: one refused scan a commit, which changes no state.

    Flushes are left out while it is made, and made up for at the end: nothing of this is measured.
    """
    clock = SystemClock()
    flush, os.fdatasync = os.fdatasync, lambda _: None
    try:
        with Journal.open(state_dir / "journal") as journal:
            for sequence in range(1, events + 1):
                envelope = Envelope(
                    source=f"/kiosk/{SITE}/{KIOSK}",
                    journal=journal.id,
                    boot_id=clock.boot_id(),
                    time=clock.utc_text(),
                    uptime_ms=sequence,
                    clock_synced=True,
                )
                refused = Rejected(
                    station="1", by="E7", reason=Reason.UNKNOWN_CODE, code=f"{sequence:0{code_bytes}d}", seen=None,
                    symbology=None, scanner="left", order=None,
                )  # fmt: skip
                if sequence > delivered > 0:
                    journal.mark(min(delivered, sequence - 1))
                journal.commit([document(refused, envelope, sequence)])
    finally:
        os.fdatasync = flush
    os.sync()


def drain_paho(port: int, count: int) -> float:
    """Messages a second of paho as people use it: its own loop thread, QoS 1, 100 in flight; until the last PUBACK.

    Run in a process of its own: `python -m bench.drain PORT COUNT`.
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


def drain_kiosk(kiosk: Kiosk, count: int, seen_before: int, consumer: object) -> float:
    raise NotImplementedError


if __name__ == "__main__":
    print(json.dumps(drain_paho(int(sys.argv[1]), int(sys.argv[2]))))
