"""Has anything been changed by another process: a command, or a second centre on the same database?

Every change by a person, a token or a command writes an audit row, and every event has a position.
"""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from centre.store.schema import audit, event

__all__ = ["ChangeMarks", "change_marks"]


class ChangeMarks(NamedTuple):
    """The newest of each. Two equal ones: nothing has happened in between."""

    audit: int
    event: int


def change_marks(connection: Connection) -> ChangeMarks:
    """Return the newest audit row and event."""
    newest = select(
        select(func.coalesce(func.max(audit.c.id), 0)).scalar_subquery(),
        select(func.coalesce(func.max(event.c.position), 0)).scalar_subquery(),
    )
    return ChangeMarks(*connection.execute(newest).one())
