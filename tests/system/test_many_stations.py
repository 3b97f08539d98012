"""Two hundred stations on one kiosk: more descriptors than select() and the usual limit allow."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.warehouse import BADGES
from harness.world import OK, World, world_of

STATIONS = [str(number) for number in range(1, 201)]
SCANNERS = ("left", "right", "front", "back", "spare")
"""Each is one descriptor of the daemon's."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("this machine allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with world_of(tmp_path, stations=STATIONS, scanners=SCANNERS, indicator="file", started=False) as found:
            # The daemon gets what most systems give a service, and raises it by itself.
            found.kiosk.limit_descriptors(1024, hard)
            yield found
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_two_hundred_stations_start_scan_and_stop(world: World) -> None:
    """Rules: workflow.md#stations-are-independent, commands.md#run."""
    world.kiosk.start()
    world.centre.wait_status("online")
    order, units = world.simple(len(STATIONS))
    for station in world.stations.values():
        assert station.scan(BADGES["E7"]) == OK
    first, *_, last = world.stations.values()
    assert first.scan(order) == OK
    assert first.scan(units[0]) == OK
    assert last.scan(order).reason == "order_in_use"
    assert len(os.listdir(f"/proc/{world.kiosk.pid}/fd")) > 1024
    assert world.centre.request("health")["health"]["uplink"]["online"]
    world.delivered()
    assert world.kiosk.stop() == 0
