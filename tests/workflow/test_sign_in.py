"""Signing in and out, takeover, operators and stations that are gone."""

from typing import Any

import pytest

from agent.contract.events import Cause, RoleAssigned, SignedIn, SignedOut
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.sign_in import sign_out_removed_stations
from agent.workflow.state import Phase
from tests.workflow.bench import BADGES, OK, Bench, imei, line, refused

ONE, TWO = imei(1), imei(2)


def bench_with_order(**more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2, gtins=["09506000134352"]), line("2", "CASE", 9, serialized=False), **more)
    return bench


def opened() -> Bench:
    bench = bench_with_order()
    bench.opened("SO-1")
    return bench


def test_sign_in_is_an_event_of_the_operator() -> None:
    """`workflow.md#sign-in`"""
    bench = Bench()
    assert bench.scan(BADGES["E7"].lower()) == OK
    event = bench.last(SignedIn)
    assert (event.operator, event.by, event.station, event.cause) == ("E7", "E7", "1", Cause.BADGE)


def test_takeover_is_a_sign_out_and_a_sign_in() -> None:
    """`workflow.md#takeover`"""
    bench = opened()
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.types() == ["operator.signed_out", "operator.signed_in"]
    event = bench.last(SignedOut)
    assert (event.operator, event.by, event.cause) == ("E7", "E7", Cause.TAKEOVER)
    assert bench.station.operator == "E8"


@pytest.mark.parametrize("how", ["takeover", "command", "idle"])
def test_change_of_operator_keeps_all_but_pending_steps(how: str) -> None:
    """`workflow.md#sign-out`, `workflow.md#takeover`"""
    bench = opened()
    bench.scan("P13")
    bench.scan(ONE)
    bench.do("QTY", "4")
    bench.do("REMOVE")
    kept = (bench.station.order, bench.station.mode, bench.station.product, bench.phase())
    box = bench.here.box
    match how:
        case "takeover":
            bench.scan(BADGES["E8"])
        case "command":
            bench.do("OUT")
        case _:
            bench.wait(600)
    assert kept == (bench.station.order, bench.station.mode, bench.station.product, bench.phase())
    assert bench.here.box == box
    assert (bench.station.quantity, bench.station.remove) == (None, False)


@pytest.mark.parametrize("state", [Phase.SCANNING, Phase.BOXING])
def test_sign_out_while_assigning_drops_the_role(state: Phase) -> None:
    """`workflow.md#sign-out`"""
    bench = opened()
    bench.scan(ONE)
    if state is Phase.BOXING:
        bench.do("SAVE")
    bench.do("ROLE", "PICK")
    bench.do("OUT")
    bench.sign_in("E8")
    assert (bench.phase(), bench.station.role) == (state, None)
    assert bench.count(RoleAssigned) == 0


def test_operator_who_leaves_the_list_is_signed_out_everywhere() -> None:
    """`workflow.md#sign-out`"""
    bench = opened()
    bench.sign_in("E7", station="2")
    bench.operators({"operator": "E8", "badges": [BADGES["E8"]]}, revision=2)
    assert [(event.station, event.by) for event in bench.events if isinstance(event, SignedOut)] == [
        ("1", "E7"),
        ("2", "E7"),
    ]
    assert bench.last(SignedOut).cause is Cause.DELISTED
    assert bench.scan(BADGES["E7"]) == refused(Reason.BADGE_UNKNOWN)


def test_operator_with_a_new_badge_stays_signed_in() -> None:
    """`workflow.md#sign-out`"""
    bench = opened()
    bench.operators({"operator": "E7", "badges": ["NEW-CARD"]}, revision=2)
    assert bench.station.operator == "E7"
    assert bench.new == []


def test_nobody_signs_in_without_an_operators_list() -> None:
    """`workflow.md#sign-in`"""
    bench = Bench(operators=False)
    assert bench.scan(BADGES["E7"]) == refused(Reason.BADGE_UNKNOWN)
    assert bench.scan("CARD-8") == refused(Reason.NOT_SIGNED_IN)


def test_order_open_at_a_station_that_is_gone_passes_over() -> None:
    """`workflow.md#sign-out`, `workflow.md#one-station-per-order`"""
    bench = opened()
    bench.scan(ONE)
    bench.scan(BADGES["E8"], station="2")
    assert bench.scan("SO-1", station="2") == refused(Reason.ORDER_IN_USE)
    bench.centre(lambda commit: sign_out_removed_stations(commit, {"2"}))
    event = bench.last(SignedOut)
    assert (event.station, event.operator, event.by, event.cause) == ("1", "E7", "E7", Cause.IDLE)
    assert bench.scan("SO-1", station="2") == OK
    assert bench.scan(ONE, station="2") == refused(Reason.ALREADY_COUNTED, Signal.AGAIN)


def test_no_station_is_signed_out_that_is_still_there() -> None:
    """`workflow.md#sign-out`"""
    bench = opened()
    bench.centre(lambda commit: sign_out_removed_stations(commit, {"1", "2"}))
    assert bench.types() == []
