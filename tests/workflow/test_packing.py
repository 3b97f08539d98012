"""Packing confirmation: PACK and CONFIRM."""

from typing import Any

from agent.contract.events import (
    PackingConfirmed,
    PackingLeft,
    PackingRefused,
    Rejected,
)
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import WorkflowRules
from agent.workflow.state import Phase
from tests.workflow.bench import (
    BADGES,
    CONFIRMED,
    OK,
    ORDER_DONE,
    PROMPT,
    Bench,
    imei,
    line,
    refused,
)

ONE, TWO, THREE = imei(1), imei(2), imei(3)


def bench_with(*lines: dict[str, Any]) -> Bench:
    bench = Bench()
    bench.order("SO-1", *lines)
    bench.sign_in()
    return bench


def simple() -> Bench:
    """SO-1, two units of any IMEI, open at station 1."""
    bench = bench_with(line("1", "P13", 2))
    bench.opened("SO-1")
    return bench


def packing(*, rules: WorkflowRules | None = None, **operators: str) -> Bench:
    """SO-1, complete and in two confirmed boxes, at PACK."""
    bench = Bench(rules=rules)
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
    """`workflow.md#confirm-packing`"""
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
    """`workflow.md#confirm-packing`"""
    bench = packing(packing="E8")
    assert bench.do("CONFIRM") == refused(Reason.NOT_ASSIGNED)
    assert bench.phase() is Phase.PACKING
    bench.scan(BADGES["E8"])
    assert bench.do("CONFIRM") == CONFIRMED


def test_packing_may_be_anybodys() -> None:
    """`workflow.md#confirm-packing`"""
    bench = packing(packing="E8", rules=WorkflowRules(packer_confirms=False))
    assert bench.do("CONFIRM") == CONFIRMED


def test_packing_cancelled_goes_back_to_scanning() -> None:
    """`workflow.md#cancel`"""
    bench = packing()
    assert bench.do("CANCEL") == OK
    assert bench.types() == ["order.packing_left"]
    assert bench.phase() is Phase.SCANNING


def test_packing_with_too_few_is_refused() -> None:
    """`workflow.md#start-packing`"""
    bench = simple()
    bench.scan(ONE)
    bench.save()
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)
    assert bench.types() == ["order.packing_refused"]
    assert bench.phase() is Phase.SCANNING


def test_packing_with_too_many_on_one_line_is_refused() -> None:
    """`workflow.md#start-packing`"""
    bench = packing()
    bench.do("CANCEL")
    bench.order("SO-1", line("1", "P13", 1), line("2", "CASE", 1, serialized=False), revision=2)
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)
    assert [(one.ordered, one.scanned) for one in bench.last(PackingRefused).lines] == [(1, 1), (1, 2)]


def test_packing_confirmation_looks_at_a_manifest_that_came_between() -> None:
    """`workflow.md#confirm-packing`"""
    bench = packing()
    bench.order("SO-1", line("1", "P13", 2), line("2", "CASE", 2, serialized=False), revision=2)
    assert bench.phase() is Phase.PACKING
    assert bench.do("CONFIRM") == refused(Reason.QUANTITY_MISMATCH)
    assert bench.types() == ["order.packing_refused", "order.packing_left"]
    assert bench.phase() is Phase.SCANNING
    assert bench.scan(TWO) == ORDER_DONE


def test_packing_confirmation_of_an_order_cancelled_between() -> None:
    """`workflow.md#confirm-packing`"""
    bench = packing()
    bench.order("SO-1", line("1", "P13", 1), revision=2, status="cancelled")
    assert bench.do("CONFIRM") == refused(Reason.ORDER_CLOSED)
    assert bench.types() == ["scan.rejected", "order.packing_left"]
    assert bench.last(Rejected).reason is Reason.ORDER_CLOSED
    assert bench.phase() is Phase.SCANNING


def test_packing_confirmation_of_an_order_held_between() -> None:
    """`workflow.md#confirm-packing`"""
    bench = packing()
    bench.verdict("hold", "SO-1", ONE)
    assert bench.do("CONFIRM") == refused(Reason.HELD)
    assert bench.types() == ["scan.rejected", "order.packing_left"]
    assert bench.last(PackingLeft).order == "SO-1"
    assert bench.phase() is Phase.SCANNING


def test_packing_quantities_are_looked_at_before_the_packer() -> None:
    """`workflow.md#confirm-packing`"""
    bench = packing(packing="E8")
    bench.order("SO-1", line("1", "P13", 2), revision=2)
    assert bench.do("CONFIRM") == refused(Reason.QUANTITY_MISMATCH)


def test_packing_passes_a_size_that_was_chosen_for_nothing() -> None:
    """`workflow.md#choose-a-box-size`, `workflow.md#confirm-a-box`: used boxes need no size."""
    bench = bench_with(line("1", "P13", 1))
    bench.opened("SO-1")
    assert bench.all([ONE]) == [Signal.ORDER_DONE]
    assert [bench.do("SAVE").signal, bench.do("SAVE").signal, bench.do("PACK").signal] == ["boxed", "saved", "prompt"]


def test_packed_units_may_come_back_in_another_order() -> None:
    """`workflow.md#scan-a-unit`"""
    bench = packing()
    bench.do("CONFIRM")
    bench.order("SO-2", line("1", "P13", 1))
    bench.opened("SO-2")
    assert bench.scan(ONE) == ORDER_DONE
