"""Orders that change while they are packed: revisions, withdrawal, reopening, counts of other kiosks, verdicts."""

import hashlib

from harness.codes import command
from harness.indicator import Signalled
from harness.station import OperatorStation
from harness.warehouse import BADGES, OPERATORS, line
from harness.world import OK, World, refused

AGAIN = Signalled("again", "already_counted")
PROMPT = Signalled("prompt", None)
BOXED = Signalled("boxed", None)
SAVED = Signalled("saved", None)
REMOVED = Signalled("removed", None)
DONE = Signalled("order_done", None)
CONFIRMED = Signalled("confirmed", None)
SAVE, UNDO, REMOVE, CLOSE = command("SAVE"), command("UNDO"), command("REMOVE"), command("CLOSE")
PACK, CONFIRM = command("PACK"), command("CONFIRM")


def alarmed(station: OperatorStation) -> None:
    """Check that an alarm is shown without a scan."""
    assert station.indicator.next().signal == "alarm"


def test_higher_revision_takes_effect_at_once_and_keeps_the_counts(world: World) -> None:
    """Rule: workflow.md#manifest-revisions."""
    sku, units = world.supply.sku(), world.supply.imeis(3)
    order = world.order(line("1", sku, 1, units=[[unit] for unit in units]), revision=5)
    station = world.opened(order)
    assert station.scan_all(units[0], units[1]) == [DONE, refused("over_quantity")]
    mark = world.mark()
    world.order(line("1", sku, 2, units=[[unit] for unit in units]), order=order, revision=6)
    assert station.scan(units[1]) == DONE
    revised = world.consumer.wait("order.revised", since=mark).data
    assert (revised.order, revised.revision, revised.status, revised.misfits) == (order, 6, "open", [])


def test_lower_or_equal_revision_is_ignored(world: World) -> None:
    """Rule: workflow.md#manifest-revisions."""
    sku, units = world.supply.sku(), world.supply.imeis(2)
    order = world.order(line("1", sku, 1, units=[[unit] for unit in units]), revision=5)
    station = world.opened(order)
    mark = world.mark()
    for revision in (4, 5):
        world.order(line("1", sku, 2, units=[[unit] for unit in units]), order=order, revision=revision)
    assert station.scan_all(units[0], units[1]) == [DONE, refused("over_quantity")]
    world.consumer.wait("scan.rejected", since=mark)
    assert not world.consumer.since(mark, "order.revised")


def test_revision_that_no_longer_fits_what_is_counted_sounds_the_alarm(world: World) -> None:
    """Rule: workflow.md#manifest-revisions."""
    first, second, units = world.supply.sku(), world.supply.sku(), world.supply.imeis(3)
    lines = [line("1", first, 2, units=[[unit] for unit in units[:2]]), line("2", second, 1, units=[[units[2]]])]
    order = world.order(*lines)
    station = world.opened(order)
    assert station.scan_all(*units) == [OK, Signalled("line_done", None), DONE]
    mark = world.mark()
    world.centre.order(order, {**lines[0], "quantity": 1}, revision=2)
    alarmed(station)
    misfits = world.consumer.wait("order.revised", since=mark).data.misfits
    assert [misfit.model_dump() for misfit in misfits] == [
        {"line": "1", "ordered": 1, "scanned": 2},
        {"line": "2", "ordered": 0, "scanned": 1},
    ]
    assert world.centre.wait_view(lambda view: view.order == order and view.pending == -2).scanned == 3
    assert station.scan_all(REMOVE, units[2], REMOVE, units[0]) == [PROMPT, REMOVED, PROMPT, REMOVED]
    assert station.scan_all(SAVE, SAVE, PACK) == [BOXED, SAVED, PROMPT]


