"""What fits into one event (`mqtt.md#event-documents`)."""

import json
from typing import Any

import pytest

from agent.contract.events import PackingRefused
from agent.contract.reasons import Reason
from tests.workflow.bench import LINE_DONE, ORDER_DONE, Bench, imei, line, refused


def bench_with(*lines: dict[str, Any]) -> Bench:
    bench = Bench()
    bench.order("SO-1", *lines)
    bench.opened("SO-1")
    return bench


def test_box_that_is_full_makes_way_for_the_next() -> None:
    """`workflow.md#scan-a-unit`: a box holds 1,000 devices."""
    bench = bench_with(line("1", "P13", 1001), line("2", "CASE", 1, serialized=False))
    bench.thorough = False
    for number in range(1000):
        bench.scan(imei(number))
    bench.thorough = True
    assert bench.scan(imei(1000)) == refused(Reason.BOX_FULL)
    assert bench.scan("CASE") == LINE_DONE
    bench.save()
    assert bench.scan(imei(1000)) == ORDER_DONE


@pytest.mark.parametrize(("letter", "all_of_them"), [("L", True), ("\u3400", False), ('"', False), ("\\", False)])
def test_event_has_room_for_the_most_and_longest_lines(letter: str, all_of_them: bool) -> None:
    ids = [letter * 61 + f"{number:03}" for number in range(500)]
    bench = bench_with(*(line(one, "CASE", 1, serialized=False) for one in ids))
    bench.do("PACK")
    told = [count.line for count in bench.last(PackingRefused).lines]
    assert told == ids[: len(told)]
    assert (told == ids) is all_of_them
    entries = [{"line": one, "ordered": 1_000_000, "scanned": 1_000_000} for one in told]
    assert len(json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()) < 62_000
