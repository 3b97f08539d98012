"""When to ask which kiosk for which events."""

import json
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import pytest

from centre.ingest.gap_watch import THE_LAST, GapWatch, Missing, OldJournal
from centre.ingest.kiosk_views import HealthClaim
from centre.ingest.reception import ResponseArrival
from centre.ingest.resend_answers import Asked
from centre.store.kiosk_rows import KioskName

KIOSK = KioskName("rtm1", "dock-3")
OTHER = KioskName("rtm1", "dock-4")


def missing(first: int, last: int, journal: str = "J", kiosk: KioskName = KIOSK) -> Missing:
    return Missing(kiosk, journal, 0, first, last)


class Watch:
    """A watch, and a clock of seconds."""

    def __init__(self) -> None:
        numbers: Iterator[int] = count(1)
        self.gaps = GapWatch(lambda: f"t{next(numbers)}")

    def plan(self, now: float, *found: Missing) -> list[tuple[str, int, int]]:
        asked = self.gaps.plan(self.gaps.to_check(), found, now)
        return [(one.journal, one.first, one.last) for _, one in asked]

    def times_asked(self, until: int, *found: Missing) -> list[int]:
        """Look every second; return when something was asked for."""
        return [now for now in range(until) if self.plan(now, *found)]

    def answer(self, fields: dict[str, Any], kiosk: KioskName = KIOSK, transaction: str = "t1") -> None:
        document = {"transaction": transaction, "request": "resend", "ok": True, **fields}
        self.gaps.answered(ResponseArrival(kiosk, transaction, json.dumps(document).encode()))


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_gap_is_asked_for_when_it_is_five_seconds_old(watch: Watch) -> None:
    assert watch.plan(0, missing(5, 9)) == []
    assert watch.plan(4.9, missing(5, 9)) == []
    assert watch.plan(5, missing(5, 9)) == [("J", 5, 9)]


def test_a_gap_that_closes_by_itself_is_not_asked_for(watch: Watch) -> None:
    watch.plan(0, missing(5, 9))
    assert watch.plan(4, missing(7, 9)) == []
    assert watch.plan(6, missing(9, 9)) == []
    assert watch.plan(8) == []
    assert watch.plan(20, missing(5, 9)) == []


def test_without_an_answer_it_is_asked_for_ever_more_rarely(watch: Watch) -> None:
    assert watch.times_asked(400, missing(5, 9)) == [5, 15, 35, 75, 155, 315]
    times = [now for now in range(400, 10_000) if watch.plan(now, missing(5, 9))]
    assert {later - earlier for earlier, later in pairwise(times[2:])} == {600}


def test_while_events_come_a_kiosk_is_not_asked_again(watch: Watch) -> None:
    watch.plan(0, missing(5, 900))
    assert watch.plan(5, missing(5, 900)) == [("J", 5, 900)]
    for now in range(6, 60):
        assert watch.plan(now, missing(now, 900)) == []
    assert watch.plan(65, missing(59, 900)) == [("J", 59, 900)]


def test_one_range_at_a_time_for_a_kiosk(watch: Watch) -> None:
    both = (missing(5, 9), missing(1, 3, "K"))
    watch.plan(0, *both)
    assert watch.plan(5, *both, missing(1, 1, kiosk=OTHER)) == [("J", 5, 9)]
    assert watch.plan(6, *both) == []
    assert watch.plan(7, missing(1, 3, "K")) == [("K", 1, 3)]  # the first one has come


def test_a_kiosk_that_does_not_have_one_range_is_asked_for_the_other(watch: Watch) -> None:
    both = (missing(5, 9), missing(1, 3, "K"))
    watch.plan(0, *both)
    asked = [one for now in range(5, 30) for one in watch.plan(now, *both)]
    assert asked[:2] == [("J", 5, 9), ("K", 1, 3)]


def test_other_kiosks_do_not_wait(watch: Watch) -> None:
    both = (missing(5, 9), missing(5, 9, kiosk=OTHER))
    watch.plan(0, *both)
    assert len(watch.plan(5, *both)) == 2


def test_after_a_connect_it_is_asked_for_soon(watch: Watch) -> None:
    assert watch.times_asked(400, missing(5, 9))[-1] == 315
    watch.gaps.claimed(HealthClaim(KIOSK, 8, "J", 9, 4), 400)
    assert watch.plan(404, missing(5, 9)) == []
    assert watch.plan(405, missing(5, 9)) == [("J", 5, 9)]


def test_what_a_kiosk_says_is_checked_until_nothing_of_it_is_missing(watch: Watch) -> None:
    claim = HealthClaim(KIOSK, 7, "J", 50, 40)
    watch.gaps.claimed(claim, 0)
    check = watch.gaps.to_check()
    assert check.claims == (claim,)
    assert check.connected == {KIOSK}
    watch.gaps.plan(check, [missing(31, 40)], 0)
    check = watch.gaps.to_check()
    assert check.claims == (claim,)
    assert check.connected == set()
    watch.gaps.plan(check, [], 1)
    assert watch.gaps.to_check().claims == ()


def test_a_kiosk_that_has_less_than_it_said_is_believed(watch: Watch) -> None:
    watch.gaps.claimed(HealthClaim(KIOSK, 7, "J", 50, 999), 0)
    watch.plan(0, missing(31, 999))
    watch.plan(5, missing(31, 999))
    watch.answer({"from": "000000000031", "through": "000000000050", "pruned": []})
    assert watch.gaps.to_check().claims[0].acked == 50


def test_an_earlier_journal_is_asked_for_once(watch: Watch) -> None:
    old = OldJournal(KIOSK, "J")
    watch.gaps.ask_old({old: THE_LAST})
    assert watch.plan(0, missing(51, THE_LAST)) == []
    assert watch.plan(5, missing(51, THE_LAST)) == [("J", 51, THE_LAST)]
    watch.answer({"from": None, "through": None, "pruned": []})
    assert watch.gaps.to_check().old_journals == {}


def test_of_an_earlier_journal_what_the_kiosk_has_is_awaited(watch: Watch) -> None:
    old = OldJournal(KIOSK, "J")
    watch.gaps.ask_old({old: THE_LAST})
    watch.plan(0, missing(51, THE_LAST))
    watch.plan(5, missing(51, THE_LAST))
    watch.answer({"from": "000000000051", "through": "000000000060", "pruned": []})
    assert watch.gaps.to_check().old_journals == {old: 60}


@pytest.mark.parametrize(
    ("kiosk", "transaction", "fields"),
    [(OTHER, "t1", {"through": None}), (KIOSK, "t9", {"through": None}), (KIOSK, "t1", {"through": "x"})],
)
def test_an_answer_that_is_none_is_ignored(
    watch: Watch, kiosk: KioskName, transaction: str, fields: dict[str, Any]
) -> None:
    old = OldJournal(KIOSK, "J")
    watch.gaps.ask_old({old: THE_LAST})
    watch.plan(0, missing(51, THE_LAST))
    watch.plan(5, missing(51, THE_LAST))
    watch.answer(fields, kiosk, transaction)
    assert watch.gaps.to_check().old_journals == {old: THE_LAST}


def test_requests_that_nobody_answers_are_forgotten(watch: Watch) -> None:
    kiosks = [KioskName("rtm1", f"dock-{number}") for number in range(1200)]
    found = [missing(1, 2, kiosk=kiosk) for kiosk in kiosks]
    watch.plan(0, *found)
    assert len(watch.plan(5, *found)) == 1200
    assert len(watch.gaps.asked) == 1000
    assert Asked(kiosks[0], "J", 1, 2) not in watch.gaps.asked.values()
