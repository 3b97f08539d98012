"""The attacked kiosk, and the table of what each attack has cost."""

from collections.abc import Iterator

import pytest

from harness.world import World, world_of
from tests.system.attack.attacking import one_good_scan
from tests.system.attack.bounds import MEASURED, Bounds, measuring

DISK = 64 * 2**20
"""What all attacks on one kiosk may put on the disk."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A kiosk of two stations; attacks that need no kiosk of their own share it."""
    with world_of(tmp_path_factory.mktemp("attacked"), stations=("1", "2")) as found:
        one_good_scan(found)  # what every kiosk loads with its first scan is no growth
        with measuring(found.kiosk, "all attacks on one kiosk", Bounds(disk_bytes=DISK)):
            yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not MEASURED:
        return
    terminalreporter.section("what each attack has cost: growth at the worst moment / bound")
    for cost in MEASURED:
        growth, bounds = cost.growth, cost.bounds
        if not growth:
            continue
        neighbour = "" if cost.slowest_ms is None else f", neighbour's slowest signal {cost.slowest_ms:.0f} ms"
        terminalreporter.write_line(
            f"{cost.attack}: memory {growth['memory_kib'] / 1024:.1f}/{bounds.memory_kib / 1024:.0f} MB, "
            f"descriptors {growth['descriptors']}/{bounds.descriptors}, threads {growth['threads']}/{bounds.threads}, "
            f"disk {growth['disk_bytes'] / 2**20:.2f}/{bounds.disk_bytes / 2**20:.0f} MB{neighbour}"
        )
