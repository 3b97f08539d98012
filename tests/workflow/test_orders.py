"""Opening and leaving an order, its mode and kind."""

from typing import Any

import pytest

from agent.contract.events import (
    Accepted,
    Kind,
    KindChosen,
    ModeChosen,
    OrderLeft,
    OrderOpened,
)
from agent.contract.manifest import Flow
from agent.contract.reasons import Reason
from agent.workflow.state import Phase
from tests.workflow.bench import (
    AGAIN,
    LINE_DONE,
    OK,
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
    """SO-1, with one line of each flow, open at station 1."""
    bench = bench_with(
        line("1", "U", 2, tacs=["35000001"]),
        line("2", "D", 2, tacs=["35000002"], flow="distribution"),
        line("3", "P", 2, tacs=["35000003"], flow="pos"),
    )
    bench.opened("SO-1")
    return bench


def used(number: int) -> str:
    return imei(number, "35000001")


def pos(number: int) -> str:
    return imei(number, "35000003")


# -- opening and leaving -----------------------------------------------------------------------------------------


def test_open_tells_revision_and_mode() -> None:
    """`workflow.md#open-an-order`"""
    bench = simple()
    event = bench.last(OrderOpened)
    assert (event.order, event.revision, event.mode, event.by) == ("SO-1", 1, Flow.USED, "E7")


def test_open_by_any_barcode_whatever_its_case() -> None:
    """`workflow.md#open-an-order`, `scanning.md#comparing-codes`"""
    bench = bench_with(line("1", "P13", 1), barcodes=["Pallet 7"])
    assert bench.scan("pALLET 7") == OK
    assert bench.station.order == "SO-1"
    assert bench.scan("so-1") == AGAIN


@pytest.mark.parametrize("status", ["packed", "cancelled"])
def test_open_closed_order_is_refused(status: str) -> None:
    """`workflow.md#open-an-order`"""
    bench = bench_with(line("1", "P13", 1), status=status)
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_open_withdrawn_order_is_refused() -> None:
    """`workflow.md#open-an-order`"""
    bench = bench_with(line("1", "P13", 1))
    bench.withdraw("SO-1")
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_open_barcode_of_a_closed_and_an_open_order_opens_the_open_one() -> None:
    """`workflow.md#open-an-order`"""
    bench = bench_with(line("1", "P13", 1), status="packed", barcodes=["PALLET"])
    bench.order("SO-3", line("1", "P13", 1), barcodes=["PALLET"])
    assert bench.scan("PALLET") == OK
    assert bench.station.order == "SO-3"


def test_open_order_in_use_elsewhere_is_refused() -> None:
    """`workflow.md#one-station-per-order`"""
    bench = simple()
    bench.sign_in("E8", station="2")
    assert bench.scan("SO-1", station="2") == refused(Reason.ORDER_IN_USE)
    assert bench.station.order == "SO-1"


@pytest.mark.parametrize("phase", [Phase.SCANNING, Phase.BOXING])
def test_open_order_of_a_signed_out_station_passes_over_with_its_box(phase: Phase) -> None:
    """`workflow.md#one-station-per-order`, `workflow.md#mode-of-a-box`"""
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
    """`workflow.md#one-station-per-order`"""
    bench = simple()
    bench.all([ONE, TWO])
    bench.save()
    bench.do("PACK")
    bench.do("OUT")
    bench.opened("SO-1", station="2")
    assert bench.phase("2") is Phase.SCANNING


def test_open_passes_over_a_fresh_order_too() -> None:
    """`workflow.md#one-station-per-order`: with nothing in it, the state drops the order in between."""
    bench = simple()
    bench.do("OUT")
    bench.opened("SO-1", station="2")
    assert bench.scan(ONE, station="2") == OK


def test_open_another_leaves_the_first() -> None:
    """`workflow.md#open-an-order`"""
    bench = simple()
    assert bench.scan("SO-2") == OK
    assert bench.types() == ["order.left", "order.opened"]
    assert (bench.last(OrderLeft).order, bench.last(OrderOpened).order) == ("SO-1", "SO-2")


def test_open_another_needs_an_empty_box() -> None:
    """`workflow.md#open-an-order`"""
    bench = simple()
    bench.scan(ONE)
    assert bench.scan("SO-2") == refused(Reason.BOX_OPEN)
    bench.save()
    assert bench.scan("SO-2") == OK


def test_open_another_that_is_in_use_leaves_nothing() -> None:
    """`workflow.md#open-an-order`"""
    bench = simple()
    bench.opened("SO-2", station="2")
    before = bench.state
    assert bench.scan("SO-2") == refused(Reason.ORDER_IN_USE)
    assert bench.state == before


@pytest.mark.parametrize("phase", [Phase.SCANNING, Phase.BOXING])
def test_close_keeps_the_open_box(phase: Phase) -> None:
    """`workflow.md#leave-an-order`"""
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
    """`workflow.md#leave-an-order`"""
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
    """`workflow.md#stations-are-independent`"""
    bench = simple()
    bench.opened("SO-2", station="2")
    bench.do("QTY", "5")
    assert bench.scan(THREE, station="2") == OK
    assert bench.station.quantity == 5
    assert bench.scan(ONE) == OK
    assert bench.here.total_scanned == 1


# -- mode and kind -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", list(Flow))
def test_mode_is_the_flow_that_all_lines_share(flow: Flow) -> None:
    """`workflow.md#choose-a-mode`"""
    bench = bench_with(line("1", "P13", 1, flow=flow.value), line("2", "P14", 1, flow=flow.value))
    bench.opened("SO-1")
    assert bench.station.mode is flow


def test_mode_must_be_chosen_where_lines_differ() -> None:
    """`workflow.md#choose-a-mode`"""
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
    """`workflow.md#choose-a-mode`"""
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
    """`workflow.md#choose-a-mode`"""
    bench = mixed()
    bench.do("MODE", "DIST")
    bench.scan("D")
    assert bench.station.product == "D"
    bench.do("MODE", "USED")
    assert bench.station.product is None


def test_mode_counts_are_of_the_whole_order() -> None:
    """`workflow.md#choose-a-mode`"""
    bench = mixed()
    bench.do("MODE", "USED")
    bench.scan(used(1))
    assert bench.scan(used(2)) == LINE_DONE
    assert bench.do("WHERE").pending == 4
    assert bench.last(Accepted).order_pending == 4


def test_mode_comes_back_with_a_box_that_is_not_empty() -> None:
    """`workflow.md#mode-of-a-box`"""
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


def test_mode_that_comes_back_puts_the_product_of_another_down() -> None:
    """`workflow.md#mode-of-a-box`"""
    bench = mixed()
    bench.do("MODE", "USED")
    bench.scan("U")
    bench.scan(used(1))
    bench.save()
    bench.do("UNDO")
    bench.do("SAVE")
    assert bench.station.product == "U"
    bench.do("MODE", "POS")
    bench.scan("P")
    bench.do("UNDO")
    assert (bench.state.station("1").mode, bench.state.station("1").product) == (Flow.USED, None)


def test_mode_is_the_shared_flow_again_when_the_box_of_another_is_gone() -> None:
    """`workflow.md#mode-of-a-box`, `workflow.md#choose-a-mode`"""
    bench = mixed()
    bench.do("MODE", "USED")
    bench.scan(used(1))
    bench.order("SO-1", line("3", "P", 2, tacs=["35000003"], flow="pos"), revision=2)
    assert bench.state.station("1").mode is Flow.USED
    bench.save()
    assert bench.station.mode is Flow.POS
    assert bench.scan(pos(1)) == OK


def test_kind_pins_what_may_be_scanned() -> None:
    """`workflow.md#choose-a-kind`"""
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
