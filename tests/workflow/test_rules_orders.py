"""Rules 2, 4 and 8: opening and leaving an order, its mode and kind, packing confirmation."""

from typing import Any

import pytest

from agent.events import (
    Accepted,
    Kind,
    KindChosen,
    ModeChosen,
    OrderLeft,
    OrderOpened,
    PackingConfirmed,
    PackingLeft,
    PackingRefused,
    Rejected,
)
from agent.reasons import Reason
from agent.reference.manifest import Flow
from agent.signals import Signal
from agent.workflow.desk import Settings
from agent.workflow.state import Phase
from tests.workflow.bench import (
    AGAIN,
    BADGES,
    CONFIRMED,
    LINE_DONE,
    OK,
    ORDER_DONE,
    PROMPT,
    REMOVED,
    SAVED,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)


def bench_with(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *lines, **more)
    bench.order("SO-2", line("1", "P14", 3))
    bench.sign_in()
    return bench


def simple() -> Bench:
    """SO-1, two units of any IMEI, open at station 1."""
    bench = bench_with(line("1", "P13", 2))
    bench.opened("SO-1")
    return bench


def mixed() -> Bench:
    """SO-1, a line of each flow, open at station 1."""
    bench = bench_with(
        line("1", "U", 2, tacs=["35000001"]),
        line("2", "D", 2, tacs=["35000002"], flow="distribution"),
        line("3", "P", 2, tacs=["35000003"], flow="pos"),
    )
    bench.opened("SO-1")
    return bench


def used(number: int) -> str:
    return imei(number, "35000001")


def dist(number: int) -> str:
    return imei(number, "35000002")


def pos(number: int) -> str:
    return imei(number, "35000003")


# -- rule 2: opening and leaving ---------------------------------------------------------------------------------


def test_open_tells_revision_and_mode() -> None:
    bench = simple()
    event = bench.last(OrderOpened)
    assert (event.order, event.revision, event.mode, event.by) == ("SO-1", 1, Flow.USED, "E7")


def test_open_by_any_barcode_whatever_its_case() -> None:
    bench = bench_with(line("1", "P13", 1), barcodes=["Pallet 7"])
    assert bench.scan("pALLET 7") == OK
    assert bench.station.order == "SO-1"
    assert bench.scan("so-1") == AGAIN


@pytest.mark.parametrize("status", ["packed", "cancelled"])
def test_open_closed_order_is_refused(status: str) -> None:
    bench = bench_with(line("1", "P13", 1), status=status)
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_open_withdrawn_order_is_refused() -> None:
    bench = bench_with(line("1", "P13", 1))
    bench.withdraw("SO-1")
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_open_barcode_of_a_closed_and_an_open_order_opens_the_open_one() -> None:
    bench = bench_with(line("1", "P13", 1), status="packed", barcodes=["PALLET"])
    bench.order("SO-3", line("1", "P13", 1), barcodes=["PALLET"])
    assert bench.scan("PALLET") == OK
    assert bench.station.order == "SO-3"


def test_open_order_in_use_elsewhere_is_refused() -> None:
    bench = simple()
    bench.sign_in("E8", station="2")
    assert bench.scan("SO-1", station="2") == refused(Reason.ORDER_IN_USE)
    assert bench.station.order == "SO-1"


@pytest.mark.parametrize("phase", [Phase.SCANNING, Phase.BOXING])
def test_open_order_of_a_signed_out_station_passes_over_with_its_box(phase: Phase) -> None:
    bench = simple()
    bench.scan(ONE)
    if phase is Phase.BOXING:
        bench.do("SAVE")
    box = bench.here.box
    bench.do("OUT")
    bench.sign_in("E8", station="2")
    assert bench.scan("SO-1", station="2") == OK
    assert bench.types() == ["order.left", "order.opened"]
    assert bench.last(OrderLeft).station == "1"
    assert (bench.station.order, bench.phase()) == (None, Phase.READY)
    there = bench.state.station("2")
    assert (there.order, there.phase, there.operator) == ("SO-1", phase, "E8")
    assert bench.state.orders["SO-1"].box == box


