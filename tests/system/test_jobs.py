"""The five jobs at a packing bench, from the first scan to what the consumer stores."""

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.models import Accepted, BoxConfirmed, Event, PackingConfirmed
from harness.station import OperatorStation
from harness.warehouse import BADGES, line
from harness.world import OK, World, refused

PROMPT = Signalled("prompt", None)
BOXED = Signalled("boxed", None)
SAVED = Signalled("saved", None)
REMOVED = Signalled("removed", None)
LINE_DONE = Signalled("line_done", None)
ORDER_DONE = Signalled("order_done", None)
CONFIRMED = Signalled("confirmed", None)

SAVE, UNDO, REMOVE, CANCEL = command("SAVE"), command("UNDO"), command("REMOVE"), command("CANCEL")
PACK, CONFIRM, WHERE, REPEAT, CLOSE = (command(verb) for verb in ("PACK", "CONFIRM", "WHERE", "REPEAT", "CLOSE"))


def accepted(event: Event) -> Accepted:
    assert isinstance(event.data, Accepted)
    return event.data


def saved_box(world: World, mark: int) -> BoxConfirmed:
    """Wait for the next confirmed box, and return what its event says."""
    event = world.consumer.wait("box.confirmed", since=mark)
    assert isinstance(event.data, BoxConfirmed)
    return event.data


def pack(station: OperatorStation) -> None:
    assert station.scan_all(PACK, CONFIRM) == [PROMPT, CONFIRMED]


def test_assign_operators_one_by_one_then_all_at_once(world: World) -> None:
    """Rules: workflow.md#assign-a-role, workflow.md#required-roles."""
    unit, sku = world.supply.imei(), world.supply.sku()
    order = world.order(line("1", sku, 1, units=[[unit]]), operators=None)
    station = world.opened(order)
    mark = world.mark()
    assert station.scan(unit) == refused("operator_unassigned")
    for role, who in (("PICK", "E7"), ("PACK", "E8"), ("SHIP", "E9")):
        assert station.scan_all(command("ROLE", role), BADGES[who]) == [PROMPT, OK]
    assert station.scan(unit) == ORDER_DONE
    # Assigning never signs in.
    assert world.consumer.wait("scan.accepted", since=mark).operator == "E7"
    given = [event.data for event in world.consumer.since(mark, "order.assigned")]
    assert [(d.order, d.role, d.operator) for d in given] == [
        (order, "picking", "E7"),
        (order, "packing", "E8"),
        (order, "shipping", "E9"),
    ]
    asked = [event.data.role for event in world.consumer.since(mark, "order.role_asked")]
    assert asked == ["picking", "packing", "shipping"]

    mark = world.mark()
    assert station.scan_all(command("ROLE", "ALL"), BADGES["P1"]) == [PROMPT, refused("role_not_allowed")]
    assert station.scan(BADGES["E9"]) == OK, "after a refusal the badge is still awaited"
    world.consumer.wait("order.assigned", since=mark, where=lambda event: event.data.role == "shipping")
    given = [event.data for event in world.consumer.since(mark, "order.assigned")]
    assert sorted((d.role, d.operator) for d in given) == [("packing", "E9"), ("picking", "E9"), ("shipping", "E9")]


