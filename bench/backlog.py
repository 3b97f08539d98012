"""Measure what a million waiting events cost.

A commit: `budgets.md#commit-with-a-backlog`. Memory: `budgets.md#memory-per-waiting-event`. A start:
`budgets.md#start-with-a-long-journal`.
"""

import time
from pathlib import Path

from agent.journal import Journal
from bench.centre import big_order, serial_units
from bench.filling import add, commits, marked
from bench.process import resident_bytes
from bench.results import Row, percentile
from bench.scan import BLOCK, append_block, save_box, scan_block
from bench.site import Scratch
from bench.world import sign_in, world

__all__ = ["measure"]

WAITING = 1_000_000
UNSENT = 100_000
LEVELS = (0, 10_000, 100_000, 300_000, WAITING)
SETTLE_S = 3.0


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    """Two kiosks side by side, one with an empty journal and one that has waited long; the network is down."""
    waiting = WAITING // 10 if quick else WAITING
    rounds = 3 if quick else 6
    order = big_order("SO-1", 100_000)
    with (
        world(scratch, "none", order) as (none, _, none_broker),
        world(scratch, "waiting", order) as (full, full_consumer, full_broker),
    ):
        full_consumer.close()
        cost = _fill(scratch, full.state_dir / "journal", waiting)
        for kiosk in (none, full):
            kiosk.start()
        time.sleep(SETTLE_S)
        per_event = (resident_bytes(full.pid) - resident_bytes(none.pid)) / waiting
        sign_in(none, "SO-1")
        sign_in(full, "SO-1")
        # Without a network both uplinks do the same: nothing.
        none_broker.stop()
        full_broker.stop()
        units = {none: serial_units(), full: serial_units()}
        blocks = {none: [scan_block(none, units[none])], full: [scan_block(full, units[full])]}
        for number in range(rounds):
            for kiosk in (none, full):
                if number % 2:
                    save_box(kiosk)
                blocks[kiosk].append(scan_block(kiosk, units[kiosk]))
        none.stop()
        full.stop()
        none_broker.start()
        full_broker.start()
        marked(full.state_dir, waiting - UNSENT if waiting > UNSENT else waiting // 2)
        starts: dict[object, list[float]] = {none: [], full: []}
        for _ in range(rounds):
            for kiosk in (none, full):
                starts[kiosk].append(kiosk.start())
                kiosk.stop()
    p50 = {kiosk: [percentile(block, 0.5) for block in found[1:]] for kiosk, found in blocks.items()}
    return [
        Row(
            what=f"scan to signal p50, {waiting:,} events waiting against none",
            unit="us", ours=p50[full], reference=p50[none], at_most=1.2, samples={"levels": cost},
        ),
        Row(what="memory per waiting event", unit="B", ours=[per_event], at_most=20),
        Row(
            what=f"start, {waiting:,} events in the journal, a tenth unsent, against an empty journal",
            unit="s", ours=starts[full], reference=starts[none], at_most=1.5,
        ),
    ]  # fmt: skip


def _fill(scratch: Scratch, directory: Path, waiting: int) -> list[dict[str, float]]:
    """Fill a journal; on the way, a commit's p50 at each level, and that of an append and a flush beside it."""
    cost = []
    with Journal.open(directory) as journal:
        for level in LEVELS:
            if level > waiting:
                break
            add(journal, max(0, level - journal.last_position))
            flushed = percentile(append_block(scratch.path / "reference", BLOCK // 2, pace_ns=0), 0.5)
            cost.append({"waiting": level, "us": percentile(commits(journal, BLOCK // 2), 0.5), "flush_us": flushed})
    return cost