def test_open_packing_order_of_a_signed_out_station_passes_over_in_scanning() -> None:
    bench = simple()
    bench.all([ONE, TWO])
    bench.save()
    bench.do("PACK")
    bench.do("OUT")
    bench.opened("SO-1", station="2")
    assert bench.phase("2") is Phase.SCANNING


def test_open_passes_over_a_fresh_order_too() -> None:
    """Nothing was done with it, so that the state has no reason to remember it."""
    bench = simple()
    bench.do("OUT")
    bench.opened("SO-1", station="2")
    assert bench.scan(ONE, station="2") == OK


def test_open_another_leaves_the_first() -> None:
    bench = simple()
    assert bench.scan("SO-2") == OK
    assert bench.types() == ["order.left", "order.opened"]
    assert (bench.last(OrderLeft).order, bench.last(OrderOpened).order) == ("SO-1", "SO-2")


def test_open_another_needs_an_empty_box() -> None:
    bench = simple()
    bench.scan(ONE)
    assert bench.scan("SO-2") == refused(Reason.BOX_OPEN)
    bench.save()
    assert bench.scan("SO-2") == OK


def test_open_another_that_is_in_use_leaves_nothing() -> None:
    bench = simple()
    bench.opened("SO-2", station="2")
    before = bench.state
    assert bench.scan("SO-2") == refused(Reason.ORDER_IN_USE)
    assert bench.state == before


@pytest.mark.parametrize("phase", [Phase.SCANNING, Phase.BOXING])
def test_close_keeps_the_open_box(phase: Phase) -> None:
    bench = simple()
    bench.scan(ONE)
    if phase is Phase.BOXING:
        bench.do("SAVE")
    assert bench.do("CLOSE") == OK
    assert bench.types() == ["order.left"]
    assert bench.phase() is Phase.READY
    bench.restart()
    bench.opened("SO-1")
    assert bench.phase() is phase
    assert bench.contents() == {"P13": 1}
    assert bench.last(OrderOpened).mode is Flow.USED


def test_close_forgets_mode_kind_product_and_pending_steps() -> None:
    bench = mixed()
    bench.do("MODE", "DIST")
    bench.do("KIND", "SERIAL")
    bench.scan("D")
    bench.do("QTY", "3")
    bench.do("CLOSE")
    bench.opened("SO-1")
    station = bench.station
    assert (station.mode, station.kind, station.product, station.quantity) == (None, Kind.AUTO, None, None)


def test_stations_do_not_disturb_each_other() -> None:
    bench = simple()
    bench.opened("SO-2", station="2")
    bench.do("QTY", "5")
    assert bench.scan(THREE, station="2") == OK
    assert bench.station.quantity == 5
    assert bench.scan(ONE) == OK
    assert bench.here.total_scanned == 1


# -- rule 4: mode and kind ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", list(Flow))
def test_mode_is_the_flow_that_all_lines_share(flow: Flow) -> None:
    bench = bench_with(line("1", "P13", 1, flow=flow.value), line("2", "P14", 1, flow=flow.value))
    bench.opened("SO-1")
    assert bench.station.mode is flow


def test_mode_must_be_chosen_where_lines_differ() -> None:
    bench = mixed()
    assert bench.last(OrderOpened).mode is None
    assert bench.scan(used(1)) == refused(Reason.MODE_REQUIRED)
    assert bench.scan("U") == refused(Reason.MODE_REQUIRED)
    assert bench.do("MODE", "POS") == OK
    assert bench.last(ModeChosen).mode is Flow.POS
    assert bench.do("MODE", "POS") == AGAIN
    assert bench.scan(used(1)) == refused(Reason.NOT_ON_ORDER)
    assert bench.scan(pos(1)) == OK
    assert bench.last(Accepted).mode is Flow.POS