def test_used_scan_serialized_in_two_boxes(world: World) -> None:
    """Rules: workflow.md#scan-a-unit, workflow.md#confirm-a-box, workflow.md#confirm-packing, mqtt.md#event-types."""
    units = world.supply.imeis(4)
    first, second = world.supply.sku(), world.supply.sku()
    order = world.order(
        line("1", first, 3, units=[[unit] for unit in units[:3]], gtins=[world.supply.gtin()]),
        line("2", second, 1, units=[[units[3]]]),
    )
    station = world.opened(order)
    mark = world.mark()
    assert station.scan_all(*units[:2], SAVE, SAVE) == [OK, OK, BOXED, SAVED]
    box = saved_box(world, mark)
    assert (box.order, box.mode, box.size, box.label) == (order, "used", None, None)
    assert [content.model_dump() for content in box.contents] == [
        {"line": "1", "sku": first, "quantity": 2, "units": units[:2]}
    ]
    created = world.consumer.wait("box.created", since=mark).data
    assert (created.box, created.contents) == (box.box, box.contents)
    counts = [accepted(event) for event in world.consumer.since(mark, "scan.accepted")]
    assert [(c.line_scanned, c.line_pending, c.order_scanned, c.order_pending) for c in counts] == [
        (1, 2, 1, 3),
        (2, 1, 2, 2),
    ]
    assert {c.box for c in counts} == {box.box}
    assert [(c.unit.scheme, c.unit.id, c.quantity, c.mode, c.sku) for c in counts if c.unit] == [
        ("imei", unit, 1, "used", first) for unit in units[:2]
    ]

    mark = world.mark()
    assert station.scan_all(units[3], units[2], SAVE, SAVE) == [LINE_DONE, ORDER_DONE, BOXED, SAVED]
    other = saved_box(world, mark)
    assert other.box != box.box
    assert {content.line: content.units for content in other.contents} == {"1": [units[2]], "2": [units[3]]}
    view = world.centre.wait_view(lambda view: view.order == order and view.pending == 0)
    assert (view.state, view.scanned, view.mode, view.operator) == ("scanning", 4, "used", "E7")

    mark = world.mark()
    pack(station)
    event = world.consumer.wait("order.packing_confirmed", since=mark)
    assert isinstance(event.data, PackingConfirmed)
    assert (event.subject, event.operator, event.station) == (order, "E7", "1")
    assert event.data.boxes == [box.box, other.box]
    assert [(c.line, c.ordered, c.scanned) for c in event.data.lines] == [("1", 3, 3), ("2", 1, 1)]
    assert event.data.operators.model_dump() == {"picking": "E7", "packing": "E7", "shipping": "E7"}
    assert station.scan(order) == refused("order_closed")


def test_used_scan_not_serialized_counts_quantity_and_sku(world: World) -> None:
    """Rules: workflow.md#scan-a-product, workflow.md#set-a-quantity, mqtt.md#event-types."""
    sku, gtin = world.supply.sku(), world.supply.gtin()
    order = world.order(line("1", sku, 5, serialized=False, gtins=[gtin]))
    station = world.opened(order)
    mark = world.mark()
    assert station.scan_all(command("QTY", 3), sku) == [PROMPT, OK]
    assert station.scan_all(command("QTY", 3), gtin) == [PROMPT, refused("over_quantity")]
    assert station.scan(gtin) == OK, "the quantity was used up, so this counts one"
    assert station.scan(sku.lower()) == ORDER_DONE
    assert station.scan_all(SAVE, SAVE) == [BOXED, SAVED]
    box = saved_box(world, mark)
    assert [content.model_dump() for content in box.contents] == [{"line": "1", "sku": sku, "quantity": 5, "units": []}]
    counts = [accepted(event) for event in world.consumer.since(mark, "scan.accepted")]
    assert [(c.unit, c.quantity, c.order_pending) for c in counts] == [(None, 3, 2), (None, 1, 1), (None, 1, 0)]
    pack(station)


def test_distribution_scan_wants_product_and_size(world: World) -> None:
    """Rules: workflow.md#scan-a-unit, workflow.md#choose-a-box-size, workflow.md#confirm-a-box."""
    skus, gtins = [world.supply.sku() for _ in range(2)], [world.supply.gtin() for _ in range(2)]
    units = world.supply.imeis(2)
    order = world.order(
        *(
            line(str(n), skus[n], 1, flow="distribution", units=[[units[n]]], gtins=[gtins[n]])
            for n in range(2)
        )
    )  # fmt: skip
    station = world.opened(order)
    mark = world.mark()
    assert station.scan(units[0]) == refused("product_required")
    assert station.scan_all(gtins[0], units[1], units[0]) == [OK, refused("wrong_product"), LINE_DONE]
    assert station.scan_all(skus[1], units[1]) == [OK, ORDER_DONE]
    assert station.scan_all(SAVE, SAVE) == [BOXED, refused("size_required")]
    assert station.scan_all(command("BOX", "S"), command("BOX", "M"), SAVE) == [OK, OK, SAVED]
    box = saved_box(world, mark)
    assert box.size is not None
    assert box.size.model_dump() == {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}
    assert box.mode == "distribution"
    selected = [event.data for event in world.consumer.since(mark, "scan.selected")]
    assert [(s.what, s.value) for s in selected] == [("product", skus[0]), ("product", skus[1])]
    sized = [event.data.size for event in world.consumer.since(mark, "box.sized")]
    assert sized == ["S", "M"]
    pack(station)


