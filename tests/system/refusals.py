"""The cases of all refusals: each function brings the first station to where a scan is refused, and returns it."""

from collections.abc import Callable
from typing import NamedTuple

from harness.codes import badge, box_label, command, sscc
from harness.indicator import Signalled
from harness.station import OperatorStation
from harness.warehouse import BADGES, line
from harness.world import OK, World

__all__ = ["AMBIGUOUS_BADGE", "REFUSALS", "Refusal", "held_unit", "opened"]

AMBIGUOUS_BADGE = "BADGE-AND-ORDER"
"""A badge on the operators list that is also a barcode of an order."""


class Refusal(NamedTuple):
    """The code that is refused, and what its event says beside the reason."""

    code: str
    order: str | None
    seen: str | None = None
    symbology: str | None = None


def opened(world: World, count: int = 2) -> tuple[OperatorStation, str, list[str]]:
    order, units = world.simple(count)
    return world.opened(order), order, units


def command_with_wrong_check_character(world: World) -> Refusal:
    _, order, _ = opened(world)
    right = command("SAVE")
    return Refusal(right[:-1] + ("0" if right[-1] != "0" else "1"), order)


def text_while_scanning(world: World) -> Refusal:
    return Refusal("HELLO WORLD", opened(world)[1])


def argument_out_of_range(verb: str, argument: str) -> Callable[[World], Refusal]:
    return lambda world: Refusal(command(verb, argument), opened(world)[1])


def barcode_of_another_kind(code: str, seen: str, symbology: str | None = None) -> Callable[[World], Refusal]:
    return lambda world: Refusal(code, opened(world)[1], seen, symbology)


def badge_that_is_an_order_too(world: World) -> Refusal:
    world.simple(1, barcodes=[AMBIGUOUS_BADGE])
    world.fresh()
    return Refusal(AMBIGUOUS_BADGE, None)


def barcode_of_two_orders(world: World) -> Refusal:
    shared = world.supply.order()
    world.simple(1, barcodes=[shared])
    world.simple(1, barcodes=[shared])
    world.fresh()
    return Refusal(shared, None)


def imei_with_wrong_check_digit(world: World) -> Refusal:
    _, order, units = opened(world)
    return Refusal(units[0][:-1] + str((int(units[0][-1]) + 1) % 10), order)


def imei_with_wrong_check_digit_in_gs1(world: World) -> Refusal:
    return Refusal("8002490154203237517", opened(world)[1], None, "C1")


def scan_while_signed_out(world: World) -> Refusal:
    station, order, units = opened(world)
    station.scan(command("OUT"))
    return Refusal(units[0], order)


def badge_not_on_the_list(world: World) -> Refusal:
    world.fresh()
    return Refusal(badge("NOBODY123"), None)


def unit_while_a_badge_is_awaited(world: World) -> Refusal:
    station, order, units = opened(world)
    station.scan(command("ROLE", "PICK"))
    return Refusal(units[0], order)


def save_without_an_order(world: World) -> Refusal:
    world.fresh()
    return Refusal(command("SAVE"), None)


def text_without_an_order(world: World) -> Refusal:
    world.fresh()
    return Refusal("SO-NEVER-HEARD-OF", None)


def order_with_status(status: str) -> Callable[[World], Refusal]:
    def closed(world: World) -> Refusal:
        order, _ = world.simple(1, status=status)
        world.fresh()
        return Refusal(order, None)

    return closed


def withdrawn_order(world: World) -> Refusal:
    order, _ = world.simple(1)
    # The kiosk remembers a withdrawn order only if it was worked on.
    world.opened(order)
    world.station.scan(command("CLOSE"))
    world.centre.withdraw(order)
    world.centre.settle()
    world.fresh()
    return Refusal(order, None)


def order_open_at_the_other_station(world: World) -> Refusal:
    order, _ = world.simple(1)
    world.opened(order, world.stations["2"])
    world.fresh(operator="E8")
    return Refusal(order, None)


def badge_limited_to_other_roles(world: World) -> Refusal:
    station, order, _ = opened(world)
    station.scan(command("ROLE", "PACK"))
    return Refusal(BADGES["P1"], order)


def unit_before_operators_are_assigned(world: World) -> Refusal:
    order, units = world.simple(1, operators={"picking": "E7"})
    world.opened(order)
    return Refusal(units[0], order)


def mixed(world: World) -> tuple[str, list[str], list[str]]:
    """Publish an order of a used and a distribution line, both serialized; return its id, units and SKUs."""
    units, skus = world.supply.imeis(2), [world.supply.sku() for _ in range(2)]
    flows = ("used", "distribution")
    return (
        world.order(*(line(str(n), skus[n], 1, flow=flows[n], units=[[units[n]]]) for n in range(2))),
        units,
        skus,
    )


def unit_before_the_mode_is_chosen(world: World) -> Refusal:
    order, units, _ = mixed(world)
    world.opened(order)
    return Refusal(units[0], order)


