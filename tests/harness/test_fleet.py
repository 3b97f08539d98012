"""Several real kiosks of one site share a broker and a consumer, and each has its own centre's word."""

from pathlib import Path

from harness.world import OK, fleet_of

NAMES = ("dock-1", "dock-2", "dock-3")


def test_each_kiosk_of_a_fleet_scans_and_is_heard_apart(tmp_path: Path) -> None:
    with fleet_of(tmp_path, NAMES) as worlds:
        orders = [world.simple(3, order=f"SO-{world.kiosk.name}") for world in worlds]
        for world, (order, units) in zip(worlds, orders, strict=True):
            assert world.opened(order).scan_all(*units[:2]) == [OK, OK]
        for world, (_, units) in zip(worlds, orders, strict=True):
            assert world.delivered() == world.in_sequence()
            events = [event for event in world.consumer.since(0, "scan.accepted") if event.source == world.kiosk.source]
            assert [event.data.unit.id for event in events] == units[:2]
