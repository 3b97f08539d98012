"""Assigning roles, and what a vacant role refuses."""

from typing import Any

import pytest

from agent.contract.events import RoleAsked, RoleAssigned
from agent.contract.manifest import Role
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import WorkflowRules
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


def test_roles_vacant_in_the_manifest_are_filled_here() -> None:
    """`workflow.md#required-roles`, `workflow.md#assign-a-role`"""
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
    """`workflow.md#required-roles`, `settings.md#workflow-rules`"""
    bench = Bench(rules=WorkflowRules(required_roles=(Role.PICKING,)))
    bench.order("SO-1", line("1", "P13", 2), operators={"picking": "E9"})
    bench.opened("SO-1")
    assert bench.scan(ONE) == OK


def test_role_vacant_blocks_products_and_units_only() -> None:
    """`workflow.md#required-roles`"""
    bench = bench_with_order(operators={})
    bench.opened("SO-1")
    assert bench.do("QTY", "2") == PROMPT
    assert bench.do("KIND", "SERIAL") == OK
    assert bench.scan("CASE") == refused(Reason.OPERATOR_UNASSIGNED)


def test_role_assigned_here_stays_whatever_a_revision_says() -> None:
    """`workflow.md#required-roles`"""
    bench = opened()
    bench.do("ROLE", "PACK")
    bench.scan(BADGES["E8"])
    bench.order("SO-1", line("1", "P13", 2), revision=2, operators={"picking": "E9", "packing": "E9", "shipping": "E9"})
    assert [bench.here.role(role) for role in Role] == ["E9", "E8", "E9"]
    bench.do("CLOSE")
    bench.opened("SO-1")
    assert bench.here.role(Role.PACKING) == "E8"


def test_role_all_is_three_events() -> None:
    """`workflow.md#assign-a-role`"""
    bench = opened()
    assert bench.do("ROLE", "ALL") == PROMPT
    assert bench.last(RoleAsked).role == "all"
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.types() == ["order.assigned"] * 3
    assert [bench.here.role(role) for role in Role] == ["E8", "E8", "E8"]


def test_role_all_is_nothing_for_one_who_may_not_do_all() -> None:
    """`workflow.md#assign-a-role`"""
    bench = opened()
    bench.do("ROLE", "ALL")
    assert bench.scan(BADGES["E9"]) == refused(Reason.ROLE_NOT_ALLOWED)
    assert bench.count(RoleAssigned) == 0
    assert bench.phase() is Phase.ASSIGNING
    assert bench.scan(BADGES["E8"]) == OK
    assert bench.phase() is Phase.SCANNING


def test_role_limited_operator_may_take_the_role_he_has() -> None:
    """`workflow.md#assign-a-role`"""
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.scan(BADGES["E9"]) == OK
    assert bench.here.role(Role.PICKING) == "E9"


def test_role_asked_again_is_the_other_role() -> None:
    """`workflow.md#assign-a-role`"""
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.do("ROLE", "SHIP") == PROMPT
    bench.scan(BADGES["E8"])
    assert [bench.here.role(role) for role in Role] == ["E7", "E7", "E8"]


def test_role_dropped_by_cancel_is_told() -> None:
    """`workflow.md#assign-a-role`"""
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.do("CANCEL") == OK
    assert bench.types() == ["order.role_asked"]
    assert bench.last(RoleAsked).role is None
    assert bench.scan(BADGES["E7"]) == AGAIN


@pytest.mark.parametrize("phase", [Phase.BOXING, Phase.PACKING])
def test_assigning_goes_back_where_it_came_from(phase: Phase) -> None:
    """`workflow.md#assign-a-role`"""
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
    """`workflow.md#assign-a-role`"""
    bench = opened()
    bench.do("ROLE", "PICK")
    assert bench.scan("ZBNOTLISTEDY") == refused(Reason.BADGE_UNKNOWN)
    assert bench.phase() is Phase.ASSIGNING