def test_revision_while_packing_is_checked_again_at_confirm(world: World) -> None:
    """Rule: workflow.md#confirm-packing."""
    sku, units = world.supply.sku(), world.supply.imeis(2)
    lines = [line("1", sku, 1, units=[[unit] for unit in units])]
    order = world.order(*lines)
    station = world.opened(order)
    assert station.scan_all(units[0], SAVE, SAVE, PACK) == [DONE, BOXED, SAVED, PROMPT]
    mark = world.mark()
    world.order({**lines[0], "quantity": 2}, order=order, revision=2)
    assert station.scan(CONFIRM) == refused("quantity_mismatch")
    assert world.consumer.wait("order.packing_left", since=mark).data.order == order
    assert station.scan_all(units[1], SAVE, SAVE, PACK, CONFIRM) == [DONE, BOXED, SAVED, PROMPT, CONFIRMED]


def test_cancelled_while_open_lets_only_out(world: World) -> None:
    """Rule: workflow.md#closed-while-open."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan(units[0]) == OK
    mark = world.mark()
    world.centre.order(order, line("1", "SKU-ANY", 2, units=[[unit] for unit in units]), revision=2, status="cancelled")
    alarmed(station)
    assert world.consumer.wait("order.revised", since=mark).data.status == "cancelled"
    assert station.scan_all(units[1], SAVE, PACK) == [refused("order_closed")] * 3
    assert station.scan_all(REMOVE, units[0], BADGES["E8"], CLOSE) == [PROMPT, REMOVED, OK, OK]
    assert station.scan(order) == refused("order_closed")


def test_withdrawn_while_open_comes_back_at_any_revision(world: World) -> None:
    """Rules: workflow.md#closed-while-open, workflow.md#manifest-revisions."""
    order, units = world.simple(2, revision=7)
    station = world.opened(order)
    mark = world.mark()
    world.centre.withdraw(order)
    alarmed(station)
    assert world.consumer.wait("order.revised", since=mark).data.status == "withdrawn"
    assert station.scan(units[0]) == refused("order_closed")
    world.order(line("1", world.supply.sku(), 2, units=[[unit] for unit in units]), order=order, revision=1)
    assert station.scan(units[0]) == OK


def test_order_left_out_of_a_newer_index_is_withdrawn(world: World) -> None:
    """Rule: mqtt.md#order-index."""
    (kept, _), (left_out, units) = world.simple(1), world.simple(1)
    station = world.opened(left_out)
    station.scan_all(units[0], CLOSE)
    mark = world.mark()
    world.centre.index(world.supply.number(), {kept: 1})
    # The kiosk withdraws orders only while there are no scans to take.
    world.consumer.wait_until(
        lambda: any(event.subject == left_out for event in world.consumer.since(mark, "order.revised")),
        "the order withdrawn",
    )
    assert station.scan(left_out) in (refused("order_closed"), refused("order_unknown"))
    assert world.centre.request("reload")["transaction"]
    world.centre.settle()
    assert station.scan(left_out) in (refused("order_closed"), refused("order_unknown")), "its manifest is retained yet"
    assert station.scan(kept) == OK
    world.centre.tell("reference/orders", None)


def test_packed_here_stays_closed_until_reopened(world: World) -> None:
    """Rule: workflow.md#packed-orders-stay-closed."""
    sku, units = world.supply.sku(), world.supply.imeis(2)
    lines = [line("1", sku, 1, units=[[unit] for unit in units])]
    order = world.order(*lines)
    station = world.opened(order)
    assert station.scan_all(units[0], SAVE, SAVE, PACK, CONFIRM)[-1] == CONFIRMED
    world.order(*lines, order=order, revision=2)
    assert station.scan(order) == refused("order_closed")
    world.order({**lines[0], "quantity": 2}, order=order, revision=3, reopen=3)
    assert station.scan_all(order, units[0], units[1]) == [OK, AGAIN, DONE]


def test_packed_elsewhere_is_closed_here(world: World) -> None:
    """Rule: workflow.md#open-an-order."""
    order, _ = world.simple(1)
    station = world.fresh()
    world.order(line("1", "SKU-ANY", 1), order=order, revision=2, status="packed")
    assert station.scan(order) == refused("order_closed")


