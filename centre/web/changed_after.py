"""The parameter `changed_after` of the list of orders: the number of a change, or a time."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from centre.moments import moment
from centre.store.order_change_rows import last_change_by
from centre.web.problem_details import wrong_field

__all__ = ["change_number"]

_MAX_NUMBER = 2**63 - 1


def change_number(connection: Connection, text: str) -> int:
    """Return the number of the last change that the caller knows; 0 for an empty text. Raise Problem 422."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MAX_NUMBER:
        return int(text)
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong_field("changed_after", "Must be `changed` of an order, or a time in UTC.") from None
    return last_change_by(connection, moment(time))
