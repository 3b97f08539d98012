"""Measure scans on a slow kiosk (`budgets.md#slow-kiosk`).

It has a tenth of one core, and a disk whose flush takes 20 ms and sometimes 500 ms.
"""

import os
import shutil
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.results import Row, percentile
from bench.scan import paced
from bench.scratch import MEMORY, Scratch
from bench.world import DEADLINE_S, big_order, measured, open_order, serial_units, wait_ready
from harness.station import OperatorStation
from harness.waiting import wait_for

__all__ = ["Flush", "compiler", "cpu_quota", "flushed_ns", "flushes_of", "measure", "slow_disk"]

SHARE = 0.1
PERIOD_US = 100_000
FLUSH_MS = 20
SOMETIMES_MS = 500
PACE_S = 0.2
START_S = 300.0
BOUND = 0.1
"""budgets.md#slow-kiosk"""


class Flush(NamedTuple):
    """One flush: the thread that made it, and when it began and ended, in monotonic nanoseconds."""

    thread: int
    began: int
    ended: int


_RECORD = struct.Struct("=qqq")


def flushed_ns(flushes: Sequence[Flush], began: int, ended: int) -> int:
    """Return how many of the nanoseconds between two monotonic times lie in flushes."""
    return sum(max(0, min(one.ended, ended) - max(one.began, began)) for one in flushes)


@contextmanager
def cpu_quota() -> Iterator[Path | None]:
    """Yield the `cgroup.procs` of a new control group with a tenth of one core; None where none can be made."""
    name = f"kiosk-bench-{os.getpid()}"
    folder: Path | None = None
    for root, settings in (
        (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": PERIOD_US, "cpu.cfs_quota_us": int(PERIOD_US * SHARE)}),
        (Path("/sys/fs/cgroup"), {"cpu.max": f"{int(PERIOD_US * SHARE)} {PERIOD_US}"}),
    ):
        try:
            folder = root / name
            folder.mkdir()
            for setting, value in settings.items():
                (folder / setting).write_text(str(value))
            break
        except OSError:
            if folder is not None and folder.is_dir():
                folder.rmdir()
            folder = None
    try:
        yield None if folder is None else folder / "cgroup.procs"
    finally:
        if folder is not None:
            wait_for(lambda: _is_removed(folder), f"{folder} to be empty")


def _is_removed(folder: Path) -> bool:
    """Remove a control group; return whether it is gone. The kernel takes a moment to see that it is empty."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def slow_disk(scratch: Scratch, log: Path, *, usual_ms: int, sometimes_ms: int) -> dict[str, str]:
    """Return the environment that gives a process a slow disk and records each flush in `log`. Needs a `compiler`."""
    shim, source = scratch.path / "slow_disk.so", Path(__file__).with_name("slow_disk.c")
    subprocess.run([str(compiler()), "-shared", "-fPIC", "-O2", "-o", str(shim), str(source), "-ldl"], check=True)
    return {
        "LD_PRELOAD": str(shim),
        "SLOW_DISK_LOG": str(log),
        "SLOW_DISK_MS": str(usual_ms),
        "SLOW_DISK_SOMETIMES_MS": str(sometimes_ms),
    }


def flushes_of(log: Path) -> list[Flush]:
    """Return the flushes that `slow_disk` has recorded."""
    return [Flush(*record) for record in _RECORD.iter_unpack(log.read_bytes())] if log.exists() else []


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    """Scan every 0.2 s, whether or not the kiosk keeps up; all scans must be accepted."""
    with ExitStack() as undo:
        procs = undo.enter_context(cpu_quota())
        if procs is None or compiler() is None:
            print("slow: left out; it needs a C compiler and the right to make control groups", file=sys.stderr)
            return []
        log = MEMORY / f"{scratch.path.name}.flushes"
        undo.callback(log.unlink, missing_ok=True)
        environment = slow_disk(scratch, log, usual_ms=FLUSH_MS, sometimes_ms=SOMETIMES_MS)
        into_group = ["sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh"]
        at = undo.enter_context(
            measured(scratch, "slow", big_order("SO-1", 1000), environment=environment, wrapper=into_group)
        )
        ready_s = at.kiosk.start(deadline_s=START_S)
        wait_ready(at)
        open_order(at, "SO-1")
        spans = _scans(at.station, 40 if quick else 150)
        status = at.kiosk.status()
        at.kiosk.stop()
        rows = _rows(spans, _flushes(log), ready_s)
        if not status["health"]["uplink"]["online"]:
            raise RuntimeError("the slow kiosk has lost its broker")
    return rows


def _scans(station: OperatorStation, count: int) -> list[tuple[int, int]]:
    """Return (written, shown) of each scan, in monotonic nanoseconds."""
    units, scanner = serial_units(), station.scanner()
    written = [scanner.send(next(units)) for _ in paced(count, int(PACE_S * 1e9))]
    shown = station.indicator.take(count, deadline_s=DEADLINE_S)
    refused = [one for one in shown if one.signal != "ok"]
    if refused:
        raise RuntimeError(f"{len(refused)} scans were not accepted: {refused[0]}")
    return [(at, one.at_ns) for at, one in zip(written, shown, strict=True)]


def _flushes(log: Path) -> list[Flush]:
    """Return the flushes of the thread that made most of them: the scan path."""
    flushes = flushes_of(log)
    [(thread, _)] = Counter(one.thread for one in flushes).most_common(1)
    return [one for one in flushes if one.thread == thread]


def _rows(spans: list[tuple[int, int]], flushes: list[Flush], ready_s: float) -> list[Row]:
    whole = [(shown - at) / 1e6 for at, shown in spans]
    rest = [(shown - at - flushed_ns(flushes, at, shown)) / 1e6 for at, shown in spans]
    name = f"slow kiosk ({SHARE:.0%} of a core, flush {FLUSH_MS}/{SOMETIMES_MS} ms):"
    rows = [Row(what=f"{name} start to READY=1", unit="s", ours=[ready_s])]
    for share in (0.5, 0.99):
        rows.append(Row(what=f"{name} scan to signal p{share * 100:.0f}", unit="ms", ours=[percentile(whole, share)]))
        rows.append(
            Row(
                what=f"{name} p{share * 100:.0f} less the flushes, against a flush",
                unit="ms",
                ours=[percentile(rest, share)],
                reference=[float(FLUSH_MS)],
                at_most=BOUND if share == 0.99 else None,
            )
        )
    return rows
