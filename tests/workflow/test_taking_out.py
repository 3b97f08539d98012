"""UNDO, REMOVE and CANCEL."""

import pytest

from agent.contract.events import Accepted, BoxReopened, BoxVoided, Rejected, Reopened, Selected, Voided, What
from agent.contract.manifest import Flow
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.state import Phase
from tests.workflow.bench import (
    AGAIN,
    BADGES,
    LINE_DONE,
    OK,
    PROMPT,
    REMOVED,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)
LABEL = "106141412345678908"


def opened() -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 9), line("2", "CASE", 20, serialized=False))
    bench.opened("SO-1")
    return bench


def cases(bench: Bench, *quantities: int) -> None:
    for quantity in quantities:
        bench.do("QTY", str(quantity))
        assert bench.scan("CASE") == OK


# -- UNDO --------------------------------------------------------------------------------------------------------


def test_undo_voids_the_newest_scan_first() -> None:
    """`workflow.md#undo`"""
    bench = opened()
    bench.scan(ONE)
    cases(bench, 5)
    accepted = bench.sequence
    bench.scan(TWO)
    assert bench.do("UNDO") == REMOVED
    event = bench.last(Voided)
    assert event.unit is not None
    assert (event.sequence, event.unit.id, event.quantity) == (f"{accepted + 1:012d}", TWO, 1)
    assert (event.line_scanned, event.line_pending, event.order_scanned) == (1, 8, 6)
    assert bench.do("UNDO") == REMOVED
    event = bench.last(Voided)
    assert (event.sequence, event.sku, event.quantity, event.unit) == (f"{accepted:012d}", "CASE", 5, None)
    assert bench.scan(TWO) == OK


def test_undo_of_a_scan_that_was_partly_removed_voids_the_rest() -> None:
    """`workflow.md#undo`"""
    bench = opened()
    cases(bench, 5)
    bench.do("REMOVE")
    bench.scan("CASE")
    bench.do("UNDO")
    assert bench.last(Voided).quantity == 4
    assert bench.here.total_scanned == 0


def test_undo_works_after_a_restart() -> None:
    """`workflow.md#undo`, `workflow.md#restart-keeps-the-state`"""
    bench = opened()
    bench.scan(ONE)
    bench.restart()
    assert bench.do("UNDO") == REMOVED
    assert bench.here.total_scanned == 0


def test_undo_with_an_empty_box_reopens_in_boxing() -> None:
    """`workflow.md#undo`, `workflow.md#reopen-a-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.save()
    assert bench.do("UNDO") == REMOVED
    assert bench.types() == ["box.reopened"]
    assert bench.last(BoxReopened).state is Reopened.BOXING
    assert bench.phase() is Phase.BOXING


# -- REMOVE ------------------------------------------------------------------------------------------------------


def test_remove_takes_out_a_unit_of_the_open_box() -> None:
    """`workflow.md#remove-a-unit`"""
    bench = opened()
    bench.all([ONE, TWO])
    assert bench.do("REMOVE") == PROMPT
    assert (bench.last(Selected).what, bench.last(Selected).value) == (What.REMOVE, None)
    assert bench.scan(ONE) == REMOVED
    assert bench.types() == ["scan.voided"]
    assert bench.scan(ONE) == OK


def test_remove_takes_out_by_an_alias() -> None:
    """`workflow.md#remove-a-unit`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1, units=[[ONE, TWO]]))
    bench.opened("SO-1")
    bench.scan(ONE)
    bench.do("REMOVE")
    assert bench.scan(TWO) == REMOVED
    assert bench.here.total_scanned == 0


@pytest.mark.parametrize("code", [THREE, "HELLO", "8944110065123456783", "CASE", ONE[:-1] + "9"])
def test_remove_is_over_after_one_scan_that_is_refused(code: str) -> None:
    """`workflow.md#end-of-remove`"""
    bench = opened()
    bench.all([ONE, TWO])
    bench.do("REMOVE")
    assert bench.scan(code).signal is Signal.REJECT
    assert not bench.station.remove
    assert bench.scan(ONE) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def test_remove_refused_takes_its_quantity_with_it() -> None:
    """`workflow.md#end-of-remove`"""
    bench = opened()
    cases(bench, 2)
    bench.do("REMOVE")
    bench.do("QTY", "5")
    assert bench.scan("CASE") == refused(Reason.NOT_IN_BOX)
    assert bench.scan("CASE") == OK
    assert bench.last(Accepted).quantity == 1


def test_remove_unreadable_is_not_the_scan() -> None:
    """`workflow.md#end-of-remove`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("REMOVE")
    bench.scan("x", intact=False)
    bench.do("WHERE")
    assert bench.scan(ONE) == REMOVED


def test_remove_ends_after_ten_seconds() -> None:
    """`workflow.md#end-of-remove`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("REMOVE")
    bench.do("QTY", "3", after=4)
    bench.wait(5.9)
    assert bench.station.remove
    bench.wait(0.1)
    assert (bench.last(Selected).what, bench.types()) == (What.NONE, ["scan.selected"])
    assert (bench.station.remove, bench.station.quantity) == (False, None)
    assert bench.scan(ONE).reason is Reason.ALREADY_COUNTED