def test_pos_scan_takes_serial_numbers_and_pieces(world: World) -> None:
    """Rules: scanning.md#what-a-line-takes, workflow.md#label-a-box, mqtt.md#published-units."""
    serial, listed, unit = world.supply.serial(), world.supply.serial(), world.supply.imei()
    watch, phone, cable = world.supply.sku(), world.supply.sku(), world.supply.sku()
    order = world.order(
        line("1", watch, 2, flow=None, units=[[listed]], serial_length=[10, 12]),
        line("2", phone, 1, flow=None, tacs=[world.supply.tac]),
        line("3", cable, 2, flow=None, serialized=False),
        type="pos",
    )
    station = world.opened(order)
    mark = world.mark()
    assert station.scan_all(serial, listed, unit) == [OK, LINE_DONE, LINE_DONE]
    assert station.scan_all(cable, cable) == [OK, ORDER_DONE]
    label = world.supply.label()
    assert station.scan_all(SAVE, label, SAVE) == [BOXED, OK, refused("size_required")]
    assert station.scan_all(command("BOX", "S"), SAVE) == [OK, SAVED]
    box = saved_box(world, mark)
    assert (box.mode, box.label) == ("pos", label)
    assert [(c.line, c.quantity, c.units) for c in box.contents] == [
        ("1", 2, [serial, listed]),
        ("2", 1, [unit]),
        ("3", 2, []),
    ]
    counts = [accepted(event) for event in world.consumer.since(mark, "scan.accepted")]
    assert [c.unit.scheme if c.unit else None for c in counts] == ["serial", "serial", "imei", None, None]
    pack(station)


def test_packing_is_confirmed_by_the_operator_assigned_to_it(world: World) -> None:
    """Rules: workflow.md#start-packing, workflow.md#confirm-packing, workflow.md#takeover."""
    order, units = world.simple(1, operators={"picking": "E7", "packing": "E8", "shipping": "E9"})
    station = world.opened(order)
    mark = world.mark()
    assert station.scan(PACK) == refused("quantity_mismatch")
    refusal = world.consumer.wait("order.packing_refused", since=mark).data
    assert [(c.line, c.ordered, c.scanned) for c in refusal.lines] == [("1", 1, 0)]
    assert station.scan_all(units[0], SAVE, SAVE) == [ORDER_DONE, BOXED, SAVED]
    assert station.scan_all(PACK, CONFIRM) == [PROMPT, refused("not_assigned")]
    assert station.scan_all(BADGES["E8"], CONFIRM) == [OK, CONFIRMED]
    confirmed = world.consumer.wait("order.packing_confirmed", since=mark)
    assert confirmed.operator == "E8"
    signed_out = world.consumer.wait("operator.signed_out", since=mark).data
    signed_in = world.consumer.wait("operator.signed_in", since=mark).data
    assert (signed_out.operator, signed_out.cause, signed_in.operator) == ("E7", "takeover", "E8")


def test_device_with_two_imeis_counts_once_under_the_first(world: World) -> None:
    """Rules: workflow.md#one-device-counts-once, mqtt.md#published-units."""
    first, second = world.supply.imeis(2)
    order = world.order(line("1", world.supply.sku(), 2, units=[[first, second], [world.supply.imei()]]))
    station = world.opened(order)
    mark = world.mark()
    assert station.scan_all(second, first) == [OK, Signalled("again", "already_counted")]
    unit = accepted(world.consumer.wait("scan.accepted", since=mark)).unit
    assert unit is not None
    assert (unit.id, unit.aliases) == (first, [second])


def test_product_and_unit_in_one_scan_count_on_that_product(world: World) -> None:
    """Rules: scanning.md#product-and-unit-in-one-scan, scanning.md#application-identifiers."""
    units, gtins = world.supply.imeis(3), [world.supply.gtin(), world.supply.gtin()]
    tacs = [world.supply.tac]
    order = world.order(
        *(line(str(n), world.supply.sku(), 2, tacs=tacs, gtins=[gtins[n]]) for n in range(2)),
    )
    station = world.opened(order)
    mark = world.mark()
    assert station.scan(units[0]) == refused("product_required"), "two products could take it"
    assert station.scan(f"]C1010{gtins[1]}8002{units[0]}") == OK
    assert station.scan(f"]d2010{gtins[0]}21ABC123\x1d8002{units[1]}") == OK
    assert station.scan(f"https://id.gs1.org/01/0{gtins[0]}/21/XYZ?8002={units[2]}") == LINE_DONE
    counts = [accepted(event) for event in world.consumer.since(mark, "scan.accepted")]
    world.consumer.wait("scan.accepted", since=mark, where=lambda event: accepted(event).line_pending == 0)
    counts = [accepted(event) for event in world.consumer.since(mark, "scan.accepted")]
    assert [(c.line, c.unit.id, c.symbology) for c in counts if c.unit] == [
        ("1", units[0], "C1"),
        ("0", units[1], "d2"),
        ("0", units[2], None),
    ]
    assert counts[1].unit is not None
    assert counts[1].unit.aliases == ["ABC123"], "a serial number in the same scan is the unit's alias"


