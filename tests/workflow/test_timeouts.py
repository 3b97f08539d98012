"""What time alone does at a station.

The time of REMOVE is tested in `test_taking_out.py`, floods of refusals in `test_rejections.py`.
"""

from typing import Any

from agent.contract.events import Cause, SignedOut
from agent.workflow.context import WorkflowRules
from tests.workflow.bench import Bench, line


def bench_with_order(**more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2, gtins=["09506000134352"]), line("2", "CASE", 9, serialized=False), **more)
    return bench


def opened() -> Bench:
    bench = bench_with_order()
    bench.opened("SO-1")
    return bench


def test_idle_operator_is_signed_out() -> None:
    """`workflow.md#sign-out`"""
    bench = opened()
    bench.wait(599)
    assert bench.station.operator == "E7"
    bench.wait(1)
    event = bench.last(SignedOut)
    assert (event.operator, event.by, event.cause, event.station) == ("E7", "E7", Cause.IDLE, "1")
    assert bench.station.operator is None


def test_idle_time_starts_anew_with_any_scan_and_at_a_restart() -> None:
    """`workflow.md#sign-out`"""
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
    """`workflow.md#sign-out`"""
    bench = opened()
    bench.sign_in("E8", station="2")
    bench.wait(300)
    bench.scan("HELLO", station="2", after=0)
    bench.wait(300)
    assert (bench.station.operator, bench.state.station("2").operator) == (None, "E8")


def test_idle_time_is_a_setting() -> None:
    """`settings.md#workflow-rules`, `workflow.md#sign-out`"""
    bench = Bench(rules=WorkflowRules(idle_sign_out_s=5))
    bench.sign_in()
    bench.wait(5)
    assert bench.station.operator is None
