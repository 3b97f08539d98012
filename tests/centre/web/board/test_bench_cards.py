"""From rows to cards: names, order, refusals and holds."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from centre.store.story_rows import StoryRow
from centre.web.board.bench_cards import BenchBoard, Totals, make_board, natural, refusals_by_place
from centre.web.board.bench_facts import Bench
from centre.web.board.bench_reports import BoxReport, HealthReport, LastReport, StationReport
from centre.web.board.naming import Naming
from centre.web.board.page_times import PageClock

CLOCK = PageClock(datetime(2026, 11, 22, 12, tzinfo=UTC), UTC)
TOTALS = Totals(benches=1, scans_last_hour=0, packed_today=0, open=0)
TIME = "2026-11-22T11:59:58.000Z"


def bench(kiosk: str, station: str = "1", site: str = "rtm1", **view: Any) -> Bench:
    report = StationReport(time=TIME, signed_in=True, operator="E7", **view)
    health = HealthReport(operators_revision=1)
    return Bench(site=site, kiosk=kiosk, station=station, view=report, health=health, health_received_at=TIME)


def board(*benches: Bench, naming: Naming | None = None) -> BenchBoard:
    return make_board(benches, CLOCK, TOTALS, naming or Naming(), offline_s=120)


def test_quiet_benches_stand_by_name_as_people_count() -> None:
    shown = board(bench("dock-10"), bench("dock-2"), bench("Dock-1"), bench("lab"))
    assert [card.name for card in shown.quiet] == ["Dock-1", "dock-2", "dock-10", "lab"]


def test_urgent_benches_stand_by_urgency() -> None:
    stuck = bench("a", held=True, order="SO-1")
    dead = bench("b", state="weighing")
    assert [card.name for card in board(dead, stuck, bench("c")).urgent] == ["a", "b"]


def test_name_has_what_is_needed_to_tell_benches_apart() -> None:
    naming = Naming(several_sites=True, several_stations={("rtm1", "dock-1")})
    shown = board(bench("dock-1", "left"), bench("dock-1", "right"), bench("dock-2"), naming=naming)
    assert [card.name for card in shown.quiet] == ["rtm1 · dock-1 · left", "rtm1 · dock-1 · right", "rtm1 · dock-2"]


def test_names_of_operators() -> None:
    assert board(bench("a")).quiet[0].who == "signed in"
    assert board(bench("a"), naming=Naming(operators={})).quiet[0].who == "E7"
    assert board(bench("a"), naming=Naming(operators={("rtm1", "E7"): "Max"})).quiet[0].who == "Max"
    assert board(bench("a"), naming=Naming(operators={("ams2", "E7"): "Max"})).quiet[0].who == "E7"


NEXT_STEPS: list[tuple[dict[str, Any], str]] = [
    ({"state": "scanning", "last": LastReport("ok")}, "accepted"),
    ({"state": "ready"}, "no scan yet"),
    ({"state": "packing", "last": LastReport("prompt")}, "CONFIRM wanted"),
    ({"state": "packing", "last": LastReport("reject", "not_assigned")}, "refused: not the assigned packer"),
    ({"state": "boxing", "mode": "pos", "box": BoxReport(id="B", units=4)}, "box of 4: size wanted"),
    ({"state": "boxing", "mode": "used", "box": BoxReport(id="B", units=4)}, "box of 4: second SAVE wanted"),
    ({"state": "boxing", "mode": "pos", "box": BoxReport(id="B", units=4, size="M")}, "box of 4: second SAVE wanted"),
]


@pytest.mark.parametrize(("view", "words"), NEXT_STEPS)
def test_card_says_what_the_bench_waits_for(view: dict[str, Any], words: str) -> None:
    assert board(bench("a", **view)).quiet[0].last == words


def refusal(reason: str, *, count: int = 1, seen: str | None = None, time: str = TIME, station: str = "1") -> StoryRow:
    document = {"station": station, "data": {"reason": reason, "seen": seen, "count": count}}
    return StoryRow(1, "kiosk.scan.rejected.v1", None, time, time, "projected", json.dumps(document).encode(), "rtm1",
                    "dock-1")  # fmt: skip


def test_refusals_of_a_bench_are_summed_up() -> None:
    events = [refusal("held"), refusal("unreadable", count=3, seen="gtin"), refusal("unreadable", station="2")]
    found = refusals_by_place(events, since="2026-11-22T11:55:00.000Z")
    here = found["rtm1", "dock-1", "1"]
    assert (here.count, here.reason, here.seen) == (4, "unreadable", "gtin")
    assert found["rtm1", "dock-1", "2"].count == 1


def test_old_refusals_that_have_only_just_come_do_not_count() -> None:
    late = refusal("held", time="2026-11-19T10:00:00.000Z")
    assert not refusals_by_place([late], since="2026-11-22T11:55:00.000Z")


def test_refusal_that_cannot_be_read_does_not_count() -> None:
    broken = refusal("held")._replace(document=b"{}")
    assert not refusals_by_place([broken], since="2026-11-22T11:55:00.000Z")


@pytest.mark.parametrize(("smaller", "larger"), [("dock-2", "dock-10"), ("a", "b"), ("", "a"), ("a1b2", "a1b10")])
def test_natural_order(smaller: str, larger: str) -> None:
    assert natural(smaller) < natural(larger)
