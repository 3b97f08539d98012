"""Times and durations as the board shows them: relative, and exact on hover, in the zone of the site. Pure."""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from markupsafe import Markup

__all__ = ["PageClock", "duration_words", "parsed"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def parsed(text: str) -> datetime | None:
    """Return the time of a moment's text; None for text that is no time in UTC, which a kiosk may send."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.tzinfo is None else time.astimezone(UTC)


def duration_words(seconds: float) -> str:
    """Return a duration in its largest unit: `8 s`, `2 min`, `3 h`, `5 days`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h"
    days = whole // _DAY
    return "1 day" if days == 1 else f"{days} days"


class PageClock(NamedTuple):
    """The time at which a page is made, and the zone in which it shows times."""

    now: datetime
    zone: tzinfo

    def age_s(self, text: str | None) -> float | None:
        """Return how many seconds ago a moment was, never below 0; None if there is none."""
        time = parsed(text) if text else None
        return None if time is None else max(0.0, (self.now - time).total_seconds())

    def local(self, time: datetime) -> str:
        """Return a time for people: the date is left out today, the year within this one."""
        here, today = time.astimezone(self.zone), self.now.astimezone(self.zone)
        if here.date() == today.date():
            return here.strftime("%H:%M:%S")
        if here.year == today.year:
            return here.strftime("%a %-d %b %H:%M")
        return here.strftime("%-d %b %Y %H:%M")

    def exact(self, time: datetime) -> str:
        """Return a time to the second, with date and zone."""
        return time.astimezone(self.zone).strftime("%a %-d %b %Y %H:%M:%S %Z")

    def ago(self, text: str | None) -> Markup:
        """Return a `<time>` element that says how long ago a moment was, with the exact time on hover."""
        time = parsed(text) if text else None
        if time is None:
            return Markup('<span class="soft">unknown</span>')
        age = self.age_s(text) or 0.0
        words = "now" if age < 1 else f"{duration_words(age)} ago"
        return self._element(time, words, "ago")

    def at(self, text: str | None) -> Markup:
        """Return a `<time>` element that says when a moment was, with date and zone on hover."""
        time = parsed(text) if text else None
        if time is None:
            return Markup('<span class="soft">–</span>')
        return self._element(time, self.local(time), "at")

    def start_of_today(self) -> datetime:
        """Return when the day began at the site."""
        return self.now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def _element(self, time: datetime, words: str, kind: str) -> Markup:
        stamp = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Markup('<time datetime="{}" title="{}" data-show="{}">{}</time>').format(
            stamp, self.exact(time), kind, words
        )
