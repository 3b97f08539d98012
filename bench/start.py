"""Measure a start and the memory of an idle kiosk, against the imports of `bench.imports`.

A start lasts from exec to READY=1 (`budgets.md#start`). The memory is `budgets.md#resident-memory`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.process import drop_page_cache, resident_bytes
from bench.results import Row
from bench.scratch import Scratch
from bench.world import DEADLINE_S, big_order, measured, wait_ready
from harness.kiosk import REPOSITORY

__all__ = ["imports", "measure"]


@contextmanager
def imports() -> Iterator[tuple[float, int]]:
    """Run a process that imports the reference's modules; yield the seconds from its exec, and its process id."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "bench.imports"], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the modules cannot be imported")
        yield time.monotonic() - began, process.pid
        if process.stdin is not None:
            process.stdin.close()


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    warm, cold = (3, 2) if quick else (8, 5)
    rows = [_start(scratch, rounds=warm, is_cold=False), _resident(scratch, rounds=2 if quick else 3)]
    if drop_page_cache():
        rows.insert(1, _start(scratch, rounds=cold, is_cold=True))
    return rows


def _start(scratch: Scratch, *, rounds: int, is_cold: bool) -> Row:
    """Start on an empty state directory, with a broker. The first round, which warms up, does not count."""
    ours, reference = [], []
    for number in range(rounds + 1):
        with measured(scratch, "start", big_order("SO-1", 10)) as at:
            if is_cold:
                drop_page_cache()
            ready_s = at.kiosk.start(deadline_s=DEADLINE_S)
            at.kiosk.stop()
        if is_cold:
            drop_page_cache()
        with imports() as (imported_s, _):
            pass
        if number:
            ours.append(ready_s)
            reference.append(imported_s)
    what = f"start to READY=1, empty state, {'cold' if is_cold else 'warm'} cache"
    return Row(what=what, unit="s", ours=ours, reference=reference, at_most=1.2)


def _resident(scratch: Scratch, *, rounds: int) -> Row:
    ours, reference = [], []
    for _ in range(rounds):
        with measured(scratch, "start", big_order("SO-1", 10)) as at, imports() as (_, pid):
            at.kiosk.start()
            wait_ready(at)
            ours.append(resident_bytes(at.kiosk.pid) / 1e6)
            reference.append(resident_bytes(pid) / 1e6)
            at.kiosk.stop()
    return Row(what="resident memory, idle, one order cached", unit="MB", ours=ours, reference=reference, at_most=1.2)
