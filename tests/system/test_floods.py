"""What the network can make a kiosk take up: memory and disk stay bounded, and work goes on."""

import uuid
from pathlib import Path

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.waiting import wait_for
from harness.warehouse import line
from harness.world import OK, World, world_of

SAVE, PACK = command("SAVE"), command("PACK")
LARGE_BYTES = 200_000_000


@pytest.mark.parametrize("protocol", [5, 311])
def test_a_huge_retained_message_is_discarded_as_it_arrives(tmp_path: Path, protocol: int) -> None:
    """Rule: mqtt.md#oversize-messages."""
    with world_of(tmp_path, mqtt={"protocol": protocol}) as world:
        connection = world.kiosk.status()["health"]["connection"]
        before_kib = world.kiosk.resident_kib()
        topic = f"{world.centre.root}/order/BIG"
        world.centre.post(topic, bytes(LARGE_BYTES), retain=True)
        wait_for(lambda: any(topic in one for one in errors(world)), "the message in health", deadline_s=60.0)
        assert any(str(LARGE_BYTES) in one for one in errors(world))
        assert world.kiosk.resident_kib() - before_kib < 16_384
        assert world.kiosk.status()["health"]["connection"] == connection, "the connection stays"
        if protocol == 5:  # under MQTT 3.1.1 events have no properties, which the consumer looks for
            order, units = world.simple(1)
            assert world.opened(order).scan(units[0]).signal == "order_done"


def errors(world: World) -> list[str]:
    return list(world.kiosk.status()["health"]["errors"])


@pytest.mark.parametrize("changed", ["one number", "every line"])
def test_a_flood_of_revisions_fills_no_disk_and_pack_sees_the_newest(tmp_path: Path, changed: str) -> None:
    """Rule: workflow.md#manifest-revisions."""
    with world_of(tmp_path) as world:
        sku, units = world.supply.sku(), world.supply.imeis(2)
        listed = [[unit] for unit in units]
        order = world.order(line("1", sku, 1, units=listed), revision=1)
        station = world.opened(order)
        assert station.scan(units[0]) == Signalled("order_done", None)
        before = world.kiosk.disk_bytes()
        for revision in range(2, 62):
            text = uuid.UUID(int=revision if changed == "every line" else 0).hex
            padding = [{**line(str(number), f"{number:05d}-{text}", 1), "name": text * 8} for number in range(2, 450)]
            world.centre.order(order, line("1", sku, 1, units=listed), *padding, revision=revision)
        world.centre.order(order, line("1", sku, 2, units=listed), revision=62)
        world.centre.settle()
        assert station.scan(PACK).signal == "reject", "revision 62 orders two"
        assert station.scan(units[1]) == Signalled("order_done", None)
        grown = world.kiosk.disk_bytes() - before
        assert grown < 6_000_000, "not the 10 MB of all revisions"
        assert world.consumer.wait("order.revised").data.order == order


def test_more_orders_than_allowed_are_counted_in_health(tmp_path: Path) -> None:
    """Rule: mqtt.md#bounded-memory."""
    with world_of(tmp_path, workflow={"max_orders": 5}) as world:
        orders = [world.simple(1) for _ in range(8)]
        wait_for(lambda: world.kiosk.status()["health"]["orders_not_cached"] == 3, "three orders to be left out")
        assert world.opened(orders[0][0]).scan(orders[0][1][0]).signal == "order_done"
        assert world.fresh().scan(orders[7][0]).signal == "reject"
        for order, _ in orders[1:4]:
            world.centre.withdraw(order)
        wait_for(lambda: world.kiosk.status()["health"]["orders_not_cached"] == 0, "room to be used")
        world.centre.settle()
        assert world.fresh().scan(orders[7][0]) == OK
