"""Signals at bad moments: nothing signalled is lost, and the next start stands where this one ended."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.waiting import DaemonEnded, wait_for
from harness.world import OK, World, world_of
from tests.system.attack.attacking import attacked, one_good_scan, opened

SEED = 20261128
SHORT, LONG = 1, 150
"""Starts that are interrupted."""

DONE = Signalled("order_done", None)


@pytest.mark.parametrize("count", [100, pytest.param(20_000, marks=pytest.mark.soak)])
def test_hangups(world: World, count: int) -> None:
    """Rule: commands.md#reload."""
    with attacked(world, f"{count} SIGHUPs"):
        for _ in range(count):
            os.kill(world.kiosk.pid, signal.SIGHUP)
            time.sleep(0.002)
        world.centre.settle()


def test_signals_that_mean_nothing(world: World) -> None:
    """Rule: commands.md#run."""
    with attacked(world, "SIGWINCH, SIGPIPE, SIGCHLD, SIGURG, SIGCONT"):
        for number in (signal.SIGWINCH, signal.SIGPIPE, signal.SIGCHLD, signal.SIGURG, signal.SIGCONT):
            os.kill(world.kiosk.pid, number)
            time.sleep(0.01)


def is_stopped(pid: int) -> bool:
    return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()


def test_stopped_and_continued(world: World) -> None:
    """Scans that come while the daemon is stopped have their signals once it goes on. It is killed by no watchdog.

    Rules: signals.md#one-signal-per-scan, scanning.md#framing.
    """
    order, units = world.simple(6)
    station = opened(world, order)
    os.kill(world.kiosk.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: is_stopped(world.kiosk.pid), "the daemon to be stopped")
        station.scanners["left"].send(*units[:3])
        station.scanners["right"].send(*units[3:])
        time.sleep(1)
        assert station.indicator.left() == []
    finally:
        os.kill(world.kiosk.pid, signal.SIGCONT)
    assert [station.indicator.next().signalled for _ in units] == [OK] * 5 + [DONE]
    one_good_scan(world)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    with world_of(tmp_path, stations=("1", "2"), started=False) as found:
        yield found


def stands_with(world: World, order: str, scanned: int) -> None:
    """Check that the first station stands in `order` after a start, with so many devices counted."""
    view = world.centre.wait_view(lambda view: view.order == order)
    assert (view.state, view.operator, view.scanned) == ("scanning", "E7", scanned)


@pytest.mark.parametrize("count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)])
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.soak)])
def test_signal_in_the_middle_of_a_start(own: World, number: signal.Signals, count: int) -> None:
    """A start that is ended this way ends as a stop does, or by the signal itself before it has begun.

    Rules: commands.md#exit-codes, workflow.md#restart-keeps-the-state.
    """
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    own.start()
    order, units = own.simple(2)
    assert own.opened(order).scan(units[0]) == OK
    assert own.kiosk.stop() == 0
    for _ in range(count):
        own.kiosk.spawn()
        time.sleep(chance.uniform(0.02, 0.6))
        if own.kiosk.alive():
            os.kill(own.kiosk.pid, number)
        time.sleep(0.05)
        code = own.kiosk.stop()
        assert code in (0, -number, -signal.SIGTERM), f"{code}: {own.kiosk.output()[-2000:]}"
    own.centre.forget_views()
    own.start()
    stands_with(own, order, 1)
    assert own.station.scan(units[1]) == DONE
    assert own.delivered() == own.in_sequence()
    assert own.kiosk.stop() == 0


@pytest.mark.parametrize(
    "number",
    [
        *(
            pytest.param(one, marks=pytest.mark.soak)
            for one in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT)
        ),
        signal.SIGUSR1,
    ],
)
def test_signal_in_the_middle_of_a_flood(own: World, number: signal.Signals) -> None:
    """Whatever was signalled is in the journal, and counts after the next start.

    Rules: faults.md#power-cut, signals.md#success-means-on-disk.
    """
    own.start()
    order, units = own.simple(60)
    station = own.opened(order)
    station.scanners["left"].send(*units[:50])
    os.kill(own.kiosk.pid, number)
    own.kiosk.wait()
    with pytest.raises(DaemonEnded):
        station.indicator.wait(51, deadline_s=5)
    signalled = [shown.signal for shown in station.indicator.left()]
    assert set(signalled) <= {"ok"}
    own.kiosk.cut_power()
    own.centre.forget_views()
    own.start()
    view = own.centre.wait_view(lambda view: view.order == order)
    assert view.scanned is not None
    assert view.scanned >= len(signalled), "a signalled scan is lost"
    assert station.scan(units[-1]) == OK
    assert station.scan(command("WHERE")).signal == "where"
    assert own.delivered() == own.in_sequence()
    assert own.kiosk.stop() == 0