def test_counted_by_others_counts_as_scanned(world: World) -> None:
    """Rule: workflow.md#counted-at-another-kiosk."""
    sku, case, units = world.supply.sku(), world.supply.sku(), world.supply.imeis(2)
    order = world.order(
        line("1", sku, 2, units=[[unit] for unit in units]),
        line("2", case, 2, serialized=False),
        counted=[
            {"line": "1", "quantity": 1, "units": [units[0]], "box": "9A770000000001"},
            {"line": "2", "quantity": 1, "units": [], "box": "9A770000000001"},
        ],
    )
    station = world.opened(order)
    assert station.scan(units[0]) == AGAIN
    assert station.scan_all(REMOVE, units[0]) == [PROMPT, refused("not_in_box")]
    assert station.scan_all(command("QTY", 2), case) == [PROMPT, refused("over_quantity")]
    assert station.scan_all(case, units[1]) == [Signalled("line_done", None), DONE]
    assert station.scan_all(SAVE, SAVE, PACK, CONFIRM) == [BOXED, SAVED, PROMPT, CONFIRMED]


def test_counted_of_this_kiosk_itself_is_not_counted_again(world: World) -> None:
    """Rule: workflow.md#counted-at-another-kiosk."""
    sku, units = world.supply.sku(), world.supply.imeis(2)
    lines = [line("1", sku, 2, units=[[unit] for unit in units])]
    order = world.order(*lines)
    station = world.opened(order)
    mark = world.mark()
    assert station.scan_all(units[0], SAVE, SAVE) == [OK, BOXED, SAVED]
    box = world.consumer.wait("box.confirmed", since=mark).data.box
    counted = [{"line": "1", "quantity": 1, "units": [units[0]], "box": box}]
    world.order(*lines, order=order, revision=2, counted=counted)
    assert world.centre.wait_view(lambda view: view.order == order and view.scanned == 1).pending == 1
    assert station.scan(units[1]) == DONE


def test_role_assigned_here_stays_and_vacant_ones_are_filled(world: World) -> None:
    """Rule: workflow.md#required-roles."""
    unit, sku = world.supply.imei(), world.supply.sku()
    lines = [line("1", sku, 1, units=[[unit]])]
    order = world.order(*lines, operators=None)
    station = world.opened(order)
    assert station.scan_all(command("ROLE", "PACK"), BADGES["E9"]) == [PROMPT, OK]
    world.order(*lines, order=order, revision=2)
    mark = world.mark()
    assert station.scan_all(unit, SAVE, SAVE, PACK, CONFIRM) == [DONE, BOXED, SAVED, PROMPT, refused("not_assigned")]
    assert station.scan_all(BADGES["E9"], CONFIRM) == [OK, CONFIRMED]
    operators = world.consumer.wait("order.packing_confirmed", since=mark).data.operators
    assert operators.model_dump() == {"picking": "E7", "packing": "E9", "shipping": "E7"}


# -- verdicts ----------------------------------------------------------------------------------------------------------


def test_verdict_holds_the_order_until_released(world: World) -> None:
    """Rules: workflow.md#held-orders, workflow.md#end-of-a-hold, mqtt.md#verdicts."""
    order, units = world.simple(3)
    station = world.opened(order)
    assert station.scan_all(units[0], units[2]) == [OK, OK]
    mark, name = world.mark(), f"V{world.supply.number()}"
    world.centre.verdict(name, 1, "hold", order, units[0])
    alarmed(station)
    held = world.consumer.wait("order.held", since=mark).data
    assert (held.verdict, held.order, held.unit) == (name, order, units[0])
    assert world.centre.wait_view(lambda view: view.held).order == order
    assert station.scan_all(units[0], units[1], units[2]) == [Signalled("alarm", "held"), refused("held"), AGAIN]
    assert station.scan_all(SAVE, SAVE, PACK) == [BOXED, SAVED, refused("held")]

    # The same id and revision again changes nothing.
    world.centre.verdict(name, 1, "hold", order, units[0])
    world.centre.settle()
    world.centre.verdict(name, 2, "release", order, units[0])
    released = world.consumer.wait("order.released", since=mark).data
    assert (released.verdict, released.outcome) == (name, "released")
    assert len(world.consumer.since(mark, "order.held")) == 1
    station.indicator.left()
    assert station.scan_all(units[1], SAVE, SAVE, PACK, CONFIRM) == [DONE, BOXED, SAVED, PROMPT, CONFIRMED]


