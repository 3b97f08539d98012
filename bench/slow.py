"""Measure scans on a slow kiosk (`budgets.md#slow-kiosk`).

It has a tenth of one core, and a disk whose flush takes 20 ms and sometimes 500 ms.
"""

import os
import shutil
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.centre import big_order, serial_units
from bench.kiosk import Kiosk
from bench.results import Row, percentile
from bench.site import MEMORY, Scratch
from bench.world import sign_in, world

__all__ = ["Flush", "compiler", "cpu_quota", "flushed_ns", "flushes_of", "measure", "slow_disk"]

SHARE = 0.1
PERIOD_US = 100_000
FLUSH_MS = 20
SOMETIMES_MS = 500
PACE_S = 0.2
SETTLE_S = 12.0


class Flush(NamedTuple):
    """One flush: the thread that made it, and the monotonic nanoseconds of its beginning and end."""

    thread: int
    began: int
    ended: int


_RECORD = struct.Struct("=qqq")


def flushed_ns(flushes: Sequence[Flush], began: int, ended: int) -> int:
    """How much of the time between two monotonic nanoseconds lies in flushes."""
    return sum(max(0, min(one.ended, ended) - max(one.began, began)) for one in flushes)


@contextmanager
def cpu_quota() -> Iterator[Path | None]:
    """The `cgroup.procs` of a new control group with a tenth of one core; none where that cannot be made."""
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
            time.sleep(0.2)  # the kernel takes a moment to see that the group is empty
            folder.rmdir()


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc")


def slow_disk(scratch: Scratch, log: Path, *, usual_ms: int, sometimes_ms: int) -> dict[str, str]:
    """The environment in which a process has a slow disk, and tells `log` of each flush. Needs a `compiler`."""
    shim, source = scratch.path / "slow_disk.so", Path(__file__).with_name("slow_disk.c")
    subprocess.run([str(compiler()), "-shared", "-fPIC", "-O2", "-o", str(shim), str(source), "-ldl"], check=True)
    return {
        "LD_PRELOAD": str(shim),
        "SLOW_DISK_LOG": str(log),
        "SLOW_DISK_MS": str(usual_ms),
        "SLOW_DISK_SOMETIMES_MS": str(sometimes_ms),
    }


def flushes_of(log: Path) -> list[Flush]:
    """What `slow_disk` told."""
    return [Flush(*record) for record in _RECORD.iter_unpack(log.read_bytes())] if log.exists() else []


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    """One scan every 0.2 s, which no bench keeps up: all must be accepted, and cost little beside their flush."""
    with ExitStack() as undo:
        procs = undo.enter_context(cpu_quota())
        if procs is None or compiler() is None:
            print("slow: left out, it needs a C compiler and the right to make cgroups", file=sys.stderr)
            return []
        log = MEMORY / f"{scratch.path.name}.flushes"
        undo.callback(log.unlink, missing_ok=True)
        environment = slow_disk(scratch, log, usual_ms=FLUSH_MS, sometimes_ms=SOMETIMES_MS)
        into_group = ["sh", "-c", f'echo $$ > {procs} && exec "$@"', "sh"]
        kiosk, _, _ = undo.enter_context(
            world(scratch, "slow", big_order("SO-1", 1000), environment=environment, wrapper=into_group)
        )
        ready_s = kiosk.start()
        time.sleep(SETTLE_S)
        sign_in(kiosk, "SO-1")
        spans = _scans(kiosk, 40 if quick else 150)
        status = kiosk.status()
        kiosk.stop()
        rows = _rows(spans, _flushes(log), ready_s)
        if not status["health"]["uplink"]["online"]:
            raise RuntimeError("the slow kiosk lost its broker")
    return rows


def _scans(kiosk: Kiosk, count: int) -> list[tuple[int, int]]:
    """(written, shown) in monotonic nanoseconds of scans that come every 0.2 s, whether or not the last one is done."""
    units = serial_units()
    written = []
    due = time.monotonic()
    for _ in range(count):
        due += PACE_S
        time.sleep(max(0.0, due - time.monotonic()))
        written.append(kiosk.write(next(units).encode()))
    shown = kiosk.signals(count)
    lost = [line for line in shown if line["signal"] != "ok"]
    if lost:
        raise RuntimeError(f"{len(lost)} scans were not accepted: {lost[0]}")
    return [(at, int(line["monotonic_ns"])) for at, line in zip(written, shown, strict=True)]


def _flushes(log: Path) -> list[Flush]:
    """The flushes of the thread that made most of them: the scan path."""
    flushes = flushes_of(log)
    [(thread, _)] = Counter(one.thread for one in flushes).most_common(1)
    return [one for one in flushes if one.thread == thread]


def _rows(spans: list[tuple[int, int]], flushes: list[Flush], ready_s: float) -> list[Row]:
    whole = [(shown - at) / 1e6 for at, shown in spans]
    rest = [(shown - at - flushed_ns(flushes, at, shown)) / 1e6 for at, shown in spans]
    name = f"slow kiosk ({SHARE:.0%} of a core, flush {FLUSH_MS}/{SOMETIMES_MS} ms):"
    rows = [Row(what=f"{name} start to READY=1", unit="s", ours=[ready_s])]
    for share in (0.5, 0.99):
        rows += [
            Row(what=f"{name} scan to signal p{share * 100:.0f}", unit="ms", ours=[percentile(whole, share)]),
            Row(what=f"{name} the same less the flushes", unit="ms", ours=[percentile(rest, share)]),
        ]
    return rows