def mode_that_no_line_has(world: World) -> Refusal:
    order, _, _ = mixed(world)
    world.opened(order)
    return Refusal(command("MODE", "POS"), order)


def unit_while_pieces_are_pinned(world: World) -> Refusal:
    station, order, units = opened(world)
    assert station.scan(command("KIND", "SKU")) == OK
    return Refusal(units[0], order)


def pieces_while_units_are_pinned(world: World) -> Refusal:
    sku = world.supply.sku()
    order = world.order(line("1", sku, 2, serialized=False), line("2", world.supply.sku(), 1))
    assert world.opened(order).scan(command("KIND", "SERIAL")) == OK
    return Refusal(sku, order)


def distribution(world: World) -> tuple[OperatorStation, str, list[str], list[str]]:
    units, skus = world.supply.imeis(2), [world.supply.sku() for _ in range(2)]
    order = world.order(
        *(line(str(n), skus[n], 1, flow="distribution", units=[[units[n]]]) for n in range(2)),
    )
    return world.opened(order), order, units, skus


def unit_before_its_product(world: World) -> Refusal:
    _, order, units, _ = distribution(world)
    return Refusal(units[0], order)


def unit_that_two_products_may_take(world: World) -> Refusal:
    order = world.order(*(line(str(n), world.supply.sku(), 1) for n in range(2)))
    world.opened(order)
    return Refusal(world.supply.imei(), order)


def unit_of_another_product(world: World) -> Refusal:
    station, order, units, skus = distribution(world)
    assert station.scan(skus[1]) == OK
    return Refusal(units[0], order)


def unit_of_no_line(world: World) -> Refusal:
    return Refusal(world.supply.imei(), opened(world)[1])


def unit_of_zeros(world: World) -> Refusal:
    order = world.order(line("1", world.supply.sku(), 2))
    world.opened(order)
    return Refusal("000000000000000", order)


def blocked_unit(world: World) -> Refusal:
    _, order, units = opened(world)
    world.centre.blocked("a", world.supply.number(), [units[0]])
    world.centre.settle()
    return Refusal(units[0], order)


def unit_of_another_mode(world: World) -> Refusal:
    order, units, _ = mixed(world)
    assert world.opened(order).scan(command("MODE", "USED")) == OK
    return Refusal(units[1], order)


def unit_counted_before(world: World) -> Refusal:
    station, order, units = opened(world)
    station.scan(units[0])
    return Refusal(units[0], order)


def unit_counted_in_another_open_order(world: World) -> Refusal:
    unit = world.supply.imei()
    orders = [world.order(line("1", world.supply.sku(), 1, units=[[unit]])) for _ in range(2)]
    station = world.opened(orders[0])
    station.scan_all(unit, command("SAVE"), command("SAVE"))
    world.opened(orders[1])
    return Refusal(unit, orders[1])


def held_unit(world: World) -> tuple[OperatorStation, str, list[str]]:
    """Bring the first station to an order whose first unit is counted and held by the centre."""
    station, order, units = opened(world)
    station.scan(units[0])
    world.centre.verdict(f"V{world.supply.number()}", 1, "hold", order, units[0])
    assert station.indicator.next().signal == "alarm"
    return station, order, units


def unit_on_a_held_order(world: World) -> Refusal:
    _, order, units = held_unit(world)
    return Refusal(units[1], order)


def unit_beyond_what_was_ordered(world: World) -> Refusal:
    units = world.supply.imeis(2)
    order = world.order(line("1", world.supply.sku(), 1, tacs=[world.supply.tac]))
    world.opened(order).scan(units[0])
    return Refusal(units[1], order)


def save_of_nothing(world: World) -> Refusal:
    return Refusal(command("SAVE"), opened(world)[1])


def another_order_with_a_box_open(world: World) -> Refusal:
    other, _ = world.simple(1)
    station, order, units = opened(world)
    station.scan(units[0])
    return Refusal(other, order)


def boxing(world: World, flow: str = "used") -> tuple[OperatorStation, str, list[str]]:
    units = world.supply.imeis(2)
    order = world.order(line("1", world.supply.sku(), 2, flow=flow, units=[[unit] for unit in units]), type="normal")
    station = world.opened(order)
    assert station.scan_all(units[0], command("SAVE")) == [OK, Signalled("boxed", None)]
    return station, order, units


def unit_while_the_box_waits(world: World) -> Refusal:
    _, order, units = boxing(world)
    return Refusal(units[1], order)


def second_save_without_a_size(world: World) -> Refusal:
    return Refusal(command("SAVE"), boxing(world, "pos")[1])


def size_of_no_catalogue(world: World) -> Refusal:
    return Refusal(command("BOX", "GIGANTIC"), boxing(world)[1])


def label_of_another_box(world: World) -> Refusal:
    label = world.supply.label()
    station, order, units = boxing(world)
    station.scan_all(label, command("SAVE"), units[1], command("SAVE"))
    return Refusal(label, order)


