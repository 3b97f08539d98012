"""A scanner that repeats the code it has just read makes one event.

Rule: scanning.md#bounce.
"""

from collections.abc import Iterator

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.warehouse import line
from harness.world import OK, World, refused, world_of

AGAIN = Signalled("again", None)
BOUNCE_MS = 5000
"""So long that two scans of one burst are always within it."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("bounce"), workflow={"bounce_ms": BOUNCE_MS}) as found:
        yield found


def test_save_by_a_trembling_hand_does_not_confirm(world: World) -> None:
    """Rule: scanning.md#bounce."""
    order, units = world.simple(2)
    station = world.opened(order)
    save = command("SAVE")
    assert station.burst("left", units[0], save, save, save) == [OK, Signalled("boxed", None), AGAIN, AGAIN]
    assert station.scan(save, "right") == Signalled("saved", None), "another scanner's SAVE is no bounce"


def test_product_and_quantity_count_once(world: World) -> None:
    """Rule: scanning.md#bounce."""
    sku = world.supply.sku()
    order = world.order(line("1", sku, 9, serialized=False))
    station = world.opened(order)
    quantity = command("QTY", 2)
    signals = station.burst("left", quantity, quantity, sku, sku)
    assert signals == [Signalled("prompt", None), AGAIN, OK, AGAIN]
    assert world.centre.wait_view(lambda view: view.order == order and view.scanned == 2).pending == 7


def test_unit_and_refusal_get_their_first_signal_again_without_an_event(world: World) -> None:
    """Rule: scanning.md#bounce."""
    order, units = world.simple(2)
    station = world.opened(order)
    stranger = world.supply.imei()
    mark = world.mark()
    assert station.burst("left", units[0], units[0]) == [OK, OK]
    assert station.burst("left", stranger, stranger) == [refused("not_on_order")] * 2
    assert station.scan(units[1], "right") == Signalled("order_done", None)
    world.consumer.wait("scan.accepted", since=mark, where=lambda event: event.data.order_pending == 0)
    assert [event.kind for event in world.consumer.since(mark)] == ["scan.accepted", "scan.rejected", "scan.accepted"]
