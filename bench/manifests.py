"""Measure a kiosk that knows 1,000 orders of 100 devices (`budgets.md#many-orders`).

Memory, look-ups, new manifests while it scans, and manifests by size.
"""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from agent.catalogue.catalogue import Catalogue
from agent.contract.messages import manifest_of, operators_of
from bench.centre import big_order, manifest, reference_messages, serial_units, tell
from bench.process import resident_bytes
from bench.results import Row, percentile
from bench.scan import BLOCK, FLOOR_US, append_block, save_box, scan_block
from bench.site import REPOSITORY, ROOT, TAC, Scratch
from bench.world import sign_in, world
from harness.codes import imei

__all__ = ["listed_order", "look_up", "measure"]

ORDERS = 1000
DEVICES = 100
SIZES = (10, 100, 1000, 5000)
ARRIVE_EVERY_S = 0.1
SETTLE_S = 3.0
OTHER_TAC = "35000000"


def listed_order(order: str, devices: int, *, first: int = 0, revision: int = 1) -> dict[str, Any]:
    """An order that lists its devices, each with two identifiers."""
    units = [[imei(OTHER_TAC, 2 * number), imei(OTHER_TAC, 2 * number + 1)] for number in range(first, first + devices)]
    line = {"line": "1", "sku": "P13", "flow": "used", "serialized": True, "quantity": devices, "units": units}
    return manifest(order, line, revision=revision)


def _sized(devices: int) -> dict[str, Any]:
    """An order that lists so many devices, and takes the big order's too, so that there is enough to scan."""
    order = listed_order(f"SIZE-{devices}", devices)
    order["lines"][0] |= {"tacs": [TAC], "quantity": 100_000}
    return order


def look_up(orders: int) -> list[float]:
    """Microseconds of each look-up that a scan may ask of the catalogue; half the codes are known to it."""
    catalogue = Catalogue()
    for number in range(orders):
        order = f"SO-{number:05d}"
        payload = json.dumps(listed_order(order, DEVICES, first=number * DEVICES)).encode()
        catalogue.put_manifest(manifest_of(order, payload, topic=order))
    operators = json.dumps(reference_messages()["reference/operators"]).encode()
    catalogue.put_operators(operators_of(operators, topic="operators"))
    while catalogue.recheck(100):
        pass
    asked = (catalogue.orders_by_code, catalogue.find_operator, catalogue.is_ambiguous, catalogue.is_blocked)
    known = [f"SO-{number:05d}" for number in range(0, orders, 2)]
    found = []
    for code, ask in itertools.product((*known, *(imei(OTHER_TAC, number) for number in range(len(known)))), asked):
        began = time.perf_counter_ns()
        ask(code)
        found.append((time.perf_counter_ns() - began) / 1e3)
    return found


@contextmanager
def _arriving(port: int, devices: int) -> Iterator[None]:
    """New manifests come, ten a second, from a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "bench.manifests", str(port), str(devices)], cwd=REPOSITORY)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def arrive(port: int, devices: int) -> None:
    """Retain a new revision of one order after the other, until killed."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for revision in itertools.count(int(time.time())):
        order = f"NEW-{revision % 50}"
        client.publish(f"{ROOT}/order/{order}", json.dumps(listed_order(order, devices, revision=revision)), 1, True)
        time.sleep(ARRIVE_EVERY_S)


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    count, rounds = (200, 3) if quick else (ORDERS, 6)
    with world(scratch, "one", big_order("SO-1", 100_000)) as (kiosk, _, _):
        kiosk.start()
        time.sleep(SETTLE_S)
        alone = resident_bytes(kiosk.pid)
        kiosk.stop()
    ours, reference = [], []
    with world(scratch, "many", big_order("SO-1", 100_000), *map(_sized, SIZES)) as (kiosk, _, broker):
        tell(broker.port, _many(count))
        kiosk.start()
        time.sleep(SETTLE_S)
        sign_in(kiosk, "SO-1")
        more = (resident_bytes(kiosk.pid) - alone) / 1e6
        units = serial_units()
        scan_block(kiosk, units)
        save_box(kiosk)
        with _arriving(broker.port, DEVICES):
            time.sleep(SETTLE_S)
            for _ in range(rounds):
                reference.append(append_block(scratch.path / "reference"))
                ours.append(scan_block(kiosk, units))
                save_box(kiosk)
        by_size = []
        for devices in SIZES:
            kiosk.expect("ok", f"SIZE-{devices}")
            block = scan_block(kiosk, units)
            save_box(kiosk)
            by_size.append({"devices": devices, "p50": percentile(block, 0.5), "p99": percentile(block, 0.99)})
        kiosk.stop()
    cached = f"{count:,} orders of {DEVICES} devices"
    return [
        Row(what=f"{cached} cached, more memory", unit="MB", ours=[more], at_most=25, samples={"by_size": by_size}),
        Row(what=f"{cached}, look-up p99", unit="us", ours=[percentile(look_up(count), 0.99)], at_most=10),
        Row(
            what="scan to signal p99, a new manifest of 100 devices every 0.1 s",
            unit="us", ours=[percentile(block, 0.99) for block in ours],
            reference=[max(percentile(block, 0.99), FLOOR_US) for block in reference], at_most=2.0,
            samples={"block": BLOCK},
        ),
    ]  # fmt: skip


def _many(count: int) -> dict[str, object]:
    return {
        f"order/MANY-{number}": listed_order(f"MANY-{number}", DEVICES, first=number * DEVICES)
        for number in range(count)
    }


if __name__ == "__main__":
    arrive(int(sys.argv[1]), int(sys.argv[2]))
