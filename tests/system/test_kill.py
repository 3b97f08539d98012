"""The daemon is killed again and again while the operator goes on scanning."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.views import StationView
from harness.waiting import DaemonEnded
from harness.world import World, world_of

KILLS = 25
LONGEST_LIFE_S = 0.5


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("kill")) as found:
        yield found


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the operator expects: devices in the open box and in confirmed boxes, and whether the box was created."""

    open_box: tuple[str, ...] = ()
    boxed: frozenset[str] = frozenset()
    boxing: bool = False

    @property
    def counted(self) -> frozenset[str]:
        return self.boxed | set(self.open_box)

    def stands(self, view: StationView) -> bool:
        """Return whether a published view says the same."""
        return (
            view.state == ("boxing" if self.boxing else "scanning")
            and view.scanned == len(self.counted)
            and (view.box.units if view.box is not None else 0) == len(self.open_box)
        )


@dataclass(frozen=True, kw_only=True)
class NextScan:
    """One scan, the signals that are right for it, and what the operator expects after it."""

    code: str
    signals: frozenset[str]
    after: Expected


def next_step(expected: Expected, waiting: list[str], chance: random.Random) -> NextScan:
    """Return the next scan: mostly a device, now and then UNDO, or SAVE and SAVE."""
    if expected.boxing:
        after = Expected(boxed=expected.counted)
        return NextScan(code=command("SAVE"), signals=frozenset({"saved"}), after=after)
    draw = chance.random()
    if expected.open_box and draw < 0.1:
        after = replace(expected, open_box=expected.open_box[:-1])
        return NextScan(code=command("UNDO"), signals=frozenset({"removed"}), after=after)
    if len(expected.open_box) > 2 and draw < 0.25:
        return NextScan(code=command("SAVE"), signals=frozenset({"boxed"}), after=replace(expected, boxing=True))
    unit = next(unit for unit in waiting if unit not in expected.counted)
    return NextScan(code=unit, signals=frozenset({"ok"}), after=replace(expected, open_box=(*expected.open_box, unit)))


@pytest.mark.parametrize("turn", [0, *(pytest.param(number, marks=pytest.mark.soak) for number in range(1, 9))])
def test_killed_at_any_instant_nothing_is_lost_or_counted_twice(world: World, turn: int) -> None:
    """25 kills; the long forms go on in the same journal with another order, 200 kills more.

    Rules: faults.md#power-cut, workflow.md#restart-keeps-the-state.
    """
    seed = random.randrange(2**32)
    print(f"turn {turn}, seed {seed}")
    chance = random.Random(seed)
    order, units = world.simple(3000)
    station = world.opened(order)
    journal = world.centre.wait_status("online").journal
    expected, scans = Expected(), 0

    for life in range(KILLS):
        killer = threading.Timer(chance.uniform(0, LONGEST_LIFE_S), world.kiosk.kill)
        killer.start()
        doubtful = None
        while doubtful is None:
            step = next_step(expected, units, chance)
            try:
                signalled = station.scan(step.code)
            except DaemonEnded:
                doubtful = step
            else:
                assert signalled.signal in step.signals, f"life {life}: {step.code}: {signalled}"
                expected, scans = step.after, scans + 1
        killer.join()
        world.kiosk.cut_power()
        # The will comes after everything that this life has published.
        world.centre.wait_status("offline")
        world.centre.forget_views()
        world.kiosk.start()

        after, before = doubtful.after, expected
        view = world.centre.wait_view(lambda view: view.order == order)
        assert before.stands(view) or after.stands(view), f"life {life}: neither {before} nor {after}, but {view}"
        assert (view.signed_in, view.operator, view.mode) == (True, "E7", "used")
        if after.stands(view):
            expected = after

    assert station.scan(command("WHERE")) == Signalled("where", None)
    assert world.kiosk.run("journal", "verify").returncode == 0
    exported = world.kiosk.exported()
    assert {event.journal for _, event in exported} == {journal}
    assert [event.number for _, event in exported] == list(range(1, len(exported) + 1))
    counts: Counter[str] = Counter()
    for _, event in exported:
        if event.subject != order:
            continue
        if event.kind == "scan.accepted":
            counts[event.data.unit.id] += 1
        elif event.kind == "scan.voided":
            counts[event.data.unit.id] -= 1
        assert set(counts.values()) <= {0, 1}, f"{event.id} counts a device twice"
    assert {unit for unit, count in counts.items() if count} == expected.counted
    assert world.delivered() == world.in_sequence()
    print(f"{scans} scans over {KILLS} kills")


def test_killed_with_a_step_pending_the_step_is_still_there(world: World) -> None:
    """Rule: workflow.md#restart-keeps-the-state."""
    order, _ = world.simple(1)
    station = world.opened(order)
    assert station.scan(command("ROLE", "PACK")) == Signalled("prompt", None)
    world.kiosk.cut_power()
    world.centre.wait_status("offline")
    world.centre.forget_views()
    world.kiosk.start()
    assert world.centre.wait_view(lambda view: view.order == order).state == "assigning"
    assert station.scan(command("SAVE")) == Signalled("reject", "badge_required")
