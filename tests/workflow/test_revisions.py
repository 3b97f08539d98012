"""Manifests that change while an order is worked on, or after it."""

import pytest

from agent.contract.events import LineCount, OrderRevised
from agent.contract.manifest import Flow, Status
from agent.contract.printed_codes import Verb, command_text
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.replay import replay
from agent.workflow.reply import Alarm
from agent.workflow.state import Phase, State
from tests.workflow.bench import (
    AGAIN,
    BADGES,
    CONFIRMED,
    LINE_DONE,
    OK,
    ORDER_DONE,
    PROMPT,
    REMOVED,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)
PHONES, CASES = line("1", "P13", 2), line("2", "CASE", 4, serialized=False, gtins=["09506000134352"])
CLOSING = ["packed", "cancelled", "withdrawn"]


def opened() -> Bench:
    """SO-1, with a phone and three cases in the open box."""
    bench = Bench()
    bench.order("SO-1", PHONES, CASES)
    bench.order("SO-2", line("1", "P14", 1))
    bench.opened("SO-1")
    bench.scan(ONE)
    bench.do("QTY", "3")
    bench.scan("CASE")
    return bench


def close(bench: Bench, how: str) -> list[Alarm]:
    if how == "withdrawn":
        return bench.withdraw("SO-1")
    return bench.order("SO-1", PHONES, CASES, revision=2, status=how)


def packed() -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    bench.opened("SO-1")
    bench.scan(ONE)
    bench.save()
    bench.do("PACK")
    assert bench.do("CONFIRM") == CONFIRMED
    return bench


# -- what counts -------------------------------------------------------------------------------------------------


def test_revision_that_is_not_higher_is_ignored() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    for revision in (1, 0):
        assert bench.order("SO-1", PHONES, revision=revision) == []
        assert bench.new == []
    assert bench.here.ordered_on("2") == 4


def test_revision_takes_effect_at_once() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    assert bench.order("SO-1", PHONES, line("2", "CASE", 3, serialized=False), revision=2) == []
    event = bench.last(OrderRevised)
    assert (event.order, event.revision, event.status, event.misfits, event.station) == (
        "SO-1",
        2,
        Status.OPEN,
        (),
        "1",
    )
    assert bench.scan("CASE") == refused(Reason.OVER_QUANTITY)
    assert bench.scan(TWO) == ORDER_DONE


def test_revision_of_an_order_unknown_here_is_no_event() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    bench.order("SO-2", line("1", "P14", 5), revision=2)
    assert bench.new == []


def test_revision_of_an_order_counted_here_and_left_is_an_event_without_alarm() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    bench.do("CLOSE")
    assert bench.order("SO-1", PHONES, revision=2) == []
    event = bench.last(OrderRevised)
    assert (event.station, event.misfits) == (None, (LineCount(line="2", ordered=0, scanned=3),))


def test_revision_with_misfits_sounds_alarm() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    alarms = bench.order("SO-1", line("2", "CASE", 1, serialized=False), revision=2)
    assert [alarm.station for alarm in alarms] == ["1"]
    assert bench.last(OrderRevised).misfits == (
        LineCount(line="2", ordered=1, scanned=3),
        LineCount(line="1", ordered=0, scanned=1),
    )
    assert bench.here.pending_on("2") == -2
    assert bench.here.pending_on("1") == -1
    assert bench.do("WHERE").pending == -3


def test_revision_that_drops_a_line_leaves_a_way_to_take_out_what_is_counted() -> None:
    """`workflow.md#manifest-revisions`, `workflow.md#remove-a-product`"""
    bench = opened()
    bench.order("SO-1", line("9", "P20", 1), revision=2)
    assert bench.scan(ONE) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
    assert bench.scan("CASE") == refused(Reason.NOT_ON_ORDER)
    bench.do("QTY", "3")
    bench.do("REMOVE")
    assert bench.scan("09506000134352") == REMOVED
    bench.do("REMOVE")
    assert bench.scan(ONE) == REMOVED
    assert bench.here.box is None
    assert bench.scan(TWO) == ORDER_DONE


