"""Measure the time from the last byte of a scan to the call of the indicator's driver (`budgets.md#scan-to-signal`).

The reference is an append and a flush from Python, at the same pace, in alternating blocks (`budgets.md#method`).
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.centre import big_order, serial_units
from bench.kiosk import Kiosk
from bench.results import Row, percentile
from bench.site import Scratch, own_disk
from bench.world import sign_in, world
from harness.codes import command

__all__ = ["append_block", "measure", "save_box", "scan_block"]

BLOCK = 500
PACE_NS = 2_000_000
SETTLE_S = 2.5
FLOOR_US = 150.0


def paced(count: int, pace_ns: int = PACE_NS) -> Iterator[None]:
    """Come back `count` times, one every `pace_ns`."""
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
    """The reference: microseconds of each 400-byte append and fdatasync."""
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


def scan_block(kiosk: Kiosk, units: Iterator[str], count: int = BLOCK) -> list[float]:
    """Microseconds from the write to the indicator's call, of scans that are all accepted."""
    codes = [next(units).encode() for _ in range(count)]
    sent = []
    for number, (code, _) in enumerate(zip(codes, paced(count), strict=True)):
        # Like the reference, and like a person, the next one waits for the one before, should that take longer.
        kiosk.await_signals(number)
        sent.append(kiosk.write(code))
    shown = kiosk.signals(count)
    wrong = [line for line in shown if line["signal"] != "ok"]
    if wrong:
        raise RuntimeError(f"{len(wrong)} scans were not accepted: {wrong[0]}")
    return [(line["monotonic_ns"] - at) / 1e3 for line, at in zip(shown, sent, strict=True)]


def save_box(kiosk: Kiosk) -> None:
    kiosk.expect("boxed", command("SAVE"))
    time.sleep(0.55)  # a second SAVE sooner is a bounce
    kiosk.expect("saved", command("SAVE"))


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    """On the disk at hand, and on an ext4 as mkfs makes it: one without a journal of its own, as some machines have it,
    spares the reference most of what a growing file costs."""
    rounds = 3 if quick else 8
    rows = _measure(scratch, rounds, "")
    with ExitStack() as undo:
        try:
            folder = undo.enter_context(own_disk(scratch))
        except (OSError, subprocess.CalledProcessError) as exc:
            print(f"no ext4 of its own here: {exc}", file=sys.stderr)
            return rows
        return rows + _measure(Scratch(folder), rounds, ", ext4 of its own")


def _measure(scratch: Scratch, rounds: int, where: str) -> list[Row]:
    """Alternating blocks, the kiosk connected all the time and a consumer acking."""
    ours: list[list[float]] = []
    reference: list[list[float]] = []
    with world(scratch, "scan", big_order("SO-1", 100_000)) as (kiosk, _, _):
        kiosk.start()
        time.sleep(SETTLE_S)
        sign_in(kiosk, "SO-1")
        units = serial_units()
        scan_block(kiosk, units)
        for number in range(rounds):
            reference.append(append_block(scratch.path / "reference"))
            ours.append(scan_block(kiosk, units))
            if number % 2 == 0:
                save_box(kiosk)
        kiosk.stop()
    return [
        Row(
            what=f"scan to signal, p{share * 100:.0f}{where}",
            unit="us",
            ours=[percentile(block, share) for block in ours],
            reference=[max(percentile(block, share), FLOOR_US) for block in reference],
            at_most=bound,
            samples={"ours": ours, "reference": reference} if share == 0.5 and not where else {},
        )
        for share, bound in ((0.5, 1.8), (0.99, 2.0))
    ]
