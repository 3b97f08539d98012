"""The table of what each scan does in each state, cell by cell."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.codes import box_label, command
from harness.indicator import Signalled
from harness.station import OperatorStation
from harness.warehouse import BADGES, line
from harness.world import OK, World, refused

AGAIN = Signalled("again", None)
PROMPT = Signalled("prompt", None)
BOXED = Signalled("boxed", None)
SAVED = Signalled("saved", None)
REMOVED = Signalled("removed", None)
DONE = "any success"
"""The contract names no signal for it: any success will do."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A station in some state, and what there is to scan."""

    station: OperatorStation
    order: str
    codes: dict[str, str]


def scene(world: World, count: int = 2) -> Prepared:
    sku, gtin, units = world.supply.sku(), world.supply.gtin(), world.supply.imeis(count)
    order = world.order(line("1", sku, count, gtins=[gtin], units=[[unit] for unit in units]))
    other, _ = world.simple(1)
    codes = {
        "own badge": BADGES["E7"],
        "other badge": BADGES["E8"],
        "open order": order,
        "other order": other,
        "product": gtin,
        "unit": units[-1],
        "first unit": units[0],
        "QTY": command("QTY", 2),
        "REMOVE": command("REMOVE"),
        "UNDO": command("UNDO"),
        "KIND": command("KIND", "SERIAL"),
        "MODE": command("MODE", "USED"),
        "SAVE": command("SAVE"),
        "BOX": command("BOX", "M"),
        "label": box_label("TABLE" + world.supply.label()),
        "PACK": command("PACK"),
        "CONFIRM": command("CONFIRM"),
        "ROLE": command("ROLE", "SHIP"),
        "CANCEL": command("CANCEL"),
        "CLOSE": command("CLOSE"),
        "OUT": command("OUT"),
        "WHERE": command("WHERE"),
        "other barcode": "9506000134352",
        "text": "NEVER HEARD OF",
    }
    return Prepared(station=world.station, order=order, codes=codes)


def signed_out(world: World) -> Prepared:
    found = scene(world)
    world.fresh().scan(command("OUT"))
    return found


def ready(world: World) -> Prepared:
    found = scene(world)
    world.fresh()
    return found


def scanning(world: World) -> Prepared:
    """The box is empty."""
    found = scene(world)
    world.opened(found.order)
    return found


def filling(world: World) -> Prepared:
    """Scanning, with a unit in the box."""
    found = scanning(world)
    assert found.station.scan(found.codes["first unit"]) == OK
    return found


def assigning(world: World) -> Prepared:
    found = filling(world)
    assert found.station.scan(command("ROLE", "PICK")) == PROMPT
    return found


def boxing(world: World) -> Prepared:
    found = filling(world)
    assert found.station.scan(command("SAVE")) == BOXED
    return found


def packing(world: World) -> Prepared:
    found = scene(world, 1)
    world.opened(found.order).scan_all(found.codes["unit"], command("SAVE"), command("SAVE"))
    assert found.station.scan(command("PACK")) == PROMPT
    return found


Cell = tuple[str, Signalled | str, str]
"""(what is scanned, its signal, the state after it); a text in place of the signal is the reason of a refusal."""

STAYS = ""

