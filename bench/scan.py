"""From the last byte of a scan to the indicator driver's call, against an append and a flush at the same pace."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.world import Kiosk
from tests.system.harness.codes import command

BLOCK = 500
PACE_NS = 2_000_000
BOX = 1000


def paced(count: int) -> Iterator[None]:
    """Come back `count` times, one every 2 ms."""
    due = time.monotonic_ns()
    for _ in range(count):
        due += PACE_NS
        wait = due - time.monotonic_ns()
        if wait > 0:
            time.sleep(wait / 1e9)
        else:
            due -= wait
        yield


def append_block(path: Path, count: int = BLOCK) -> list[float]:
    """The reference: microseconds of each 400-byte append and fdatasync."""
    record = b"x" * 399 + b"\n"
    found = []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        for _ in paced(count):
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
