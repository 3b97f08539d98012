from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from centre.web.board.page_times import PageClock, duration_words, parsed

CLOCK = PageClock(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Amsterdam"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86400, "1 day"),
     (200000, "2 days")],
)  # fmt: skip
def test_duration_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_relative_time_is_exact_on_hover_and_for_machines() -> None:
    assert CLOCK.ago("2026-11-22T23:28:00.000Z") == (
        '<time datetime="2026-11-22T23:28:00.000Z" title="Mon 23 Nov 2026 00:28:00 CET" data-show="ago">'
        "2 min ago</time>"
    )


@pytest.mark.parametrize(
    ("moment", "shown"),
    [("2026-11-22T23:28:05.000Z", "00:28:05"), ("2026-11-22T22:30:00.000Z", "Sun 22 Nov 23:30"),
     ("2025-01-02T10:00:00.000Z", "2 Jan 2025 11:00")],
)  # fmt: skip
def test_date_is_left_out_today_and_the_year_within_this_one(moment: str, shown: str) -> None:
    assert f">{shown}</time>" in CLOCK.at(moment)


@pytest.mark.parametrize("text", [None, "", "yesterday", "<b>", "2026-11-22T23:28:00"])
def test_text_that_is_no_time_is_not_shown(text: str | None) -> None:
    assert CLOCK.ago(text) == '<span class="soft">unknown</span>'
    assert CLOCK.age_s(text) is None


def test_future_is_now() -> None:
    assert ">now</time>" in CLOCK.ago("2027-01-01T00:00:00.000Z")


def test_day_begins_at_the_site() -> None:
    assert CLOCK.start_of_today() == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_times_with_a_zone_are_read() -> None:
    assert parsed("2026-11-22T12:00:00+01:00") == datetime(2026, 11, 22, 11, tzinfo=UTC)