def test_revision_that_drops_a_listed_unit_leaves_it_recognised() -> None:
    """`workflow.md#remove-a-unit`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1, units=[["serial-A", TWO]]))
    bench.opened("SO-1")
    bench.scan("SERIAL-a")
    bench.order("SO-1", line("1", "P13", 1, units=[[THREE]]), revision=2)
    bench.do("REMOVE")
    assert bench.scan("serial-a") == REMOVED
    assert bench.scan("serial-a") == refused(Reason.UNKNOWN_CODE)


def test_revision_that_drops_the_selected_product_puts_it_down() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    bench.scan("P13")
    bench.order("SO-1", line("9", "P20", 1), revision=2)
    assert bench.station.product is None


def test_revision_may_change_the_shared_flow_while_the_box_is_empty() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    bench.opened("SO-1")
    bench.order("SO-1", line("1", "P13", 1, flow="pos"), revision=2)
    assert bench.station.mode is Flow.POS
    assert bench.scan(ONE) == ORDER_DONE


def test_line_complete_by_what_was_counted_elsewhere() -> None:
    """`workflow.md#counted-at-another-kiosk`"""
    bench = opened()
    counted = [{"line": "1", "quantity": 1, "units": [TWO], "box": "9A77000000000001"}]
    assert bench.order("SO-1", PHONES, CASES, revision=2, counted=counted) == []
    assert bench.here.scanned_on("1") == 2
    assert bench.scan(TWO) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
    assert bench.scan(THREE) == refused(Reason.OVER_QUANTITY)
    bench.do("REMOVE")
    assert bench.scan(TWO) == refused(Reason.NOT_IN_BOX)
    assert bench.scan("CASE") == ORDER_DONE


def test_counted_in_a_box_of_this_kiosk_is_not_counted_twice() -> None:
    """`workflow.md#counted-at-another-kiosk`"""
    bench = opened()
    bench.save()
    bench.start_over("AAAAAAAA")
    bench.scan(TWO)
    bench.save()
    counted = [
        {"line": "1", "quantity": 1, "units": [ONE], "box": "3F0C9A1B000001"},
        {"line": "2", "quantity": 3, "units": [], "box": "3F0C9A1B000001"},
        {"line": "1", "quantity": 1, "units": [TWO], "box": "AAAAAAAA000002"},
        {"line": "2", "quantity": 1, "units": [], "box": "BBBBBBBB000001"},
    ]
    assert bench.order("SO-1", PHONES, CASES, revision=2, counted=counted) == []
    assert bench.last(OrderRevised).misfits == ()
    assert (bench.here.scanned_on("1"), bench.here.scanned_on("2")) == (2, 4)
    assert bench.do("PACK") == PROMPT


# -- closed while open -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", CLOSING)
def test_closed_while_open_sounds_alarm(how: str) -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    assert close(bench, how) == [Alarm(station="1", reason=Reason.ORDER_CLOSED)]
    assert bench.last(OrderRevised).status is Status(how)


@pytest.mark.parametrize(
    ("code", "works"),
    [
        (TWO, False),
        ("CASE", False),
        ("P13", False),
        (command_text(Verb.QTY, "2"), False),
        (command_text(Verb.KIND, "SKU"), False),
        (command_text(Verb.MODE, "USED"), False),
        (command_text(Verb.SAVE), False),
        (command_text(Verb.PACK), False),
        (command_text(Verb.ROLE, "PACK"), False),
        ("]C100106141412345678908", False),
        (BADGES["E8"], True),
        (command_text(Verb.UNDO), True),
        (command_text(Verb.REMOVE), True),
        (command_text(Verb.CANCEL), True),
        (command_text(Verb.CLOSE), True),
        (command_text(Verb.OUT), True),
        (command_text(Verb.WHERE), True),
        (command_text(Verb.REPEAT), True),
    ],
)
@pytest.mark.parametrize("how", CLOSING)
def test_closed_while_open_lets_nothing_in(how: str, code: str, works: bool) -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    close(bench, how)
    reply = bench.scan(code)
    assert (reply.reason is Reason.ORDER_CLOSED) is not works
    assert (reply.reason is None) is works


@pytest.mark.parametrize("how", CLOSING)
def test_closed_while_open_everything_can_be_taken_out(how: str) -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    bench.save()
    close(bench, how)
    bench.do("REMOVE")
    assert bench.scan(ONE) == REMOVED
    bench.do("REMOVE")
    assert bench.scan("CASE") == REMOVED
    assert [bench.do("CANCEL"), bench.do("CANCEL")] == [PROMPT, REMOVED]
    assert bench.here.total_scanned == 0
    assert bench.scan("SO-2") == OK


def test_closed_while_boxing_lets_the_box_go_back_only() -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    bench.do("SAVE")
    close(bench, "cancelled")
    assert bench.do("SAVE") == refused(Reason.ORDER_CLOSED)
    assert bench.do("BOX", "M") == refused(Reason.ORDER_CLOSED)
    assert bench.scan("106141412345678908") == refused(Reason.ORDER_CLOSED)
    assert bench.do("CANCEL") == REMOVED
    assert bench.phase() is Phase.SCANNING


def test_closed_while_packing_lets_it_be_left() -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    bench.all([TWO, "CASE"])
    bench.save()
    bench.do("PACK")
    close(bench, "cancelled")
    assert bench.do("CANCEL") == OK
    assert bench.do("CLOSE") == OK


def test_closed_while_assigning_still_takes_the_badge() -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    bench.do("ROLE", "PACK")
    close(bench, "cancelled")
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.phase() is Phase.SCANNING


def test_closed_box_open_keeps_another_order_out() -> None:
    """`workflow.md#closed-while-open`"""
    bench = opened()
    close(bench, "withdrawn")
    assert bench.scan("SO-2") == refused(Reason.BOX_OPEN)
    assert bench.scan("SO-1") == AGAIN


def test_withdrawn_order_comes_back_at_any_revision() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    bench.order("SO-1", PHONES, CASES, revision=7)
    bench.withdraw("SO-1")
    assert bench.scan(TWO) == refused(Reason.ORDER_CLOSED)
    assert bench.order("SO-1", PHONES, CASES, revision=1) == []
    assert bench.last(OrderRevised).status is Status.OPEN
    assert bench.scan(TWO) == LINE_DONE


def test_cancelled_order_comes_back_with_a_higher_revision() -> None:
    """`workflow.md#manifest-revisions`"""
    bench = opened()
    close(bench, "cancelled")
    bench.order("SO-1", PHONES, CASES, revision=3)
    assert bench.scan(TWO) == LINE_DONE


# -- packed here -------------------------------------------------------------------------------------------------


def test_packed_here_stays_closed_until_a_revision_reopens() -> None:
    """`workflow.md#packed-orders-stay-closed`"""
    bench = packed()
    assert bench.order("SO-1", line("1", "P13", 2), revision=2) == []
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)
    bench.withdraw("SO-1")
    bench.order("SO-1", line("1", "P13", 2), revision=1, reopen=1)
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED), "packed at 1, which is not lower than 1"
    bench.order("SO-1", line("1", "P13", 2), revision=3, reopen=2)
    assert bench.scan("SO-1") == OK
    assert bench.scan(ONE) == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)
    assert bench.scan(TWO) == ORDER_DONE


def test_reopen_may_stay_in_all_later_revisions() -> None:
    """`workflow.md#packed-orders-stay-closed`"""
    bench = packed()
    bench.order("SO-1", line("1", "P13", 1), revision=2, reopen=2)
    bench.opened("SO-1")
    assert [bench.do("PACK"), bench.do("CONFIRM")] == [PROMPT, CONFIRMED]
    bench.order("SO-1", line("1", "P13", 1), revision=3, reopen=2)
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED), "packed at 2, which is not lower than 2"
    bench.order("SO-1", line("1", "P13", 2), revision=4, reopen=3)
    assert bench.scan("SO-1") == OK


def test_packed_and_reopened_units_are_counted_elsewhere_again() -> None:
    """`workflow.md#packed-orders-stay-closed`"""
    bench = packed()
    bench.order("SO-2", line("1", "P14", 2))
    bench.order("SO-1", line("1", "P13", 1), revision=2, reopen=2)
    bench.opened("SO-2")
    assert bench.scan(ONE) == refused(Reason.COUNTED_ELSEWHERE)


def test_packed_and_reopened_packs_again() -> None:
    """`workflow.md#packed-orders-stay-closed`"""
    bench = packed()
    bench.order("SO-1", line("1", "P13", 1), revision=2, reopen=2)
    bench.opened("SO-1")
    assert [bench.do("PACK"), bench.do("CONFIRM")] == [PROMPT, CONFIRMED]
    assert bench.scan("SO-1") == refused(Reason.ORDER_CLOSED)


def test_revisions_of_a_large_order_are_small_in_the_journal() -> None:
    """`workflow.md#size-of-a-revision`: only differences are kept, and the state comes back from them."""
    bench = Bench()
    units = [[imei(number)] for number in range(1, 3001)]
    bench.order("SO-1", line("1", "P13", 3000, units=units))
    bench.opened("SO-1")
    bench.scan(imei(1))
    whole = len(bench.state.orders["SO-1"].manifest.source)
    before = len(bench.commits)
    for revision in range(2, 12):
        bench.order("SO-1", line("1", "P13", 3000, units=units), revision=revision)
    bench.order("SO-1", line("1", "P13", 2999, units=units[:-1]), revision=12)
    bench.order("SO-1", line("1", "P13", 1, units=[[imei(9000)]]), revision=13)
    revised = bench.commits[before:]
    assert len(revised) == 12
    assert max(len(commit.private) for commit in revised) < 500 < whole / 100
    assert replay(State(), bench.commits) == bench.state


def test_a_revision_that_changes_everything_is_kept_whole() -> None:
    """`workflow.md#size-of-a-revision`"""
    bench = opened()
    bench.order("SO-1", line("9", "Q99", 7), revision=2)
    assert replay(State(), bench.commits) == bench.state
    whole = len(bench.state.orders["SO-1"].manifest.source)
    assert len(bench.commits[-1].private) < 2 * whole
