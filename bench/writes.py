"""Measure what 10,000 scans cost the medium: flushes, and bytes that reach the block device.

The bounds are `budgets.md#flushes-per-scan` and `budgets.md#bytes-per-scan`.
"""

import os
import shutil
import time
from pathlib import Path

from bench.process import device_bytes
from bench.results import Row
from bench.scan import BLOCK, append_block, scan_block
from bench.scratch import MEMORY, Scratch, kiosk_disk
from bench.world import big_order, measured, open_order, save_box, serial_units, wait_ready

__all__ = ["measure"]

REST_S = 7.0
"""Part of what is measured: longer than a round of housekeeping, which makes the checkpoints and marks of the scans."""
FLUSHES = "fdatasync,fsync,sync_file_range,msync,sync,syncfs"


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    blocks = 4 if quick else 20
    with kiosk_disk(scratch) as disk:
        at = disk or scratch
        flushes, ours = _kiosk(at, blocks)
        before = _settled_bytes(at.path)
        append_block(at.path / "reference", blocks * BLOCK, pace_ns=0)
        reference = (_settled_bytes(at.path) - before) / (blocks * BLOCK)
        rows = [
            Row(
                what=f"bytes to the block device per scan, {'on an ext4' if disk else 'on the disk at hand'}",
                unit="B", ours=[ours], reference=[reference], at_most=2.5 if disk else None,
            )
        ]  # fmt: skip
    if flushes is not None:
        rows.insert(0, Row(what="flushes per scan", unit="", ours=[flushes], at_most=1.05))
    return rows


def _kiosk(scratch: Scratch, blocks: int) -> tuple[float | None, float]:
    """Return (flushes, bytes) per scan, with checkpoints, marks and saved boxes; no flushes where strace is missing."""
    strace = shutil.which("strace")
    log = MEMORY / f"{scratch.path.name}.strace"
    # -D makes strace the grandchild, so that our child is the daemon, which is signalled and waited for.
    wrapper = [strace, "-D", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={FLUSHES}", "-o", str(log)] if strace else []
    with measured(scratch, "kiosk", big_order("SO-1", 100_000), wrapper=wrapper) as at:
        at.kiosk.start()
        wait_ready(at)
        open_order(at, "SO-1")
        units = serial_units()
        lines, before = _flushes(log), _settled_bytes(at.kiosk.state_dir)
        for number in range(blocks):
            scan_block(at.station, units)
            if number % 2:
                save_box(at.station)
        time.sleep(REST_S)
        scans = blocks * BLOCK
        flushes = (_flushes(log) - lines) / scans if strace else None
        written = (_settled_bytes(at.kiosk.state_dir) - before) / scans
        at.kiosk.stop()
    log.unlink(missing_ok=True)
    return flushes, written


def _flushes(log: Path) -> int:
    """Return how many flushes have begun. A call that another thread interrupts has a second line, `resumed`."""
    if not log.exists():
        return 0
    with log.open() as file:
        return sum("resumed" not in line and "---" not in line for line in file)


def _settled_bytes(path: Path) -> int:
    os.sync()
    return device_bytes(path)
