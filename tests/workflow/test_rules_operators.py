"""Rules 1 and 3: signing in and out, takeover, idle, delisted; assigning roles."""

from typing import Any

import pytest

from agent.contract.events import Cause, RoleAsked, RoleAssigned, SignedIn, SignedOut
from agent.contract.manifest import Role
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import WorkflowRules
from agent.workflow.sign_in import sign_out_removed_stations
from agent.workflow.state import Phase
from tests.workflow.bench import AGAIN, BADGES, OK, PROMPT, Bench, imei, line, refused

ONE, TWO = imei(1), imei(2)


def bench_with_order(**more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2, gtins=["09506000134352"]), line("2", "CASE", 9, serialized=False), **more)
    return bench


def opened() -> Bench:
    bench = bench_with_order()
    bench.opened("SO-1")
    return bench


# -- rule 1: sign in ---------------------------------------------------------------------------------------------


def test_sign_in_is_an_event_of_the_operator() -> None:
    bench = Bench()
    assert bench.scan(BADGES["E7"].lower()) == OK
    event = bench.last(SignedIn)
    assert (event.operator, event.by, event.station, event.cause) == ("E7", "E7", "1", Cause.BADGE)


def test_takeover_is_a_sign_out_and_a_sign_in() -> None:
    bench = opened()
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.types() == ["operator.signed_out", "operator.signed_in"]
    event = bench.last(SignedOut)
    assert (event.operator, event.by, event.cause) == ("E7", "E7", Cause.TAKEOVER)
    assert bench.station.operator == "E8"


@pytest.mark.parametrize("how", ["takeover", "command", "idle"])
def test_change_of_operator_keeps_all_but_pending_steps(how: str) -> None:
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
    bench = opened()
    bench.scan(ONE)
    if state is Phase.BOXING:
        bench.do("SAVE")
    bench.do("ROLE", "PICK")
    bench.do("OUT")
    bench.sign_in("E8")
    assert (bench.phase(), bench.station.role) == (state, None)
    assert bench.count(RoleAssigned) == 0


def test_idle_operator_is_signed_out() -> None:
    bench = opened()
    bench.wait(599)
    assert bench.station.operator == "E7"
    bench.wait(1)
    event = bench.last(SignedOut)
    assert (event.operator, event.by, event.cause, event.station) == ("E7", "E7", Cause.IDLE, "1")
    assert bench.station.operator is None


def test_idle_time_starts_anew_with_any_scan_and_at_a_restart() -> None:
    bench = opened()
    bench.wait(599)
    bench.scan("HELLO", after=0)
    bench.wait(599)
    bench.restart()
    bench.wait(599)
    assert bench.station.operator == "E7"
    bench.wait(1)
    assert bench.station.operator is None


def test_idle_time_is_each_stations_own() -> None:
    bench = opened()
    bench.sign_in("E8", station="2")
    bench.wait(300)
    bench.scan("HELLO", station="2", after=0)
    bench.wait(300)
    assert (bench.station.operator, bench.state.station("2").operator) == (None, "E8")


def test_idle_time_is_a_setting() -> None:
    bench = Bench(rules=WorkflowRules(idle_sign_out_s=5))
    bench.sign_in()
    bench.wait(5)
    assert bench.station.operator is None


def test_operator_who_leaves_the_list_is_signed_out_everywhere() -> None:
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
    bench = opened()
    bench.operators({"operator": "E7", "badges": ["NEW-CARD"]}, revision=2)
    assert bench.station.operator == "E7"
    assert bench.new == []


def test_nobody_signs_in_without_an_operators_list() -> None:
    bench = Bench(operators=False)
    assert bench.scan(BADGES["E7"]) == refused(Reason.BADGE_UNKNOWN)
    assert bench.scan("CARD-8") == refused(Reason.NOT_SIGNED_IN)


# -- rule 3: roles -----------------------------------------------------------------------------------------------


