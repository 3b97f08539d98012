"""What a bench is judged to be, case by case."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from centre.moments import moment
from centre.web.board.bench_facts import Bench, OpenHold, RefusalCount
from centre.web.board.bench_problems import BenchKind
from centre.web.board.bench_reports import (
    BoxReport,
    DeviceLine,
    HealthReport,
    JournalLine,
    LastReport,
    StationReport,
    StatusReport,
    UplinkLine,
)
from centre.web.board.bench_state import BenchState, bench_state
from centre.web.board.page_times import PageClock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = PageClock(NOW, UTC)


def ago(seconds: float) -> str:
    return moment(NOW - timedelta(seconds=seconds))


SCANNING = StationReport(
    state="scanning", signed_in=True, operator="E7", order="SO-1001", mode="used", scanned=3, pending=9,
    box=BoxReport(id="3F0C9A1B000017", units=3), last=LastReport("ok"), time=ago(4),
)  # fmt: skip
HEALTHY = HealthReport(time=ago(10), operators_revision=3, scanners=(DeviceLine("1", "left"),))


def state_of(**facts: Any) -> BenchState:
    usual: dict[str, Any] = {
        "site": "rtm1", "kiosk": "dock-3", "station": "1", "view": SCANNING, "view_received_at": ago(4),
        "status": StatusReport(state="online"), "health": HEALTHY, "health_received_at": ago(10),
    }  # fmt: skip
    return bench_state(Bench(**{**usual, **facts}), CLOCK, offline_s=120)


def view(**fields: Any) -> StationReport:
    return msgspec.structs.replace(SCANNING, **fields)


def health(**fields: Any) -> HealthReport:
    return msgspec.structs.replace(HEALTHY, **fields)


QUIET = [
    (view(), BenchKind.SCANNING),
    (view(state="boxing"), BenchKind.BOXING),
    (view(state="packing"), BenchKind.PACKING),
    (view(state="assigning"), BenchKind.ASSIGNING),
    (view(state="ready", order=None, scanned=None, pending=None), BenchKind.READY),
    (view(signed_in=False, operator=None, order=None), BenchKind.SIGNED_OUT),
]


@pytest.mark.parametrize(("station", "kind"), QUIET)
def test_bench_that_runs_well_is_quiet(station: StationReport, kind: BenchKind) -> None:
    state = state_of(view=station)
    assert (state.kind, state.sentence, state.more, state.needs_person) == (kind, None, (), False)


REFUSALS = RefusalCount(count=9, reason="wrong_barcode", seen="iccid", since=ago(240))

PROBLEMS: list[tuple[dict[str, Any], BenchKind, str]] = [
    (
        {"view": view(held=True), "hold": OpenHold(unit="356938040009012", reason="counted at dock-7.")},
        BenchKind.HELD,
        "356938040009012 must not ship: counted at dock-7. Take it out (scan REMOVE, then the phone), or wait for its "
        "release.",
    ),
    ({"view": view(held=True), "hold": OpenHold(reason="wrong lot")}, BenchKind.HELD,
     "Order SO-1001 must not be packed: wrong lot. Leave it until the centre releases it."),
    ({"view": view(held=True)}, BenchKind.HELD,
     "Order SO-1001 must not be packed. Leave it until the centre releases it."),
    ({"health": health(journal=JournalLine(fault="No space left on device"))}, BenchKind.FAULT,
     "No scan is taken: No space left on device. Free space on its disk or replace its card, then scan again."),
    ({"status": StatusReport(state="failed", reason="the journal is damaged")}, BenchKind.FAILED,
     "The kiosk could not start: the journal is damaged. Call a technician; the kiosk's log has the details."),
    ({"health": health(uplink=UplinkLine(duplicate_id=True))}, BenchKind.DUPLICATE_ID,
     "Two kiosks use the name dock-3. Switch the other one off, or give it its own name."),
    ({"status": StatusReport(state="offline", reason="connection lost")}, BenchKind.OFFLINE,
     "No word since 11:59:50. It goes on scanning, and its events come when it is back. Check its network and power."),
    ({"status": StatusReport(state="offline")}, BenchKind.OFFLINE,
     "It was stopped at 11:59:50. Start it again, or retire it if it is no longer used."),
    ({"health_received_at": ago(121)}, BenchKind.OFFLINE,
     "No word since 11:57:59. It goes on scanning, and its events come when it is back. Check its network and power."),
    ({"health": health(scanners=(DeviceLine("1", "left", False, "event4 is missing"),))}, BenchKind.SCANNER,
     "Scanner left does not answer (event4 is missing). Check the plug: it is used again as soon as it is back."),
    ({"health": health(scanners=(DeviceLine("1", "left", False),), indicator=(DeviceLine("1", "indicator", False),))},
     BenchKind.SCANNER,
     "Scanner left and the light do not answer. Check the plug: it is used again as soon as it is back."),
    ({"refusals": REFUSALS}, BenchKind.STUCK,
     "9 refusals in 4 min: wrong barcode, it is a SIM card number (ICCID). Show which barcode on the label to scan."),
    ({"view": view(time=ago(2400))}, BenchKind.WAITING,
     "Nothing was scanned for 40 min. Finish order SO-1001, or scan CLOSE to put it down."),
    ({"view": view(time=ago(2400), signed_in=False, operator=None)}, BenchKind.WAITING,
     "Order SO-1001 was left open 40 min ago and nobody is signed in. Somebody has to finish it."),
    ({"health": health(uplink=UplinkLine(backlog=131, oldest_age_s=700))}, BenchKind.CHECK,
     "131 events not delivered, the oldest 11 min old. If that does not fall, look at the broker."),
    ({"health": health(operators_revision=None), "view": view(signed_in=False, order=None)}, BenchKind.CHECK,
     "It has no operators list, so nobody can sign in. Bring in the operators."),
    ({"health": health(errors=("housekeeping fails",))}, BenchKind.CHECK, "housekeeping fails"),
    ({"health": health(temperature_c=84.6)}, BenchKind.CHECK, "It is 85 °C hot. Give it air, or move it."),
    ({"health": health(journal=JournalLine(time_to_full_s=7300))}, BenchKind.CHECK,
     "Its disk is full in 2 h at this rate. Free space on it."),
    ({"view": None}, BenchKind.UNKNOWN,
     "What this bench says of itself cannot be read. Upgrade the centre: its kiosk may be newer."),
    ({"view": view(state="weighing")}, BenchKind.UNKNOWN,
     "What this bench says of itself cannot be read. Upgrade the centre: its kiosk may be newer."),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "kind", "sentence"), PROBLEMS)
def test_problem_says_why_and_what_to_do(facts: dict[str, Any], kind: BenchKind, sentence: str) -> None:
    state = state_of(**facts)
    assert state.kind is kind
    assert text_of(state.sentence) == sentence
    assert state.needs_person


def text_of(sentence: str | None) -> str:
    """Return a sentence without the markup of its times."""
    return re.sub(r"<[^>]*>", "", sentence or "")


def test_most_urgent_problem_comes_first_and_the_others_are_added() -> None:
    facts = {"view": view(held=True), "refusals": REFUSALS, "health": health(under_voltage=True)}
    state = state_of(**facts)
    assert state.kind is BenchKind.HELD
    assert [sentence.split(":")[0] for sentence in state.more] == [
        "9 refusals in 4 min",
        "Its power supply is too weak. Replace the supply and its cable.",
    ]


def test_what_an_offline_kiosk_last_said_of_its_devices_is_not_shown() -> None:
    old = health(journal=JournalLine(fault="disk"), scanners=(DeviceLine("1", "left", False),), errors=("old",))
    state = state_of(health=old, health_received_at=ago(600))
    assert (state.kind, state.more) == (BenchKind.OFFLINE, ())


def test_retained_health_of_unknown_age_does_not_make_a_kiosk_offline() -> None:
    assert state_of(health_received_at=None).kind is BenchKind.SCANNING


def test_few_refusals_are_no_reason_to_come() -> None:
    assert state_of(refusals=RefusalCount(count=4, reason="held", seen=None, since=ago(60))).kind is BenchKind.SCANNING


def test_receipt_counts_where_the_clock_of_a_kiosk_is_not_set() -> None:
    state = state_of(view=view(time="1970-01-01T00:00:10.000Z"), health=health(clock_synced=False))
    assert (state.kind, state.needs_person) == (BenchKind.SCANNING, False)
    assert state.more == ("Its clock is not set: no time server answers. Its events show the time of their receipt.",)


def test_missing_operators_list_is_no_matter_where_somebody_is_signed_in() -> None:
    assert state_of(health=health(operators_revision=None)).kind is BenchKind.SCANNING


def test_device_of_another_station_is_not_this_bench_s() -> None:
    assert state_of(health=health(scanners=(DeviceLine("2", "left", False),))).kind is BenchKind.SCANNING


@pytest.mark.parametrize("kind", BenchKind)
def test_each_kind_has_a_word_and_an_icon_beside_its_colour(kind: BenchKind) -> None:
    look = BenchState(kind=kind).look
    assert look.word
    assert look.icon
