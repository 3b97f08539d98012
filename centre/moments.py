"""Points in time as they are stored and published: UTC text with milliseconds, `2026-11-22T17:53:01.123Z`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["Now", "later", "moment", "utc_now"]

Now = Callable[[], datetime]
"""A clock that is handed in: the present time in UTC."""


def utc_now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def moment(time: datetime) -> str:
    """Return the text of a time in UTC. These texts sort by time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


def later(text: str, **delta: float) -> str:
    """Return the text of a later time; `delta` is as for `timedelta`."""
    return moment(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) + timedelta(**delta))