TABLE: dict[Callable[[World], Prepared], list[Cell]] = {
    signed_out: [
        ("own badge", OK, "ready"),
        ("other badge", OK, "ready"),
        *((what, "not_signed_in", STAYS) for what in ("other order", "unit", "SAVE", "OUT", "CANCEL", "text")),
        ("WHERE", Signalled("where", None), STAYS),
    ],
    ready: [
        ("own badge", AGAIN, STAYS),
        ("other badge", OK, STAYS),
        ("other order", OK, "scanning"),
        *(
            (what, "order_required", STAYS)
            for what in (
                "product", "unit", "QTY", "REMOVE", "UNDO", "KIND", "MODE", "SAVE", "BOX", "label", "PACK", "CONFIRM",
                "ROLE", "CLOSE", "other barcode",
            )
        ),
        ("CANCEL", "not_allowed", STAYS),
        ("OUT", OK, STAYS),
        ("text", "order_unknown", STAYS),
    ],
    assigning: [
        ("own badge", OK, "scanning"),
        ("other badge", OK, "scanning"),
        *(
            (what, "badge_required", STAYS)
            for what in (
                "open order", "other order", "product", "unit", "QTY", "REMOVE", "UNDO", "KIND", "MODE", "SAVE", "BOX",
                "label", "PACK", "CONFIRM", "CLOSE", "other barcode", "text",
            )
        ),
        ("ROLE", PROMPT, STAYS),
        ("CANCEL", DONE, "scanning"),
        ("OUT", OK, "scanning"),
    ],
    scanning: [
        ("own badge", AGAIN, STAYS),
        ("other badge", OK, STAYS),
        ("open order", AGAIN, STAYS),
        ("other order", OK, STAYS),
        ("product", OK, STAYS),
        ("unit", OK, STAYS),
        ("QTY", PROMPT, STAYS),
        ("REMOVE", PROMPT, STAYS),
        ("UNDO", "box_empty", STAYS),
        ("KIND", OK, STAYS),
        ("SAVE", "box_empty", STAYS),
        ("BOX", "not_allowed", STAYS),
        ("label", "not_in_box", STAYS),
        ("PACK", "quantity_mismatch", STAYS),
        ("CONFIRM", "not_allowed", STAYS),
        ("ROLE", PROMPT, "assigning"),
        ("CANCEL", "box_empty", STAYS),
        ("CLOSE", OK, "ready"),
        ("OUT", OK, STAYS),
        ("other barcode", "wrong_barcode", STAYS),
        ("text", "unknown_code", STAYS),
    ],
    filling: [
        ("other order", "box_open", STAYS),
        ("unit", Signalled("order_done", None), STAYS),
        ("first unit", Signalled("again", "already_counted"), STAYS),
        ("UNDO", REMOVED, STAYS),
        ("SAVE", BOXED, "boxing"),
        ("label", "box_open", STAYS),
        ("PACK", "box_open", STAYS),
        ("CANCEL", PROMPT, STAYS),
        ("CLOSE", OK, "ready"),
    ],
    boxing: [
        ("own badge", AGAIN, STAYS),
        ("other badge", OK, STAYS),
        ("open order", AGAIN, STAYS),
        ("other order", "box_open", STAYS),
        *(
            (what, "box_not_confirmed", STAYS)
            for what in ("product", "unit", "QTY", "REMOVE", "UNDO", "KIND", "MODE", "other barcode", "text")
        ),
        ("SAVE", SAVED, "scanning"),
        ("BOX", OK, STAYS),
        ("label", OK, STAYS),
        ("PACK", "box_open", STAYS),
        ("CONFIRM", "not_allowed", STAYS),
        ("ROLE", PROMPT, "assigning"),
        ("CANCEL", REMOVED, "scanning"),
        ("CLOSE", OK, "ready"),
        ("OUT", OK, STAYS),
    ],
    packing: [
        ("own badge", AGAIN, STAYS),
        ("other badge", OK, STAYS),
        ("open order", AGAIN, STAYS),
        ("other order", OK, "scanning"),
        *(
            (what, "not_allowed", STAYS)
            for what in (
                "product", "unit", "QTY", "REMOVE", "UNDO", "KIND", "MODE", "SAVE", "BOX", "label", "other barcode",
                "text",
            )
        ),
        ("PACK", AGAIN, STAYS),
        ("CONFIRM", Signalled("confirmed", None), "ready"),
        ("ROLE", PROMPT, "assigning"),
        ("CANCEL", DONE, "scanning"),
        ("CLOSE", OK, "ready"),
        ("OUT", OK, STAYS),
    ],
}  # fmt: skip

STATE: dict[Callable[[World], Prepared], str] = {
    signed_out: "ready",
    ready: "ready",
    assigning: "assigning",
    scanning: "scanning",
    filling: "scanning",
    boxing: "boxing",
    packing: "packing",
}

