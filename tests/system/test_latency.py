"""Each scan gets one signal. The time that it takes is printed, and is no part of the test."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.warehouse import line
from harness.world import World, world_of

SCANS = 500


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("latency")) as found:
        yield found


def test_scan_to_signal(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Rule: signals.md#one-signal-per-scan."""
    units = world.supply.imeis(SCANS)
    order = world.order(line("1", world.supply.sku(), SCANS + 1, tacs=[world.supply.tac]))
    station = world.opened(order)
    before = len(station.indicator.shown)
    took_ns = []
    for unit in units:
        station.scanners["left"].send(unit)
        sent_ns = time.monotonic_ns()
        took_ns.append(station.indicator.next().at_ns - sent_ns)
    assert not station.indicator.left()
    shown = station.indicator.shown[before:]
    assert [one.signal for one in shown] == ["ok"] * SCANS
    assert [one.at_ns for one in shown] == sorted(one.at_ns for one in shown)
    hundredths = statistics.quantiles(took_ns, n=100)
    with capsys.disabled():
        print(f"\nscan to signal: p50 {hundredths[49] / 1e6:.2f} ms, p99 {hundredths[98] / 1e6:.2f} ms")


def test_burst_without_waiting_gets_one_signal_each(world: World) -> None:
    """Rule: signals.md#one-signal-per-scan."""
    units = world.supply.imeis(SCANS)
    order = world.order(line("1", world.supply.sku(), SCANS, tacs=[world.supply.tac]))
    station = world.opened(order)
    signals = [shown.signal for at in range(0, SCANS, 50) for shown in station.burst("left", *units[at : at + 50])]
    assert signals == ["ok"] * (SCANS - 1) + ["order_done"]
    assert not station.indicator.left()


def test_indicator_may_be_a_plain_file(tmp_path: Path) -> None:
    """Rule: settings.md#indicator."""
    with world_of(tmp_path, indicator="file") as world:
        order, units = world.simple(20)
        signals = [signalled.signal for signalled in world.opened(order).scan_all(*units)]
        assert signals == ["ok"] * 19 + ["order_done"]
