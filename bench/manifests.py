"""Measure a kiosk that knows 1,000 orders of 100 devices (`budgets.md#many-orders`).

Memory, look-ups, new manifests while it scans, and manifests by size.
"""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from agent.catalogue.catalogue import Catalogue
from agent.contract.messages import manifest_of, operators_of
from bench.process import resident_bytes
from bench.results import Row, percentile
from bench.scan import FLOOR_US, append_block, scan_block
from bench.scratch import Scratch, kiosk_disk
from bench.world import (
    ROOT,
    TAC,
    big_order,
    expect,
    measured,
    open_order,
    publish,
    save_box,
    serial_units,
    wait_ready,
)
from harness.codes import imei
from harness.kiosk import REPOSITORY
from harness.warehouse import OPERATORS, line, manifest

__all__ = ["listed_order", "look_up", "measure"]

ORDERS = 1000
DEVICES = 100
SIZES = (10, 100, 1000, 5000)
ARRIVE_EVERY_S = 0.1
OTHER_TAC = "35000000"


def listed_order(order: str, devices: int, *, first: int = 0, revision: int = 1) -> dict[str, Any]:
    """Return an order that lists its devices, each with two identifiers."""
    units = [[imei(OTHER_TAC, 2 * number), imei(OTHER_TAC, 2 * number + 1)] for number in range(first, first + devices)]
    return manifest(order, line("1", "P13", devices, units=units), revision=revision)


def _sized(devices: int) -> dict[str, Any]:
    """Return an order that lists `devices`, and takes those of `serial_units` too, so that there is enough to scan."""
    order = listed_order(f"SIZE-{devices}", devices)
    order["lines"][0] |= {"tacs": [TAC], "quantity": 100_000}
    return order


def look_up(orders: int) -> list[float]:
    """Return the microseconds of each look-up that a scan may make in the catalogue, which knows half of the codes."""
    catalogue = Catalogue()
    for number in range(orders):
        order = f"SO-{number:05d}"
        payload = json.dumps(listed_order(order, DEVICES, first=number * DEVICES)).encode()
        catalogue.put_manifest(manifest_of(order, payload, topic=order))
    operators = json.dumps({"revision": 1, "items": OPERATORS}).encode()
    catalogue.put_operators(operators_of(operators, topic="operators"))
    while catalogue.recheck(100):
        pass
    asked: tuple[Callable[[str], object], ...] = (
        catalogue.orders_by_code, catalogue.find_operator, catalogue.is_ambiguous, catalogue.is_blocked,
    )  # fmt: skip
    known = [f"SO-{number:05d}" for number in range(0, orders, 2)]
    found = []
    for code, ask in itertools.product((*known, *(imei(OTHER_TAC, number) for number in range(len(known)))), asked):
        began = time.perf_counter_ns()
        ask(code)
        found.append((time.perf_counter_ns() - began) / 1e3)
    return found


@contextmanager
def _arriving(port: int, devices: int) -> Iterator[None]:
    """Have a process publish new manifests, ten a second; the first one is out when this yields."""
    command = [sys.executable, "-m", "bench.manifests", str(port), str(devices)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("no manifests come")
        try:
            yield
        finally:
            process.kill()


def arrive(port: int, devices: int) -> None:
    """Retain a new revision of one order after the other, until killed: the process of `_arriving`."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for revision in itertools.count(int(time.time())):
        order = f"NEW-{revision % 50}"
        payload = json.dumps(listed_order(order, devices, revision=revision))
        client.publish(f"{ROOT}/order/{order}", payload, qos=1, retain=True).wait_for_publish()
        print(order, flush=True)
        time.sleep(ARRIVE_EVERY_S)


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    count, rounds = (200, 3) if quick else (ORDERS, 6)
    with measured(scratch, "one", big_order("SO-1", 100_000)) as at:
        at.kiosk.start()
        wait_ready(at)
        alone = resident_bytes(at.kiosk.pid)
        at.kiosk.stop()
    with kiosk_disk(scratch) as disk:
        return _many(disk or scratch, count, rounds, alone, has_bounds=disk is not None)


def _many(scratch: Scratch, count: int, rounds: int, alone: int, *, has_bounds: bool) -> list[Row]:
    """Measure a kiosk that knows `count` orders; `alone` is the resident memory of one that knows a single order."""
    ours, reference, by_size = [], [], []
    with measured(scratch, "many", big_order("SO-1", 100_000), *map(_sized, SIZES)) as at:
        publish(
            at.broker,
            (listed_order(f"MANY-{number}", DEVICES, first=number * DEVICES) for number in range(count)),
        )
        at.kiosk.start()
        wait_ready(at)
        more = (resident_bytes(at.kiosk.pid) - alone) / 1e6
        open_order(at, "SO-1")
        units = serial_units()
        scan_block(at.station, units)  # warms up
        save_box(at.station)
        with _arriving(at.broker.port, DEVICES):
            for _ in range(rounds):
                reference.append(append_block(scratch.path / "reference"))
                ours.append(scan_block(at.station, units))
                save_box(at.station)
        for devices in SIZES:
            expect(at.station, "ok", f"SIZE-{devices}")
            block = scan_block(at.station, units)
            save_box(at.station)
            by_size.append({"devices": devices, "p50": percentile(block, 0.5), "p99": percentile(block, 0.99)})
        at.kiosk.stop()
    cached = f"{count:,} orders of {DEVICES} devices"
    return [
        Row(what=f"{cached} cached, more memory", unit="MB", ours=[more], at_most=25, samples={"by_size": by_size}),
        Row(what=f"{cached}, look-up p99", unit="us", ours=[percentile(look_up(count), 0.99)], at_most=10),
        Row(
            what=f"scan to signal p99, a new manifest of {DEVICES} devices every {ARRIVE_EVERY_S} s",
            unit="us", ours=[percentile(block, 0.99) for block in ours],
            reference=[max(percentile(block, 0.99), FLOOR_US) for block in reference],
            at_most=1.2 if has_bounds else None,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    arrive(int(sys.argv[1]), int(sys.argv[2]))
