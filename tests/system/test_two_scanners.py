"""Two scanners at once, at one station and at two: scans never mix, and stations never disturb each other."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.models import Event
from harness.scanner import interleave
from harness.warehouse import BADGES
from harness.world import OK, World, refused, world_of

COUNT = 60
DONE = Signalled("order_done", None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("two"), stations=("1", "2")) as found:
        yield found


def lines(units: list[str]) -> bytes:
    return b"".join(unit.encode() + b"\r" for unit in units)


def whole(order: str) -> Callable[[Event], bool]:
    """Return a condition: the event completes this order."""
    return lambda event: event.data.order == order and event.data.order_pending == 0


def test_two_stations_byte_by_byte(world: World) -> None:
    """Rules: faults.md#two-scanners-at-once, workflow.md#stations-are-independent."""
    orders = {name: world.simple(COUNT) for name in world.stations}
    operators = {"1": "E7", "2": "E8"}
    for name, (order, _) in orders.items():
        world.opened(order, world.stations[name], operator=operators[name])
    mark = world.mark()
    interleave(*((world.stations[name].scanners["left"], lines(units)) for name, (_, units) in orders.items()))
    for name, (order, units) in orders.items():
        signals = [world.stations[name].indicator.next().signalled for _ in units]
        assert signals == [OK] * (COUNT - 1) + [DONE]
        world.consumer.wait("scan.accepted", since=mark, where=whole(order))
        counted = [event for event in world.consumer.since(mark, "scan.accepted") if event.subject == order]
        assert [event.data.unit.id for event in counted] == units
        assert {(event.station, event.operator) for event in counted} == {(name, operators[name])}
        view = world.centre.wait_view(lambda view: view.pending == 0, name)
        assert (view.order, view.scanned) == (order, COUNT)


def test_two_scanners_of_one_station_byte_by_byte(world: World) -> None:
    """Rule: faults.md#two-scanners-at-once."""
    order, units = world.simple(2 * COUNT)
    station = world.opened(order)
    mark = world.mark()
    left, right = units[:COUNT], units[COUNT:]
    interleave((station.scanners["left"], lines(left)), (station.scanners["right"], lines(right)))
    signals = [station.indicator.next().signalled for _ in units]
    assert signals == [OK] * (2 * COUNT - 1) + [DONE]
    world.consumer.wait("scan.accepted", since=mark, where=lambda event: event.data.order_pending == 0)
    counted = [event.data for event in world.consumer.since(mark, "scan.accepted")]
    assert [data.unit.id for data in counted if data.scanner == "left"] == left
    assert [data.unit.id for data in counted if data.scanner == "right"] == right


def test_order_is_open_at_one_station_until_that_one_signs_out(world: World) -> None:
    """Rule: workflow.md#one-station-per-order."""
    order, units = world.simple(2)
    first, second = world.opened(order), world.fresh(world.stations["2"], operator="E8")
    assert first.scan(units[0]) == OK
    assert second.scan(order) == refused("order_in_use")
    assert first.scan(command("OUT")) == OK
    assert second.scan_all(order, units[1], command("SAVE")) == [OK, DONE, Signalled("boxed", None)]
    assert world.centre.wait_view(lambda view: view.order is None and not view.signed_in, "1").state == "ready"
    # The box and its state pass to the other station, and back.
    assert second.scan(command("OUT")) == OK
    assert first.scan_all(BADGES["E7"], order, command("SAVE")) == [OK, OK, Signalled("saved", None)]


def test_flood_at_one_station_leaves_the_other_alone(world: World) -> None:
    """Rules: workflow.md#stations-are-independent, faults.md#garbage-and-floods."""
    order, units = world.simple(20)
    calm, flooded = world.opened(order), world.fresh(world.stations["2"], operator="E8")
    flooded.scanners["left"].send(*(f"garbage {number}" for number in range(300)))
    assert [calm.scan(unit) for unit in units] == [OK] * 19 + [DONE]
    assert {flooded.indicator.next().signalled for _ in range(300)} == {refused("order_unknown")}


def connected(health: dict[str, Any]) -> dict[str, bool]:
    """Return the first station's scanners by name, and whether each is connected."""
    return {scanner["name"]: scanner["connected"] for scanner in health["scanners"] if scanner["station"] == "1"}


def test_unplugged_scanner_is_back_without_a_restart(world: World) -> None:
    """Rules: faults.md#scanner-unplugged, scanning.md#unreadable-scans."""
    order, units = world.simple(4)
    station = world.opened(order)
    left = station.scanners["left"]
    # The half scan comes in one write with a whole one, so that it is read when that one has its signal.
    left.write(f"{units[3]}\r{units[0][:7]}".encode())
    assert station.indicator.next().signalled == OK
    left.unplug()
    # The half scan is signalled and never counted; the other scanner goes on.
    assert station.indicator.next().signalled == refused("unreadable")
    assert station.scan(units[1], "right") == OK
    world.centre.wait_health(lambda health: connected(health) == {"left": False, "right": True}, "left is gone")
    left.plug()
    world.centre.wait_health(lambda health: connected(health) == {"left": True, "right": True}, "left is back")
    assert station.scan(units[0], "left") == OK, "the whole scan, not the rest of a half-read one"
    assert station.scan(units[2], "left") == DONE
