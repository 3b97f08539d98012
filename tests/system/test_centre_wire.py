"""What the centre says beside manifests and lists: counted parts, tombstones, parts of the index, verdicts."""

from typing import Any

from agent.contract.order_index import part_of
from harness.codes import command
from harness.indicator import Signalled
from harness.warehouse import line
from harness.world import OK, World, refused

AGAIN = Signalled("again", "already_counted")
PROMPT = Signalled("prompt", None)
BOXED = Signalled("boxed", None)
SAVED = Signalled("saved", None)
DONE = Signalled("order_done", None)
CONFIRMED = Signalled("confirmed", None)
SAVE, PACK, CONFIRM, REMOVE, CLOSE = map(command, ("SAVE", "PACK", "CONFIRM", "REMOVE", "CLOSE"))


def box(id: str, *units: str, kiosk: str = "dock-9") -> dict[str, Any]:
    contents = [{"line": "1", "quantity": len(units), "units": list(units)}] if units else []
    return {"box": id, "kiosk": kiosk, "contents": contents}


def test_counted_parts_count_as_scanned_until_they_go(world: World) -> None:
    """Rules: mqtt.md#counted-parts, workflow.md#counted-at-another-kiosk."""
    order, units = world.simple(3)
    world.centre.counted(order, "a", 1, [box("99999999000001", units[0])])
    world.centre.settle()
    mark = world.mark()
    station = world.opened(order)
    told = world.consumer.wait("order.counted", since=mark).data
    assert [one.box for one in told.added] == ["99999999000001"]
    assert station.scan(units[0]) == AGAIN
    assert station.scan_all(REMOVE, units[0]) == [PROMPT, refused("not_in_box")]

    mark = world.mark()
    world.centre.counted(order, "b", 7, [box("88888888000001", units[1], kiosk="dock-8")])
    world.consumer.wait("order.counted", since=mark)
    assert station.scan_all(units[1], units[2]) == [AGAIN, DONE]

    # What the other kiosk has voided again is gone: its part is removed by an empty message.
    mark = world.mark()
    world.centre.tell(f"counted/{order}/b", None)
    assert world.consumer.wait("order.counted", since=mark).data.removed == ["88888888000001"]
    assert station.scan_all(SAVE, SAVE, PACK) == [BOXED, SAVED, refused("quantity_mismatch")]
    assert station.scan_all(units[1], SAVE, SAVE, PACK, CONFIRM) == [DONE, BOXED, SAVED, PROMPT, CONFIRMED]


def test_own_boxes_in_the_counted_parts_are_left_out(world: World) -> None:
    """Rules: mqtt.md#counted-parts, workflow.md#counted-at-another-kiosk."""
    order, units = world.simple(2)
    station = world.opened(order)
    mark = world.mark()
    assert station.scan_all(units[0], SAVE, SAVE) == [OK, BOXED, SAVED]
    own = world.consumer.wait("box.confirmed", since=mark).data.box
    world.centre.counted(order, "0", 1, [box(own, units[0], kiosk=world.centre.kiosk)])
    world.centre.settle()
    assert station.scan(units[1]) == DONE
    assert not world.consumer.since(mark, "order.counted")


def test_a_tombstone_closes_the_order_at_once_and_keeps_the_counts(world: World) -> None:
    """Rules: mqtt.md#tombstones, workflow.md#closed-while-open."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan(units[0]) == OK
    mark = world.mark()
    world.centre.tell(f"order/{order}", {"order": order, "revision": 5, "status": "packed"})
    assert station.indicator.next().reason == "order_closed"
    revised = world.consumer.wait("order.revised", since=mark).data
    assert (revised.status, revised.misfits) == ("packed", [])
    assert station.scan(units[1]) == refused("order_closed")
    assert world.centre.wait_view(lambda view: view.order == order and view.scanned == 1).pending == 1


def test_reopen_is_the_revision_below_which_packings_are_undone(world: World) -> None:
    """Rule: workflow.md#packed-orders-stay-closed."""
    sku, unit = world.supply.sku(), world.supply.imei()
    lines = [line("1", sku, 1, units=[[unit]])]
    order = world.order(*lines)
    station = world.opened(order)
    assert station.scan_all(unit, SAVE, SAVE, PACK, CONFIRM)[-1] == CONFIRMED
    world.order(*lines, order=order, revision=4, reopen=1)
    assert station.scan(order) == refused("order_closed"), "packed at 1, which is not lower than 1"
    world.order(*lines, order=order, revision=5, reopen=5)
    assert station.scan_all(order, PACK, CONFIRM) == [OK, PROMPT, CONFIRMED]
    world.order(*lines, order=order, revision=6, reopen=5)
    assert station.scan(order) == refused("order_closed"), "packed at 5, which is not lower than 5"


def test_a_part_of_the_index_withdraws_what_it_does_not_name(world: World) -> None:
    """Rule: mqtt.md#order-index."""
    kept, gone = world.order(line("1", "SKU-A", 1)), world.order(line("1", "SKU-B", 1))
    station = world.fresh()
    for order in (kept, gone):
        assert station.scan_all(order, CLOSE) == [OK, OK]
    parts: dict[str, dict[str, int]] = {part_of(gone): {}}
    parts.setdefault(part_of(kept), {})[kept] = 1
    for part, orders in parts.items():
        world.centre.index_part(part, 1, orders)
    world.centre.settle()
    assert station.scan(gone) == refused("order_closed")
    assert station.scan_all(kept, CLOSE) == [OK, OK]
    for part in parts:
        world.centre.tell(f"reference/orders/{part}", None)
    world.centre.settle()
    assert station.scan_all(kept, CLOSE) == [OK, OK], "an empty message withdraws nothing"


def test_a_verdict_without_a_unit_holds_the_whole_order(world: World) -> None:
    """Rules: mqtt.md#verdicts, workflow.md#held-orders."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan(units[0]) == OK
    mark, name = world.mark(), f"V{world.supply.number()}"
    world.centre.verdict(name, 1, "hold", order, None)
    assert station.indicator.next().reason == "held"
    assert world.consumer.wait("order.held", since=mark).data.unit is None
    assert station.scan_all(units[0], units[1]) == [AGAIN, refused("held")]
    world.centre.tell(f"agent/{world.centre.kiosk}/verdict/{name}", None)
    world.centre.settle()
    assert station.scan(units[1]) == refused("held"), "an empty message changes nothing by itself"
    world.centre.verdict(name, 2, "release", order, None)
    assert world.consumer.wait("order.released", since=mark).data.outcome == "released"
    assert station.scan_all(units[1], SAVE, SAVE, PACK, CONFIRM) == [DONE, BOXED, SAVED, PROMPT, CONFIRMED]
