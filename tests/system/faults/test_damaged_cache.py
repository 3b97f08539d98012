"""A damaged manifest cache is rebuilt from the broker; the journal is not touched, and an open order goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.indicator import Signalled
from harness.waiting import wait_for
from harness.warehouse import BADGES, OPERATORS
from harness.world import OK, World, refused


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x20
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cached(world: World) -> list[Path]:
    return sorted((world.kiosk.state_dir / "cache").glob("*.db"))


LONG = [pytest.param(damage, marks=pytest.mark.soak) for damage in (empty, garble, Path.unlink)]


@pytest.mark.parametrize("damage", [flip, cut, replace_by_a_folder, *LONG])
def test_damaged_while_an_order_is_open(own: World, damage: Callable[[Path], None]) -> None:
    """Rule: faults.md#damaged-cache."""
    own.kiosk.start()
    own.centre.wait_status("online")
    order, units = own.simple(3)
    station = own.opened(order)
    assert station.scan(units[0]) == OK
    wait_for(lambda: len(cached(own)) >= 2, "the cache to be written")
    own.broker.kill()
    own.kiosk.cut_power()
    for path in cached(own):
        damage(path)
    own.kiosk.start()
    assert station.scan_all(units[0], units[1]) == [Signalled("again", "already_counted"), OK], "the order goes on"
    assert station.scan(BADGES["E8"]).signal == "reject", "who E8 is stood in the cache"
    assert own.kiosk.run("journal", "verify").returncode == 0

    seen = len(own.centre.statuses)
    own.broker.start()
    own.centre.wait_status("online", after=seen, deadline_s=60)
    own.centre.operators(1, OPERATORS)
    own.centre.settle()
    assert station.scan(BADGES["E8"]) == OK, "rebuilt from the broker"
    assert station.scan(units[2]).signal == "order_done"
    other, _ = own.simple(1)
    assert station.scan(other) == refused("box_open"), "a new order is cached"
    if damage is not Path.unlink:
        assert any("damaged" in error for error in own.centre.request("health")["health"]["errors"])
    assert own.delivered() == own.in_sequence()
    assert own.kiosk.stop() == 0