CELLS = [
    pytest.param(prepare, *cell, id=f"{prepare.__name__}-{cell[0]}")
    for prepare, cells in TABLE.items()
    for cell in cells
]


@pytest.mark.parametrize(("prepare", "what", "gets", "after"), CELLS)
def test_cell(world: World, prepare: Callable[[World], Prepared], what: str, gets: Signalled | str, after: str) -> None:
    """Rule: workflow.md#state-table."""
    found = prepare(world)
    signalled = found.station.scan(found.codes[what])
    if gets == DONE:
        assert signalled.reason is None
        assert signalled.signal not in ("reject", "fault", "alarm")
    else:
        assert signalled == (refused(gets) if isinstance(gets, str) else gets)

    leaves = after == "ready" or prepare in (ready, signed_out)
    order = found.codes["other order"] if signalled == OK and what == "other order" else None if leaves else found.order
    signed_in = what != "OUT" and (prepare is not signed_out or "badge" in what)
    operator = None if not signed_in else "E8" if what == "other badge" and prepare is not assigning else "E7"
    # The view is published later than the signal is shown.
    world.centre.wait_view(
        lambda view: (
            view.last is not None and (view.last.signal, view.last.reason) == signalled
            and (view.order, view.state) == (order, after or STATE[prepare])
            and (view.signed_in, view.operator) == (signed_in, operator)
        )
    )  # fmt: skip


def test_assigning_from_boxing_goes_back_to_boxing(world: World) -> None:
    """Rule: workflow.md#assign-a-role."""
    found = boxing(world)
    assert found.station.scan_all(command("ROLE", "SHIP"), BADGES["E9"], command("SAVE")) == [PROMPT, OK, SAVED]


def test_closing_while_boxing_opens_again_in_boxing(world: World) -> None:
    """Rules: workflow.md#leave-an-order, workflow.md#open-an-order."""
    found = boxing(world)
    assert found.station.scan_all(command("CLOSE"), found.order, command("SAVE")) == [OK, OK, SAVED]


def test_closing_while_filling_opens_again_with_the_box(world: World) -> None:
    """Rule: workflow.md#leave-an-order."""
    found = filling(world)
    assert found.station.scan_all(command("CLOSE"), found.order, command("SAVE")) == [OK, OK, BOXED]
    view = world.centre.wait_view(lambda view: view.order == found.order and view.state == "boxing")
    assert view.box is not None
    assert view.box.units == 1


@pytest.mark.parametrize("step", [command("ROLE", "PICK"), command("QTY", 2), command("REMOVE")])
def test_signing_out_drops_what_was_pending(world: World, step: str) -> None:
    """Rule: workflow.md#sign-out."""
    found = filling(world)
    assert found.station.scan_all(step, command("OUT"), BADGES["E7"]) == [PROMPT, OK, OK]
    assert found.station.scan(found.codes["unit"]) == Signalled("order_done", None)


def test_cancel_twice_needs_nothing_in_between(world: World) -> None:
    """Rule: workflow.md#cancel."""
    found = filling(world)
    cancel = command("CANCEL")
    assert found.station.scan_all(cancel, found.codes["open order"], cancel) == [PROMPT, AGAIN, PROMPT]
    assert found.station.scan(cancel) == REMOVED
    assert found.station.scan(command("SAVE")) == refused("box_empty")


def test_cancel_puts_down_first_the_step_then_the_product(world: World) -> None:
    """Rule: workflow.md#cancel."""
    units, sku = world.supply.imeis(2), world.supply.sku()
    order = world.order(
        line("1", sku, 1, flow="distribution", units=[[units[0]]]),
        line("2", world.supply.sku(), 1, flow="distribution", units=[[units[1]]]),
    )
    station = world.opened(order)
    cancel = command("CANCEL")
    assert station.scan_all(sku, command("REMOVE")) == [OK, PROMPT]
    assert station.scan(cancel).reason is None
    assert station.scan(units[1]) == refused("wrong_product"), "the product is still selected"
    assert station.scan(cancel).reason is None
    assert station.scan(units[1]) == refused("product_required")