def test_remove_time_starts_anew_at_a_restart_and_with_remove() -> None:
    """`workflow.md#end-of-remove`, `workflow.md#restart-keeps-the-state`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("REMOVE")
    bench.wait(9)
    bench.restart()
    bench.wait(0)
    bench.wait(9)
    assert bench.station.remove
    assert bench.do("REMOVE", after=0.5) == PROMPT
    assert bench.scan(ONE, after=9.5) == REMOVED


def test_remove_cancelled() -> None:
    """`workflow.md#end-of-remove`, `workflow.md#cancel`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("REMOVE")
    assert bench.do("CANCEL") == OK
    assert bench.last(Selected).what is What.NONE
    assert bench.scan(ONE).reason is Reason.ALREADY_COUNTED


@pytest.mark.parametrize("order", [("REMOVE", "QTY"), ("QTY", "REMOVE")])
def test_remove_takes_a_quantity_from_the_newest_entries(order: tuple[str, str]) -> None:
    """`workflow.md#remove-a-product`"""
    bench = opened()
    cases(bench, 2, 3, 4)
    for verb in order:
        bench.do(verb, "5" if verb == "QTY" else "")
    assert bench.scan("CASE") == REMOVED
    assert [event.quantity for event in bench.new if isinstance(event, Voided)] == [4, 1]
    assert (bench.station.remove, bench.station.quantity) == (False, None)
    bench.do("REMOVE")
    assert bench.scan("CASE") == REMOVED
    assert bench.last(Voided).quantity == 1
    assert bench.contents() == {"CASE": 3}


def test_remove_a_serialized_product_is_not_allowed() -> None:
    """`workflow.md#remove-a-product`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("REMOVE")
    assert bench.scan("P13") == refused(Reason.NOT_ALLOWED)
    assert not bench.station.remove


def test_remove_from_the_newest_confirmed_box_that_holds_enough() -> None:
    """`workflow.md#remove-a-product`"""
    bench = opened()
    for quantity in (5, 4, 1):
        cases(bench, quantity)
        bench.save()
    bench.do("QTY", "3")
    bench.do("REMOVE")
    assert bench.scan("CASE") == REMOVED
    assert bench.types() == ["box.reopened", "scan.voided"]
    event = bench.last(BoxReopened)
    assert (event.box[8:], event.state) == ("000002", Reopened.SCANNING)
    assert bench.phase() is Phase.SCANNING
    assert bench.contents() == {"CASE": 1}


def test_remove_more_than_any_box_holds() -> None:
    """`workflow.md#remove-a-product`"""
    bench = opened()
    cases(bench, 2)
    bench.save()
    cases(bench, 2)
    bench.save()
    bench.do("QTY", "3")
    bench.do("REMOVE")
    assert bench.scan("CASE") == refused(Reason.NOT_IN_BOX)


def test_remove_from_a_confirmed_box_needs_an_empty_one() -> None:
    """`workflow.md#remove-from-a-confirmed-box`"""
    bench = opened()
    bench.scan(ONE)
    cases(bench, 2)
    bench.save()
    bench.scan(TWO)
    for code in (ONE, "CASE"):
        bench.do("REMOVE")
        assert bench.scan(code) == refused(Reason.BOX_OPEN)
        assert not bench.station.remove


def test_remove_from_a_confirmed_box_keeps_size_and_label() -> None:
    """`workflow.md#remove-from-a-confirmed-box`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 9, flow="pos"), line("2", "U", 1))
    bench.opened("SO-1")
    bench.do("MODE", "POS")
    bench.scan("P13")
    bench.all([ONE, TWO])
    bench.do("SAVE")
    bench.scan(LABEL)
    bench.do("BOX", "L")
    bench.do("SAVE")
    bench.do("MODE", "USED")
    bench.do("REMOVE")
    assert bench.scan(ONE) == REMOVED
    box = bench.here.box
    assert box is not None
    assert (box.size, box.label, bench.station.mode) == ("L", LABEL, Flow.POS)
    assert bench.do("SAVE").signal is Signal.BOXED
    assert bench.do("SAVE").signal is Signal.SAVED


def test_remove_the_last_of_a_created_box_dissolves_it() -> None:
    """`workflow.md#dissolve-an-empty-box`"""
    bench = opened()
    bench.scan(ONE)
    bench.save()
    bench.do("REMOVE")
    assert bench.scan(ONE) == REMOVED
    assert bench.types() == ["box.reopened", "scan.voided", "box.voided"]
    assert bench.here.box is None
    bench.scan(TWO)
    assert bench.last(Accepted).box[8:] == "000002"


