"""A flood of refusals is counted (`mqtt.md#counted-refusals`)."""

from typing import Any

import pytest

from agent.contract.events import PackingRefused, Rejected
from agent.contract.printed_codes import Verb, command_text
from agent.contract.reasons import Reason
from tests.workflow.bench import (
    OK,
    Bench,
    imei,
    line,
    refused,
)

PACK = command_text(Verb.PACK)
ONE, TWO, THREE = imei(1), imei(2), imei(3)


def opened(*lines: dict[str, Any], **more: Any) -> Bench:
    bench = Bench()
    bench.order("SO-1", *(lines or (line("1", "P13", 3), line("2", "CASE", 9, serialized=False))), **more)
    bench.opened("SO-1")
    return bench


def test_refusals_beyond_five_a_second_are_one_event_with_their_count() -> None:
    """`mqtt.md#counted-refusals`"""
    bench = opened()
    journaled = bench.count(Rejected)
    for number in range(20):
        assert bench.scan(f"TEXT {number}", after=0.01) == refused(Reason.UNKNOWN_CODE)
    assert bench.count(Rejected) - journaled == 5
    bench.wait(1)
    assert bench.types() == ["scan.rejected"]
    event = bench.last(Rejected)
    assert (event.count, event.reason, event.code, event.scanner) == (15, Reason.UNKNOWN_CODE, "TEXT 19", "left")
    bench.wait(1)
    assert bench.new == []


def test_refusals_that_waited_are_written_before_the_next_one() -> None:
    """`mqtt.md#counted-refusals`"""
    bench = opened()
    for number in range(8):
        bench.scan(f"TEXT {number}", after=0.01)
    bench.scan("LATER", after=2)
    late = [(event.code, event.count) for event in bench.new if isinstance(event, Rejected)]
    assert late == [("TEXT 7", 3), ("LATER", 1)]


def test_refusals_that_waited_are_written_by_a_scan_if_no_timeout_was_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mqtt.md#counted-refusals`: the commit of the timeout may have failed."""
    bench = opened()
    for number in range(8):
        bench.scan(f"TEXT {number}", after=0.01)
    monkeypatch.setattr(bench, "wait", lambda seconds: None)
    bench.now, bench.new = bench.now + 2, []
    bench.scan("LATER")
    late = [(event.code, event.count) for event in bench.new if isinstance(event, Rejected)]
    assert late == [("TEXT 7", 3), ("LATER", 1)]


def test_refusals_are_counted_for_each_scanner_and_add_up() -> None:
    """`mqtt.md#counted-refusals`"""
    bench = opened()
    for number in range(50):
        for scanner in ("left", "right"):
            bench.scan(f"TEXT {number}", scanner=scanner, after=0.01)
    bench.wait(2)
    counts = {"left": 0, "right": 0}
    for event in bench.events:
        if isinstance(event, Rejected):
            counts[event.scanner or ""] += event.count
    assert counts == {"left": 50, "right": 50}
    assert bench.count(Rejected) == 12


def test_refusals_in_a_flood_do_not_hide_what_is_accepted() -> None:
    """`mqtt.md#counted-refusals`"""
    bench = opened()
    for number in range(8):
        bench.scan(f"TEXT {number}", after=0.01)
    assert bench.scan(ONE, after=0.01) == OK
    assert bench.types() == ["scan.accepted"]
    bench.wait(1)
    assert bench.last(Rejected).count == 3


def test_refusals_in_a_flood_still_end_remove() -> None:
    """`mqtt.md#counted-refusals`, `workflow.md#end-of-remove`"""
    bench = opened()
    bench.scan(ONE)
    for number in range(8):
        bench.scan(f"TEXT {number}", after=0.01)
    bench.do("REMOVE", after=0.01)
    assert bench.scan("TEXT 9", after=0.01) == refused(Reason.UNKNOWN_CODE)
    assert not bench.station.remove
    assert bench.shadow.station("1").remove is False


def test_refused_packings_beyond_five_a_second_are_counted() -> None:
    """`mqtt.md#counted-refusals`: in a `scan.rejected`, which alone has a count."""
    bench = opened()
    bench.wait(2)
    for _ in range(20):
        bench.do("WHERE", after=0.01)  # so that the next PACK is no bounce
        assert bench.do("PACK", after=0.01) == refused(Reason.QUANTITY_MISMATCH)
    assert bench.count(PackingRefused) == 5
    bench.wait(1)
    assert bench.types() == ["scan.rejected"]
    event = bench.last(Rejected)
    assert (event.count, event.reason, event.code, event.scanner) == (15, Reason.QUANTITY_MISMATCH, PACK, "left")
    assert bench.do("PACK") == refused(Reason.QUANTITY_MISMATCH)
    assert bench.count(PackingRefused) == 6


def test_refused_packings_and_other_refusals_have_five_events_each() -> None:
    """`mqtt.md#counted-refusals`: a packing that is refused is told, whatever was refused just before."""
    bench = opened()
    bench.wait(2)
    before = bench.count(Rejected)
    for number in range(20):
        assert bench.scan(f"TEXT {number}", after=0.01) == refused(Reason.UNKNOWN_CODE)
        assert bench.do("PACK", after=0.01) == refused(Reason.QUANTITY_MISMATCH)
    assert (bench.count(PackingRefused), bench.count(Rejected) - before) == (5, 5)
    bench.wait(1)
    assert bench.last(Rejected).count == 30