def removal_of_what_is_not_in(world: World) -> Refusal:
    station, order, units = opened(world)
    station.scan(command("REMOVE"))
    return Refusal(units[0], order)


def label_of_no_box(world: World) -> Refusal:
    return Refusal(box_label("NOBOX7"), opened(world)[1])


def confirmation_by_somebody_else(world: World) -> Refusal:
    order, units = world.simple(1, operators={"picking": "E7", "packing": "E8", "shipping": "E9"})
    world.opened(order).scan_all(units[0], command("SAVE"), command("SAVE"), command("PACK"))
    return Refusal(command("CONFIRM"), order)


def confirmation_before_packing(world: World) -> Refusal:
    return Refusal(command("CONFIRM"), opened(world)[1])


def product_and_unit_after_a_quantity(world: World) -> Refusal:
    gtin, unit = world.supply.gtin(), world.supply.imei()
    order = world.order(line("1", world.supply.sku(), 2, gtins=[gtin], units=[[unit]]))
    assert world.opened(order).scan(command("QTY", 2)) == Signalled("prompt", None)
    return Refusal(f"010{gtin}8002{unit}", order, None, "C1")


REFUSALS: list[tuple[str, Callable[[World], Refusal]]] = [
    ("unreadable", command_with_wrong_check_character),
    ("unknown_code", text_while_scanning),
    ("wrong_barcode", barcode_of_another_kind("9506000134352", "gtin")),
    ("wrong_barcode", barcode_of_another_kind("9506000134352", "gtin", "E0")),
    ("wrong_barcode", barcode_of_another_kind("8944110065123456783", "iccid")),
    ("wrong_barcode", barcode_of_another_kind("89049032000000000000001234567857", "eid")),
    ("wrong_barcode", barcode_of_another_kind("4901542032375107", "imeisv")),
    ("wrong_barcode", barcode_of_another_kind("35690000000001", "imei_without_check_digit")),
    ("wrong_barcode", barcode_of_another_kind("AF0123450ABCDE", "meid")),
    ("wrong_barcode", barcode_of_another_kind("490154203237518490154203237526", "concatenated")),
    ("wrong_barcode", barcode_of_another_kind(sscc(7_000_000), "sscc")),
    ("wrong_barcode", barcode_of_another_kind("1Z999AA10123456784", "tracking")),
    ("wrong_barcode", barcode_of_another_kind(BADGES["E8"], "badge", "Q1")),
    ("wrong_barcode", barcode_of_another_kind(command("SAVE"), "command", "d1")),
    ("ambiguous", badge_that_is_an_order_too),
    ("ambiguous", barcode_of_two_orders),
    ("bad_argument", argument_out_of_range("QTY", "0")),
    ("bad_argument", argument_out_of_range("QTY", "10000")),
    ("bad_argument", argument_out_of_range("MODE", "GIFT")),
    ("bad_argument", argument_out_of_range("ROLE", "COOK")),
    ("bad_check_digit", imei_with_wrong_check_digit),
    ("bad_check_digit", imei_with_wrong_check_digit_in_gs1),
    ("not_signed_in", scan_while_signed_out),
    ("badge_unknown", badge_not_on_the_list),
    ("badge_required", unit_while_a_badge_is_awaited),
    ("order_required", save_without_an_order),
    ("order_unknown", text_without_an_order),
    ("order_closed", order_with_status("packed")),
    ("order_closed", order_with_status("cancelled")),
    ("order_closed", withdrawn_order),
    ("order_in_use", order_open_at_the_other_station),
    ("role_not_allowed", badge_limited_to_other_roles),
    ("operator_unassigned", unit_before_operators_are_assigned),
    ("mode_required", unit_before_the_mode_is_chosen),
    ("wrong_mode", mode_that_no_line_has),
    ("wrong_kind", unit_while_pieces_are_pinned),
    ("wrong_kind", pieces_while_units_are_pinned),
    ("product_required", unit_before_its_product),
    ("product_required", unit_that_two_products_may_take),
    ("wrong_product", unit_of_another_product),
    ("not_on_order", unit_of_no_line),
    ("not_on_order", unit_of_zeros),
    ("not_on_order", blocked_unit),
    ("not_on_order", unit_of_another_mode),
    ("already_counted", unit_counted_before),
    ("counted_elsewhere", unit_counted_in_another_open_order),
    ("held", unit_on_a_held_order),
    ("over_quantity", unit_beyond_what_was_ordered),
    ("box_empty", save_of_nothing),
    ("box_open", another_order_with_a_box_open),
    ("box_not_confirmed", unit_while_the_box_waits),
    ("size_required", second_save_without_a_size),
    ("size_unknown", size_of_no_catalogue),
    ("label_used", label_of_another_box),
    ("not_in_box", removal_of_what_is_not_in),
    ("not_in_box", label_of_no_box),
    ("not_assigned", confirmation_by_somebody_else),
    ("not_allowed", confirmation_before_packing),
    ("not_allowed", product_and_unit_after_a_quantity),
]