def test_roles_vacant_in_the_manifest_are_filled_here() -> None:
    bench = bench_with_order(operators={"picking": "E9"})
    bench.opened("SO-1")
    assert bench.scan(ONE) == refused(Reason.OPERATOR_UNASSIGNED)
    assert bench.do("ROLE", "PACK") == PROMPT
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.types() == ["order.assigned"]
    event = bench.last(RoleAssigned)
    assert (event.role, event.operator, event.by) == (Role.PACKING, "E8", "E7")
    assert bench.station.operator == "E7"
    assert bench.scan("CASE") == refused(Reason.OPERATOR_UNASSIGNED)
    bench.do("ROLE", "SHIP")
    bench.scan(BADGES["E7"])
    assert bench.scan(ONE) == OK


def test_roles_that_are_not_required_may_be_vacant() -> None:
    bench = Bench(rules=WorkflowRules(required_roles=(Role.PICKING,)))
    bench.order("SO-1", line("1", "P13", 2), operators={"picking": "E9"})
    bench.opened("SO-1")
    assert bench.scan(ONE) == OK


def test_role_vacant_blocks_products_and_units_only() -> None:
    bench = bench_with_order(operators={})
    bench.opened("SO-1")
    assert bench.do("QTY", "2") == PROMPT
    assert bench.do("KIND", "SERIAL") == OK
    assert bench.scan("CASE") == refused(Reason.OPERATOR_UNASSIGNED)


def test_role_assigned_here_stays_whatever_a_revision_says() -> None:
    bench = opened()
    bench.do("ROLE", "PACK")
    bench.scan(BADGES["E8"])
    bench.order("SO-1", line("1", "P13", 2), revision=2, operators={"picking": "E9", "packing": "E9", "shipping": "E9"})
    assert [bench.here.role(role) for role in Role] == ["E9", "E8", "E9"]
    bench.do("CLOSE")
    bench.opened("SO-1")
    assert bench.here.role(Role.PACKING) == "E8"


def test_role_all_is_three_events() -> None:
    bench = opened()
    assert bench.do("ROLE", "ALL") == PROMPT
    assert bench.last(RoleAsked).role == "all"
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.types() == ["order.assigned"] * 3
    assert [bench.here.role(role) for role in Role] == ["E8", "E8", "E8"]


def test_role_all_is_nothing_for_one_who_may_not_do_all() -> None:
    bench = opened()
    bench.do("ROLE", "ALL")
    assert bench.scan(BADGES["E9"]) == refused(Reason.ROLE_NOT_ALLOWED)
    assert bench.count(RoleAssigned) == 0
    assert bench.phase() is Phase.ASSIGNING
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.phase() is Phase.SCANNING


def test_role_limited_operator_may_take_the_role_he_has() -> None:
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.scan(BADGES["E9"]) == OK
    assert bench.here.role(Role.PICKING) == "E9"


def test_role_asked_again_is_the_other_role() -> None:
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.do("ROLE", "SHIP") == PROMPT
    bench.scan(BADGES["E8"])
    assert [bench.here.role(role) for role in Role] == ["E7", "E7", "E8"]


def test_role_dropped_by_cancel_is_told() -> None:
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.do("CANCEL") == OK
    assert bench.types() == ["order.role_asked"]
    assert bench.last(RoleAsked).role is None
    assert bench.scan(BADGES["E7"]) == AGAIN


@pytest.mark.parametrize("phase", [Phase.BOXING, Phase.PACKING])
def test_assigning_goes_back_where_it_came_from(phase: Phase) -> None:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    bench.opened("SO-1")
    assert bench.scan(ONE).signal is Signal.ORDER_DONE
    bench.do("SAVE")
    if phase is Phase.PACKING:
        bench.do("SAVE")
        bench.do("PACK")
    bench.do("ROLE", "PICK")
    bench.do("ROLE", "SHIP")
    bench.restart()
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.phase() is phase


def test_badge_unknown_while_assigning_leaves_the_role_asked() -> None:
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.scan("ZBNOTLISTEDY") == refused(Reason.BADGE_UNKNOWN)
    assert bench.phase() is Phase.ASSIGNING


def test_order_open_at_a_station_that_is_gone_passes_over() -> None:
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
    bench = opened()
    bench.centre(lambda commit: sign_out_removed_stations(commit, {"1", "2"}))
    assert bench.types() == []