def test_undo_remove_and_cancel_take_out_by_events(world: World) -> None:
    """Rules: workflow.md#nothing-is-erased, workflow.md#undo, workflow.md#remove-a-unit, workflow.md#cancel."""
    order, units = world.simple(4)
    station = world.opened(order)
    station.scan_all(*units[:3])
    mark = world.mark()
    assert station.scan(UNDO) == REMOVED
    assert station.scan_all(REMOVE, units[0]) == [PROMPT, REMOVED]
    assert station.scan_all(REMOVE, units[3]) == [PROMPT, refused("not_in_box")]
    assert station.scan_all(CANCEL, CANCEL) == [PROMPT, REMOVED]
    assert station.scan(UNDO) == refused("box_empty")
    world.consumer.wait("scan.rejected", since=mark, where=lambda event: event.data.reason == "box_empty")
    voided = [event.data for event in world.consumer.since(mark, "scan.voided")]
    assert [v.unit.id for v in voided] == [units[2], units[0], units[1]]
    assert [v.order_scanned for v in voided] == [2, 1, 0]
    by_sequence = {event.sequence: event.data for event in world.consumer.since(0, "scan.accepted")}
    assert [by_sequence[v.sequence].unit for v in voided] == [v.unit for v in voided]
    assert station.scan_all(*units[:2]) == [OK, OK], "what was taken out may come back"


def test_label_or_undo_brings_a_confirmed_box_back(world: World) -> None:
    """Rule: workflow.md#reopen-a-box."""
    order, units = world.simple(3)
    station = world.opened(order)
    labels = [world.supply.label(), world.supply.label()]
    station.scan_all(units[0], SAVE, labels[0], SAVE, units[1], SAVE, labels[1])
    assert station.scan(SAVE) == SAVED
    mark = world.mark()
    assert station.scan(labels[0]) == REMOVED
    # The other box was in this state just before.
    view = world.centre.wait_view(
        lambda view: view.state == "boxing" and view.box is not None and view.box.label == labels[0]
    )
    assert view.box is not None
    assert (view.order, view.box.units) == (order, 1)
    assert station.scan_all(SAVE, UNDO) == [SAVED, REMOVED], "saved again it is the last one, and UNDO reopens it"
    assert station.scan(CANCEL) == REMOVED
    world.consumer.wait("box.reopened", since=mark, where=lambda event: event.data.state == "scanning")
    reopened = [event.data for event in world.consumer.since(mark, "box.reopened")]
    assert [event.state for event in reopened] == ["boxing", "boxing", "scanning"]
    assert {event.box for event in reopened} == {view.box.id}
    assert station.scan_all(REMOVE, units[0]) == [PROMPT, REMOVED]
    assert world.consumer.wait("box.voided", since=mark).data.box == view.box.id


@pytest.mark.parametrize("count", [0, 3, 12])
def test_where_and_repeat_answer_without_changing_anything(world: World, count: int) -> None:
    """Rules: signals.md#where-am-i, scanning.md#command-verbs."""
    units = world.supply.imeis(count + 1)
    order = world.order(line("1", world.supply.sku(), count + 1, units=[[unit] for unit in units]))
    station = world.opened(order)
    assert station.scan("no such thing!") == refused("unknown_code")
    assert station.scan(REPEAT) == refused("unknown_code")
    first = station.scan(units[0])
    assert station.scan(WHERE) == Signalled("where", None)
    assert station.scan(REPEAT) in (first, Signalled("where", None))
    assert world.centre.wait_view(lambda view: view.order == order and view.scanned == 1).pending == count


def test_sign_out_and_in_finds_everything_where_it_was(world: World) -> None:
    """Rules: workflow.md#sign-out, workflow.md#takeover."""
    order, units = world.simple(3)
    station = world.opened(order)
    station.scan_all(units[0], SAVE)
    assert station.scan(command("OUT")) == OK
    assert station.scan(SAVE) == refused("not_signed_in")
    assert station.scan_all(BADGES["E8"], SAVE) == [OK, SAVED]
    assert station.scan_all(CLOSE, order, units[1]) == [OK, OK, OK]