def test_verdict_on_an_order_not_open_sounds_when_it_is_opened(world: World) -> None:
    """Rules: workflow.md#held-orders, workflow.md#end-of-a-hold."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan_all(units[0], SAVE, SAVE, CLOSE) == [OK, BOXED, SAVED, OK]
    mark = world.mark()
    world.centre.verdict(f"V{world.supply.number()}", 1, "hold", order, units[0])
    world.consumer.wait("order.held", since=mark)
    assert station.scan(order).signal == "alarm"
    assert station.scan_all(REMOVE, units[0]) == [PROMPT, REMOVED]
    assert world.consumer.wait("order.released", since=mark).data.outcome == "unit_removed"
    assert station.scan(units[0]).reason == "held"


def test_verdict_on_what_is_not_here_or_packed_is_answered(world: World) -> None:
    """Rules: workflow.md#end-of-a-hold, mqtt.md#verdicts."""
    order, units = world.simple(2)
    station = world.opened(order)
    assert station.scan(units[0]) == OK
    mark, name = world.mark(), f"V{world.supply.number()}"
    world.centre.verdict(name, 1, "hold", order, units[1])
    outcome = world.consumer.wait("order.released", since=mark).data
    assert (outcome.verdict, outcome.outcome) == (name, "not_here")

    packed, others = world.simple(1)
    assert station.scan(UNDO) == REMOVED
    assert station.scan_all(packed, others[0], SAVE, SAVE, PACK, CONFIRM)[-1] == CONFIRMED
    mark, name = world.mark(), f"V{world.supply.number()}"
    world.centre.verdict(name, 1, "hold", packed, others[0])
    outcome = world.consumer.wait("order.released", since=mark).data
    assert (outcome.verdict, outcome.outcome) == (name, "already_packed")


# -- operators and sizes -----------------------------------------------------------------------------------------------


def test_operator_who_leaves_the_list_is_signed_out(world: World) -> None:
    """Rules: workflow.md#sign-out, mqtt.md#operators-list."""
    station = world.fresh(operator="E9")
    mark = world.mark()
    world.centre.operators(world.supply.number() + 1000, [o for o in OPERATORS if o["operator"] != "E9"])
    signed_out = world.consumer.wait("operator.signed_out", since=mark).data
    assert (signed_out.operator, signed_out.cause) == ("E9", "delisted")
    station.indicator.left()
    assert station.scan(BADGES["E9"]) == refused("badge_unknown")
    world.centre.operators(world.supply.number() + 1000, OPERATORS)
    world.centre.settle()
    assert station.scan(BADGES["E9"]) == OK


def test_salted_badges_are_recognised(world: World) -> None:
    """Rule: mqtt.md#operators-list."""
    salt = "pepper"
    hashed = [
        {**o, "badges": [hashlib.sha256((salt + BADGES[o["operator"]].upper()).encode()).hexdigest()]}
        for o in OPERATORS
    ]
    world.centre.operators(world.supply.number() + 1000, hashed, salt=salt)
    world.centre.settle()
    station = world.fresh(operator="E8")
    assert station.scan(BADGES["E7"]) == OK
    world.centre.operators(world.supply.number() + 1000, OPERATORS)
    world.centre.settle()
