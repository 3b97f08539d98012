"""Verdicts of the centre: an order is held for a device that must not ship, and released."""

import pytest

from agent.contract.events import Held, Outcome, Released
from agent.contract.manifest import Manifest
from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady
from agent.workflow import fold_orders, holds
from agent.workflow.reply import Alarm, Reply
from agent.workflow.state_codec import decode_state, encode_state
from agent.workflow.station_display import steady_of
from tests.workflow.bench import (
    ALARM,
    BOXED,
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
COUNTED = refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def opened() -> Bench:
    """SO-1 wants three phones; two are counted. The first phone has two IMEIs."""
    bench = Bench()
    bench.order(
        "SO-1", line("1", "P13", 3, units=[[ONE, imei(11)], [TWO], [THREE]]), line("2", "C", 2, serialized=False)
    )
    bench.opened("SO-1")
    bench.all([ONE, TWO])
    return bench


def held() -> Bench:
    bench = opened()
    assert bench.verdict("hold", "SO-1", ONE) == [Alarm(station="1", reason=Reason.HELD)]
    return bench


def test_hold_is_journaled_and_sounds_alarm() -> None:
    """`workflow.md#held-orders`"""
    bench = held()
    assert bench.types() == ["order.held"]
    event = bench.last(Held)
    assert (event.verdict, event.order, event.unit, event.reason) == ("v1", "SO-1", ONE, "counted twice")
    assert event.outcome is None
    assert steady_of(bench.state, "1") is Steady.HELD


def test_held_order_tells_the_phones_apart() -> None:
    """`workflow.md#held-orders`"""
    bench = held()
    assert bench.scan(ONE) == refused(Reason.HELD, ALARM)
    assert bench.scan(imei(11)) == refused(Reason.HELD, ALARM)
    assert bench.scan(TWO) == COUNTED
    assert bench.scan(THREE) == refused(Reason.HELD)
    assert bench.scan("C") == refused(Reason.HELD)
    assert bench.scan("P13") == refused(Reason.HELD)
    assert bench.do("PACK") == refused(Reason.HELD)


def test_held_order_takes_all_else() -> None:
    """`workflow.md#held-orders`"""
    bench = held()
    assert bench.do("SAVE") == BOXED
    assert bench.do("BOX", "M") == OK
    assert bench.do("SAVE") == SAVED
    assert bench.do("UNDO") == REMOVED
    assert bench.do("CANCEL") == REMOVED
    assert bench.do("KIND", "SERIAL") == OK
    assert bench.do("QTY", "2") == PROMPT
    assert bench.do("ROLE", "PACK") == PROMPT
    assert bench.do("CANCEL") == OK
    assert bench.do("CLOSE") == OK


def test_held_order_sounds_alarm_when_it_is_opened() -> None:
    """`workflow.md#held-orders`"""
    bench = opened()
    bench.do("CLOSE")
    assert bench.verdict("hold", "SO-1", ONE) == []
    assert bench.scan("SO-1") == Reply(signal=Signal.ALARM, reason=Reason.HELD)
    assert bench.station.order == "SO-1"


@pytest.mark.parametrize("saved", [False, True])
def test_removing_the_held_unit_ends_the_hold(saved: bool) -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    if saved:
        bench.save()
    bench.do("REMOVE")
    assert bench.scan(imei(11)) == REMOVED
    assert bench.types() == ["box.reopened"] * saved + ["scan.voided", "order.released"]
    event = bench.last(Released)
    assert (event.verdict, event.order, event.unit, event.outcome) == ("v1", "SO-1", ONE, Outcome.UNIT_REMOVED)
    assert bench.scan(THREE) == OK
    bench.restart()
    assert bench.scan(ONE) == refused(Reason.HELD)
    assert bench.scan(imei(11)) == refused(Reason.HELD)


def test_removing_another_unit_does_not_end_the_hold() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    bench.do("REMOVE")
    assert bench.scan(TWO) == REMOVED
    assert bench.scan(THREE) == refused(Reason.HELD)


def test_removed_held_unit_is_refused_in_every_order() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    bench.do("REMOVE")
    bench.scan(ONE)
    bench.save()
    bench.order("SO-2", line("1", "P14", 2))
    bench.opened("SO-2")
    assert bench.scan(ONE) == refused(Reason.HELD)
    assert bench.scan(THREE) == OK


@pytest.mark.parametrize("unit", [ONE, imei(11)])
def test_release_of_the_same_verdict_lets_a_removed_unit_back(unit: str) -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    bench.do("REMOVE")
    bench.scan(ONE)
    bench.verdict("release", "SO-1", TWO, id="v2")
    assert bench.scan(ONE) == refused(Reason.HELD)
    bench.verdict("release", "SO-1", unit, revision=2)
    assert bench.last(Released).outcome is Outcome.RELEASED
    assert bench.scan(ONE) == OK


def test_release_ends_the_hold() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    assert bench.verdict("release", "SO-1", ONE, revision=2) == []
    assert bench.last(Released).outcome is Outcome.RELEASED
    assert bench.scan(ONE) == COUNTED
    assert bench.scan(THREE) == LINE_DONE


def test_two_holds_both_have_to_end() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    bench.verdict("hold", "SO-1", TWO, id="v2")
    bench.do("REMOVE")
    bench.scan(ONE)
    assert bench.scan(TWO) == refused(Reason.HELD, ALARM)
    assert bench.scan(THREE) == refused(Reason.HELD)
    bench.verdict("release", "SO-1", TWO, id="v2", revision=2)
    assert bench.scan(THREE) == OK


def test_two_verdicts_on_one_unit_both_end_and_both_bar() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = held()
    bench.verdict("hold", "SO-1", ONE, id="v2")
    bench.do("REMOVE")
    bench.scan(ONE)
    assert bench.types() == ["scan.voided", "order.released", "order.released"]
    bench.verdict("release", "SO-1", ONE, id="v1", revision=2)
    assert bench.scan(ONE) == refused(Reason.HELD)
    bench.verdict("release", "SO-1", ONE, id="v2", revision=2)
    assert bench.scan(ONE) == OK


def test_verdict_is_taken_once_per_id_and_revision() -> None:
    """`mqtt.md#verdicts`"""
    bench = held()
    bench.do("REMOVE")
    bench.scan(ONE)
    bench.restart()
    assert bench.verdict("hold", "SO-1", ONE) == []
    assert bench.new == []
    bench.verdict("hold", "SO-1", TWO, revision=2)
    assert bench.types() == ["order.held"]


@pytest.mark.parametrize(("order", "unit"), [("SO-1", THREE), ("SO-77", ONE)])
def test_hold_of_what_is_not_here(order: str, unit: str) -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = opened()
    assert bench.verdict("hold", order, unit) == []
    assert bench.types() == ["order.released"]
    assert bench.last(Released).outcome is Outcome.NOT_HERE
    assert bench.scan(THREE) == LINE_DONE


def test_hold_of_an_order_already_packed() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    bench.opened("SO-1")
    assert bench.scan(ONE) == ORDER_DONE
    bench.save()
    bench.do("PACK")
    assert bench.do("CONFIRM") == CONFIRMED
    assert bench.verdict("hold", "SO-1", ONE) == []
    assert bench.last(Released).outcome is Outcome.ALREADY_PACKED


def test_held_unit_that_is_undone_ends_the_hold_like_one_removed() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = opened()
    bench.verdict("hold", "SO-1", TWO)
    assert bench.do("UNDO") == REMOVED
    assert bench.last(Released).outcome is Outcome.UNIT_REMOVED
    assert bench.scan(TWO) == refused(Reason.HELD)


# -- whole orders ------------------------------------------------------------------------------------------------


def test_a_verdict_without_a_unit_holds_the_whole_order() -> None:
    """`workflow.md#held-orders`, `mqtt.md#verdicts`"""
    bench = opened()
    assert bench.verdict("hold", "SO-1", None) == [Alarm(station="1", reason=Reason.HELD)]
    assert bench.last(Held).unit is None
    assert bench.scan(ONE) == COUNTED
    assert bench.scan(THREE) == refused(Reason.HELD)
    assert bench.scan("C") == refused(Reason.HELD)
    assert bench.do("PACK") == refused(Reason.HELD)
    bench.do("REMOVE")
    assert bench.scan(ONE) == REMOVED
    assert bench.here.holds, "taking a phone out does not end it"
    bench.restart()
    assert bench.scan(THREE) == refused(Reason.HELD)
    bench.verdict("release", "SO-1", None, revision=2)
    assert bench.last(Released).outcome is Outcome.RELEASED
    assert bench.scan(ONE) == OK


def test_a_whole_order_that_is_not_here_is_not_held() -> None:
    """`workflow.md#end-of-a-hold`"""
    bench = opened()
    assert bench.verdict("hold", "SO-9", None) == []
    assert bench.last(Released).outcome is Outcome.NOT_HERE


def test_a_verdict_is_taken_again_under_a_new_journal_id() -> None:
    """`mqtt.md#verdicts`, `mqtt.md#rolled-back-journal`"""
    bench = held()
    assert bench.verdict("hold", "SO-1", ONE) == []
    bench.start_over("22222222")
    assert bench.verdict("hold", "SO-1", ONE) == [Alarm(station="1", reason=Reason.HELD)]
    assert bench.verdict("hold", "SO-1", ONE) == []
    bench.restart()
    assert bench.verdict("hold", "SO-1", ONE) == []


def test_the_newest_verdicts_are_remembered_and_no_more_than_twice_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: mqtt.md#bounded-memory."""
    monkeypatch.setattr(fold_orders, "_VERDICTS", 10)
    bench = Bench()
    for number in range(57):
        bench.verdict("hold", "SO-9", None, id=f"v{number}")
        assert len(bench.state.verdicts) + len(bench.state.older_verdicts) <= 20
    for number in range(47, 57):
        assert bench.state.verdict_revision(f"v{number}") == 1
        bench.verdict("hold", "SO-9", None, id=f"v{number}")
        assert bench.new == [], "it was taken"
    assert bench.state.verdict_revision("v3") == 0
    assert decode_state(encode_state(bench.state), Manifest.from_source) == bench.state


def test_holds_on_one_order_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: mqtt.md#bounded-memory."""
    monkeypatch.setattr(holds, "_HOLDS", 3)
    bench = opened()
    for number in range(3):
        assert bench.verdict("hold", "SO-1", (ONE, TWO, None)[number], id=f"v{number}")
    assert bench.verdict("hold", "SO-1", TWO, id="v3") == []
    assert bench.new == [], "it is not taken, so that nothing of it is kept"
    bench.verdict("hold", "SO-1", ONE, id="v2", revision=2)
    assert bench.types() == ["order.held"], "a new revision of one that holds needs no room"
    bench.verdict("release", "SO-1", ONE, id="v0", revision=2)
    assert bench.verdict("hold", "SO-1", TWO, id="v3"), "the broker sends it again, and there is room"
    assert set(bench.here.holds) == {"v1", "v2", "v3"}


def test_bars_are_forgotten_with_their_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: mqtt.md#bounded-memory."""
    monkeypatch.setattr(fold_orders, "_VERDICTS", 10)
    bench = held()
    bench.do("REMOVE")
    bench.scan(ONE)
    for number in range(18):
        bench.verdict("hold", "SO-9", None, id=f"w{number}")
    assert bench.scan(ONE) == refused(Reason.HELD)
    assert bench.scan(imei(11), after=2) == refused(Reason.HELD)
    for number in range(18, 40):
        bench.verdict("hold", "SO-9", None, id=f"w{number}")
    assert not bench.state.barred
    bench.restart()
    assert bench.scan(ONE) == OK
