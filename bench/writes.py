"""Measure what 10,000 scans cost the medium: flushes, and bytes that reach the block device.

The bounds are `budgets.md#flushes-per-scan` and `budgets.md#bytes-per-scan`.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.centre import big_order, serial_units
from bench.process import device_bytes
from bench.results import Row
from bench.scan import BLOCK, append_block, save_box, scan_block
from bench.site import MEMORY, Scratch, own_disk
from bench.world import sign_in, world

__all__ = ["measure"]

SETTLE_S = 2.5
REST_S = 7.0
"""Longer than housekeeping's round and the idle mark: what the scans left to be done is done."""
FLUSHES = "fdatasync,fsync,sync_file_range,msync,sync,syncfs"


@contextmanager
def _disk(scratch: Scratch) -> Iterator[tuple[Path, str]]:
    """Where to measure, and what that is."""
    with ExitStack() as undo:
        try:
            yield undo.enter_context(own_disk(scratch)), "ext4 of its own"
        except (OSError, subprocess.CalledProcessError):
            yield scratch.folder("disk"), "shared disk"


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    blocks = 4 if quick else 20
    with _disk(scratch) as (folder, disk):
        flushes, ours = _kiosk(Scratch(folder), blocks)
        before = _settled_bytes(folder)
        append_block(folder / "reference", blocks * BLOCK, pace_ns=0)
        reference = (_settled_bytes(folder) - before) / (blocks * BLOCK)
    rows = [
        Row(
            what=f"bytes to the block device per scan ({disk})",
            unit="B", ours=[ours], reference=[reference], at_most=2.5,
        )
    ]  # fmt: skip
    if flushes is not None:
        rows.insert(0, Row(what="flushes per scan", unit="", ours=[flushes], at_most=1.05))
    return rows


def _kiosk(scratch: Scratch, blocks: int) -> tuple[float | None, float]:
    """(flushes, bytes) per scan, checkpoints, marks and saved boxes included; no flushes where strace is missing."""
    strace = shutil.which("strace")
    log = MEMORY / f"{scratch.path.name}.strace"
    # As a grandchild (-D), strace leaves the daemon the child that is signalled and waited for.
    wrapper = [strace, "-D", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={FLUSHES}", "-o", str(log)] if strace else []
    with world(scratch, "kiosk", big_order("SO-1", 100_000), wrapper=wrapper) as (kiosk, _, _):
        kiosk.start()
        time.sleep(SETTLE_S)
        sign_in(kiosk, "SO-1")
        units = serial_units()
        lines, before = _flushes(log), _settled_bytes(kiosk.state_dir)
        for number in range(blocks):
            scan_block(kiosk, units)
            if number % 2:
                save_box(kiosk)
        time.sleep(REST_S)
        scans = blocks * BLOCK
        flushes = (_flushes(log) - lines) / scans if strace else None
        written = (_settled_bytes(kiosk.state_dir) - before) / scans
        kiosk.stop()
    log.unlink(missing_ok=True)
    return flushes, written


def _flushes(log: Path) -> int:
    """How many flushes began so far: a call that another one interrupted is told twice, its end as `resumed`."""
    if not log.exists():
        return 0
    with log.open() as file:
        return sum("resumed" not in line and "---" not in line for line in file)


def _settled_bytes(path: Path) -> int:
    os.sync()
    return device_bytes(path)