def test_remove_is_dropped_by_leaving_and_signing_out() -> None:
    """`workflow.md#end-of-remove`"""
    bench = opened()
    bench.do("REMOVE")
    bench.do("CLOSE")
    bench.opened("SO-1")
    assert not bench.station.remove
    bench.do("REMOVE")
    bench.scan(BADGES["E8"])
    assert not bench.station.remove


# -- CANCEL ------------------------------------------------------------------------------------------------------


def test_cancel_leaves_the_pending_step_then_the_product_then_the_box() -> None:
    """`workflow.md#cancel`"""
    bench = opened()
    bench.scan(ONE)
    bench.scan("P13")
    bench.do("QTY", "3")
    assert bench.do("CANCEL") == OK
    assert (bench.station.quantity, bench.station.product) == (None, "P13")
    assert bench.do("CANCEL") == OK
    assert bench.station.product is None
    assert bench.do("CANCEL") == PROMPT
    assert bench.new == []
    assert bench.do("CANCEL") == REMOVED
    assert bench.here.total_scanned == 0


def test_cancel_twice_voids_every_entry_of_the_open_box() -> None:
    """`workflow.md#cancel`"""
    bench = opened()
    bench.scan(THREE)
    bench.save()
    bench.all([ONE, TWO])
    cases(bench, 3)
    assert [bench.do("CANCEL"), bench.do("CANCEL", after=5)] == [PROMPT, REMOVED]
    assert bench.types() == ["scan.voided"] * 3
    assert bench.here.total_scanned == 1
    assert bench.do("CANCEL") == refused(Reason.BOX_EMPTY)


def test_cancel_twice_voids_a_box_that_was_created() -> None:
    """`workflow.md#cancel`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("SAVE")
    bench.do("CANCEL")
    assert [bench.do("CANCEL"), bench.do("CANCEL")] == [PROMPT, REMOVED]
    assert bench.types() == ["scan.voided", "box.voided"]
    assert bench.count(BoxVoided) == 1


def test_cancel_too_late_asks_again() -> None:
    """`workflow.md#cancel`"""
    bench = opened()
    bench.scan(ONE)
    assert bench.do("CANCEL") == PROMPT
    assert bench.do("CANCEL", after=5.1) == PROMPT
    assert bench.do("CANCEL", after=4) == REMOVED


@pytest.mark.parametrize("between", [TWO, ONE, "HELLO", BADGES["E7"], "SO-1"])
def test_cancel_with_another_scan_between_asks_again(between: str) -> None:
    """`workflow.md#cancel`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("CANCEL")
    bench.scan(between)
    assert bench.do("CANCEL") == PROMPT


def test_cancel_with_an_unreadable_scan_between_asks_again() -> None:
    """`workflow.md#cancel`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("CANCEL")
    bench.scan("x", intact=False)
    assert bench.do("CANCEL") == PROMPT


def test_cancel_bounced_is_not_the_second() -> None:
    """`workflow.md#cancel`, `scanning.md#bounce`"""
    bench = opened()
    bench.scan(ONE)
    assert bench.do("CANCEL") == PROMPT
    assert bench.do("CANCEL", after=0.4) == AGAIN
    assert bench.here.total_scanned == 1
    assert bench.do("CANCEL", after=1) == REMOVED


def test_cancel_armed_is_forgotten_at_a_restart() -> None:
    """`workflow.md#cancel`, `workflow.md#restart-keeps-the-state`"""
    bench = opened()
    bench.scan(ONE)
    bench.do("CANCEL")
    bench.restart()
    assert bench.do("CANCEL") == PROMPT


def test_every_accepted_entry_voided_is_named_by_its_sequence() -> None:
    """`workflow.md#nothing-is-erased`"""
    bench = opened()
    sequences = []
    for code in (ONE, TWO, THREE):
        bench.scan(code)
        sequences.append(f"{bench.sequence:012d}")
    bench.do("CANCEL")
    bench.do("CANCEL")
    assert sorted(event.sequence for event in bench.new if isinstance(event, Voided)) == sequences
    assert bench.count(Rejected) == 0


def test_line_done_again_after_one_was_taken_out() -> None:
    """`signals.md#signal-table`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1), line("2", "CASE", 2, serialized=False))
    bench.opened("SO-1")
    assert bench.scan(ONE) == LINE_DONE
    bench.do("UNDO")
    assert bench.scan(TWO) == LINE_DONE


def test_an_ambiguous_code_ends_remove() -> None:
    """`workflow.md#end-of-remove`, `scanning.md#ambiguous-codes`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2), barcodes=["SHARED"])
    bench.order("SO-2", line("1", "P13", 2), barcodes=["SHARED"])
    bench.opened("SO-1")
    assert bench.scan(imei(1)) == OK
    bench.do("REMOVE")
    assert bench.scan("SHARED") == refused(Reason.AMBIGUOUS)
    assert not bench.station.remove