def test_mode_without_lines_is_refused_before_the_box_is_looked_at() -> None:
    bench = bench_with(line("1", "P13", 3), line("2", "P14", 1, flow="pos"))
    bench.opened("SO-1")
    bench.do("MODE", "USED")
    bench.scan("P13")
    bench.scan(ONE)
    assert bench.do("MODE", "DIST") == refused(Reason.WRONG_MODE)
    assert bench.do("MODE", "POS") == refused(Reason.BOX_OPEN)
    bench.save()
    assert bench.do("MODE", "POS") == OK


def test_mode_puts_the_product_down() -> None:
    bench = mixed()
    bench.do("MODE", "DIST")
    bench.scan("D")
    assert bench.station.product == "D"
    bench.do("MODE", "USED")
    assert bench.station.product is None


def test_mode_counts_are_of_the_whole_order() -> None:
    bench = mixed()
    bench.do("MODE", "USED")
    bench.scan(used(1))
    assert bench.scan(used(2)) == LINE_DONE
    assert bench.do("WHERE").pending == 4
    assert bench.last(Accepted).order_pending == 4


def test_mode_comes_back_with_a_box_that_is_not_empty() -> None:
    bench = mixed()
    bench.do("MODE", "USED")
    bench.scan(used(1))
    bench.save()
    bench.do("MODE", "POS")
    assert bench.do("UNDO") == REMOVED
    assert bench.station.mode is Flow.USED
    bench.do("CLOSE")
    bench.opened("SO-1")
    assert (bench.station.mode, bench.phase()) == (Flow.USED, Phase.BOXING)
    assert bench.do("SAVE") == SAVED
    bench.do("MODE", "POS")
    bench.scan(pos(1))
    bench.do("OUT")
    bench.opened("SO-1", station="2")
    assert bench.state.station("2").mode is Flow.POS


def test_mode_is_the_shared_flow_again_when_the_box_of_another_is_gone() -> None:
    bench = mixed()
    bench.do("MODE", "USED")
    bench.scan(used(1))
    bench.order("SO-1", line("3", "P", 2, tacs=["35000003"], flow="pos"), revision=2)
    assert bench.state.station("1").mode is Flow.USED
    bench.save()
    assert bench.station.mode is Flow.POS
    assert bench.scan(pos(1)) == OK


def test_kind_pins_what_may_be_scanned() -> None:
    bench = bench_with(line("1", "P13", 2), line("2", "CASE", 2, serialized=False))
    bench.opened("SO-1")
    assert bench.do("KIND", "SKU") == OK
    assert bench.last(KindChosen).kind is Kind.SKU
    assert bench.do("KIND", "SKU") == AGAIN
    assert bench.scan(ONE) == refused(Reason.WRONG_KIND)
    assert bench.scan("P13") == refused(Reason.WRONG_KIND)
    assert bench.scan("CASE") == OK
    assert bench.do("KIND", "SERIAL") == OK
    assert bench.scan("CASE") == refused(Reason.WRONG_KIND)
    assert bench.scan("P13") == OK
    assert bench.do("KIND", "AUTO") == OK
    assert bench.scan("CASE") == LINE_DONE


# -- rule 8: packing confirmation --------------------------------------------------------------------------------


def packing(*, settings: Settings | None = None, **operators: str) -> Bench:
    """SO-1, complete and in two confirmed boxes, at PACK."""
    bench = Bench(settings=settings)
    roles = {"picking": "E9", "packing": "E7", "shipping": "E8", **operators}
    bench.order("SO-1", line("1", "P13", 1), line("2", "CASE", 2, serialized=False), operators=roles)
    bench.opened("SO-1")
    bench.scan(ONE)
    bench.save()
    bench.do("QTY", "2")
    assert bench.scan("CASE") == ORDER_DONE
    bench.save()
    assert bench.do("PACK") == PROMPT
    return bench


