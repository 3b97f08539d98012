"""Measure what a million waiting events cost.

A commit: `budgets.md#commit-with-a-backlog`. Memory: `budgets.md#memory-per-waiting-event`. A start:
`budgets.md#start-with-a-long-journal`.
"""

from pathlib import Path

from agent.journal import Journal
from bench.filling import add, commits, marked
from bench.process import resident_bytes, wait_idle
from bench.results import Row, percentile
from bench.scan import BLOCK, append_block, scan_block
from bench.scratch import Scratch
from bench.world import DEADLINE_S, big_order, measured, open_order, save_box, serial_units, wait_ready

__all__ = ["measure"]

WAITING = 1_000_000
UNSENT = 100_000
LEVELS = (0, 10_000, 100_000, 300_000, WAITING)


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    """Measure two kiosks side by side: one with an empty journal, one whose events have waited long."""
    waiting = WAITING // 10 if quick else WAITING
    rounds = 3 if quick else 6
    order = big_order("SO-1", 100_000)
    with measured(scratch, "none", order) as none, measured(scratch, "waiting", order) as full:
        full.consumer.close()
        cost = _fill(scratch, full.kiosk.state_dir / "journal", waiting)
        for at in (none, full):
            at.kiosk.start(deadline_s=DEADLINE_S)
            wait_ready(at)
            open_order(at, "SO-1")
        # Without a network both uplinks do the same: nothing.
        for at in (none, full):
            at.broker.stop()
            wait_idle(at.kiosk.pid)
        per_event = (resident_bytes(full.kiosk.pid) - resident_bytes(none.kiosk.pid)) / waiting
        units = {at: serial_units() for at in (none, full)}
        blocks = {at: [scan_block(at.station, units[at])] for at in (none, full)}  # warms up
        for number in range(rounds):
            for at in (none, full):
                if number % 2:
                    save_box(at.station)
                blocks[at].append(scan_block(at.station, units[at]))
        for at in (none, full):
            at.kiosk.stop()
            at.broker.start()
        marked(full.kiosk.state_dir, waiting - UNSENT if waiting > UNSENT else waiting // 2)
        starts: dict[object, list[float]] = {none: [], full: []}
        for _ in range(rounds):
            for at in (none, full):
                starts[at].append(at.kiosk.start(deadline_s=DEADLINE_S))
                at.kiosk.stop()
    p50 = {at: [percentile(block, 0.5) for block in found[1:]] for at, found in blocks.items()}
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
    """Fill a journal; return a commit's p50 at each level on the way, with that of an append and flush beside it."""
    cost = []
    with Journal.open(directory) as journal:
        for level in LEVELS:
            if level > waiting:
                break
            add(journal, max(0, level - journal.last_position))
            flushed = percentile(append_block(scratch.path / "reference", BLOCK // 2, pace_ns=0), 0.5)
            cost.append({"waiting": level, "us": percentile(commits(journal, BLOCK // 2), 0.5), "flush_us": flushed})
    return cost
