"""Measure the time from the last byte of a scan to the call of the indicator's driver (`budgets.md#scan-to-signal`).

The reference is an append and a flush from Python, at the same pace, in alternating blocks (`budgets.md#method`).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.results import Row, percentile
from bench.scratch import Scratch, kiosk_disk
from bench.world import DEADLINE_S, big_order, measured, open_order, save_box, serial_units, wait_ready
from harness.station import OperatorStation

__all__ = ["BLOCK", "FLOOR_US", "append_block", "measure", "paced", "scan_block"]

BLOCK = 500
PACE_NS = 2_000_000
FLOOR_US = 150.0
"""Where the reference takes less, this is taken for it (budgets.md#method)."""
BOUNDS = ((0.5, 1.0), (0.99, 1.2))
"""(percentile, bound) of budgets.md#scan-to-signal"""


def paced(count: int, pace_ns: int = PACE_NS) -> Iterator[None]:
    """Yield `count` times, every `pace_ns`; a late turn delays those after it."""
    due = time.monotonic_ns()
    for _ in range(count):
        due += pace_ns
        wait = due - time.monotonic_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        else:
            due -= wait
        yield


def append_block(path: Path, count: int = BLOCK, *, pace_ns: int = PACE_NS) -> list[float]:
    """Return the microseconds of each of `count` 400-byte appends with fdatasync: the reference."""
    record = b"x" * 399 + b"\n"
    found = []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        for _ in paced(count, pace_ns):
            began = time.monotonic_ns()
            os.write(fd, record)
            os.fdatasync(fd)
            found.append((time.monotonic_ns() - began) / 1e3)
    finally:
        os.close(fd)
    return found


def scan_block(station: OperatorStation, units: Iterator[str], count: int = BLOCK) -> list[float]:
    """Scan `count` units, which must all be accepted; return the microseconds from each write to the driver's call."""
    codes = [next(units).encode() for _ in range(count)]
    scanner, sent_ns = station.scanner(), []
    for number, (code, _) in enumerate(zip(codes, paced(count), strict=True)):
        # As with the reference, and with a person, the next one waits until the one before is done.
        station.indicator.wait(number, deadline_s=DEADLINE_S)
        sent_ns.append(scanner.send(code))
    shown = station.indicator.take(count, deadline_s=DEADLINE_S)
    wrong = [one for one in shown if one.signal != "ok"]
    if wrong:
        raise RuntimeError(f"{len(wrong)} scans were not accepted: {wrong[0]}")
    return [(one.at_ns - at) / 1e3 for one, at in zip(shown, sent_ns, strict=True)]


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    """Measure on an ext4 like a kiosk's, with its bounds, and on the disk at hand, without."""
    rounds = 3 if quick else 8
    rows: list[Row] = []
    with kiosk_disk(scratch) as disk:
        if disk is not None:
            rows += _measure(disk, rounds, "on an ext4", has_bounds=True)
    return rows + _measure(scratch, rounds, "on the disk at hand", has_bounds=False)


def _measure(scratch: Scratch, rounds: int, where: str, *, has_bounds: bool) -> list[Row]:
    """Alternate blocks of scans and of the reference; the kiosk is connected and a consumer acknowledges."""
    ours: list[list[float]] = []
    reference: list[list[float]] = []
    with measured(scratch, "scan", big_order("SO-1", 100_000)) as at:
        at.kiosk.start()
        wait_ready(at)
        open_order(at, "SO-1")
        units = serial_units()
        scan_block(at.station, units)  # warms up
        for number in range(rounds):
            reference.append(append_block(scratch.path / "reference"))
            ours.append(scan_block(at.station, units))
            if number % 2 == 0:
                save_box(at.station)
        at.kiosk.stop()
    return [
        Row(
            what=f"scan to signal, p{share * 100:.0f}, {where}",
            unit="us",
            ours=[percentile(block, share) for block in ours],
            reference=[max(percentile(block, share), FLOOR_US) for block in reference],
            at_most=bound if has_bounds else None,
            samples={"ours": ours, "reference": reference} if share == 0.5 else {},
        )
        for share, bound in BOUNDS
    ]
