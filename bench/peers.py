"""The same work by others: the storages of thingsboard-gateway, and the bare script that people write."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.journal import Journal
from bench.filling import add, commits
from bench.results import Row, percentile
from bench.scan import BLOCK, paced, scan_block
from bench.scratch import MEMORY, Scratch
from bench.slow import compiler, flushes_of, slow_disk
from bench.world import big_order, measured, open_order, serial_units, wait_ready
from harness.kiosk import REPOSITORY
from harness.scanner import PtyScanner

__all__ = ["measure"]

INSTALLED = Path(__file__).with_name(".peers")
PACKAGES = ("thingsboard-gateway==3.8.5", "simplejson", "pybase64")
"""Installed without their dependencies: only the storages run, and one dependency would replace our paho."""
BATCH = 128


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    rows = _bare_script(scratch, rounds=1 if quick else 3)
    if not _is_installed():
        print("peers: thingsboard-gateway cannot be installed, its storages are left out", file=sys.stderr)
        return rows
    count = 1000 if quick else 5000
    for kind in ("file", "sqlite"):
        rows += _storage(scratch, kind, count)
    return rows


def _is_installed() -> bool:
    if (INSTALLED / "thingsboard_gateway").is_dir():
        return True
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(INSTALLED), *PACKAGES]
    return subprocess.run(pip, capture_output=True).returncode == 0


# -- storages ----------------------------------------------------------------------------------------------------


def _storage(scratch: Scratch, kind: str, count: int) -> list[Row]:
    log = MEMORY / f"{scratch.path.name}.flushes"
    log.unlink(missing_ok=True)
    counted = slow_disk(scratch, log, usual_ms=0, sometimes_ms=0) if compiler() else {}
    done = subprocess.run(
        [sys.executable, "-m", "bench.peer_storage", kind, str(scratch.folder(f"peer-{kind}")), str(count)],
        cwd=REPOSITORY,
        env={**os.environ, **counted, "PYTHONPATH": str(INSTALLED)},
        capture_output=True,
        check=True,
    )
    peer = json.loads(done.stdout)
    flushes = len(flushes_of(log)) / count
    log.unlink(missing_ok=True)
    ours, per_s = _journal(scratch, count)
    name = f"thingsboard-gateway's {kind} storage"
    flushed = f" ({flushes:.2g} flushes an event)" if counted else ""
    return [
        Row(
            what=f"our commit, flushed, against a put of {name}{flushed}, p50",
            unit="us", ours=[percentile(ours, 0.5)], reference=[percentile(peer["puts"], 0.5)],
        ),
        Row(what=f"our journal read against packs of {name}", unit="/s", ours=[per_s], reference=[peer["per_s"]]),
    ]  # fmt: skip


def _journal(scratch: Scratch, count: int) -> tuple[list[float], float]:
    """Return the microseconds of each commit, and the events a second read back in the uplink's batches and marked."""
    with Journal.open(scratch.folder("peer-ours") / "journal") as journal:
        costs = commits(journal, min(count, 1000))
        add(journal, count - journal.last_position)
        began = time.monotonic()
        with journal.reader(after=0) as reader:
            while reader.read(BATCH):
                pass
        journal.mark(journal.last_position)
        journal.flush_mark()
        return costs, count / (time.monotonic() - began)


# -- the bare script ---------------------------------------------------------------------------------------------


@contextmanager
def _bare_blocks(folder: Path, broker_port: int) -> Iterator[Callable[[Iterator[str]], list[float]]]:
    """Run the bare script; yield a function that scans a block and returns the microseconds from write to beep."""
    scanner = PtyScanner(folder / "bare")
    command = [sys.executable, "-m", "bench.bare_script", str(scanner.path), str(broker_port)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:

        def line() -> str:
            if process.stdout is None:
                raise RuntimeError("the script has no output")
            return process.stdout.readline()

        def block(units: Iterator[str]) -> list[float]:
            found = []
            for code, _ in zip(units, paced(BLOCK), strict=False):
                sent_ns = scanner.send(code)
                found.append((int(line()) - sent_ns) / 1e3)
            return found

        try:
            line()  # it is ready
            yield block
        finally:
            process.kill()
            scanner.close()


def _bare_script(scratch: Scratch, *, rounds: int) -> list[Row]:
    ours, theirs = [], []
    with (
        measured(scratch, "bare", big_order("SO-1", 100_000)) as at,
        _bare_blocks(scratch.path, at.broker.port) as bare_block,
    ):
        at.kiosk.start()
        wait_ready(at)
        open_order(at, "SO-1")
        units = serial_units()
        for _ in range(rounds):
            theirs.append(percentile(bare_block(serial_units()), 0.5))
            ours.append(percentile(scan_block(at.station, units, BLOCK // 2), 0.5))
        at.kiosk.stop()
    return [
        Row(
            what="our scan to signal, on disk, against a bare serial-to-paho script's beep, p50",
            unit="us", ours=ours, reference=theirs,
        )
    ]  # fmt: skip