def test_packing_confirmed_tells_all() -> None:
    bench = packing()
    assert bench.types() == ["order.packing_started"]
    assert bench.do("CONFIRM") == CONFIRMED
    assert bench.types() == ["order.packing_confirmed"]
    event = bench.last(PackingConfirmed)
    assert (event.order, event.revision) == ("SO-1", 1)
    assert [(one.line, one.ordered, one.scanned) for one in event.lines] == [("1", 1, 1), ("2", 2, 2)]
    assert event.boxes == ("3F0C9A1B000001", "3F0C9A1B000002")
    assert event.operators == {"picking": "E9", "packing": "E7", "shipping": "E8"}
    assert (bench.phase(), bench.station.order) == (Phase.READY, None)
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)
    bench.restart()
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_packing_is_the_packers_alone() -> None:
    bench = packing(packing="E8")
    assert bench.do("CONFIRM") == refused(Reason.NOT_ASSIGNED)
    assert bench.phase() is Phase.PACKING
    bench.scan(BADGES["E8"])
    assert bench.do("CONFIRM") == CONFIRMED


def test_packing_may_be_anybodys() -> None:
    bench = packing(packing="E8", settings=Settings(packer_confirms=False))
    assert bench.do("CONFIRM") == CONFIRMED


def test_packing_cancelled_goes_back_to_scanning() -> None:
    bench = packing()
    assert bench.do("CANCEL") == OK
    assert bench.types() == ["order.packing_left"]
    assert bench.phase() is Phase.SCANNING


def test_packing_with_too_few_is_refused() -> None:
    bench = simple()
    bench.scan(ONE)
    bench.save()
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)
    assert bench.types() == ["order.packing_refused"]
    assert bench.phase() is Phase.SCANNING


def test_packing_with_too_many_on_one_line_is_refused() -> None:
    bench = packing()
    bench.do("CANCEL")
    bench.order("SO-1", line("1", "P13", 1), line("2", "CASE", 1, serialized=False), revision=2)
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)
    assert [(one.ordered, one.scanned) for one in bench.last(PackingRefused).lines] == [(1, 1), (1, 2)]


def test_packing_confirmation_looks_at_a_manifest_that_came_between() -> None:
    bench = packing()
    bench.order("SO-1", line("1", "P13", 2), line("2", "CASE", 2, serialized=False), revision=2)
    assert bench.phase() is Phase.PACKING
    assert bench.do("CONFIRM") == refused(Reason.QUANTITY_MISMATCH)
    assert bench.types() == ["order.packing_refused", "order.packing_left"]
    assert bench.phase() is Phase.SCANNING
    assert bench.scan(TWO) == ORDER_DONE


def test_packing_confirmation_of_an_order_cancelled_between() -> None:
    bench = packing()
    bench.order("SO-1", line("1", "P13", 1), revision=2, status="cancelled")
    assert bench.do("CONFIRM") == refused(Reason.ORDER_CLOSED)
    assert bench.types() == ["scan.rejected", "order.packing_left"]
    assert bench.last(Rejected).reason is Reason.ORDER_CLOSED
    assert bench.phase() is Phase.SCANNING


def test_packing_confirmation_of_an_order_held_between() -> None:
    bench = packing()
    bench.verdict("hold", "SO-1", ONE)
    assert bench.do("CONFIRM") == refused(Reason.HELD)
    assert bench.types() == ["scan.rejected", "order.packing_left"]
    assert bench.last(PackingLeft).order == "SO-1"
    assert bench.phase() is Phase.SCANNING


def test_packing_quantities_are_looked_at_before_the_packer() -> None:
    bench = packing(packing="E8")
    bench.order("SO-1", line("1", "P13", 2), revision=2)
    assert bench.do("CONFIRM") == refused(Reason.QUANTITY_MISMATCH)


def test_packing_passes_a_size_that_was_chosen_for_nothing() -> None:
    """Used boxes need no size: SAVE, SAVE."""
    bench = bench_with(line("1", "P13", 1))
    bench.opened("SO-1")
    assert bench.all([ONE]) == [Signal.ORDER_DONE]
    assert [bench.do("SAVE").signal, bench.do("SAVE").signal, bench.do("PACK").signal] == ["boxed", "saved", "prompt"]


def test_packed_units_may_come_back_in_another_order() -> None:
    bench = packing()
    bench.do("CONFIRM")
    bench.order("SO-2", line("1", "P13", 1))
    bench.opened("SO-2")
    assert bench.scan(ONE) == ORDER_DONE
