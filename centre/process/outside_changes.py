"""Wakes the centre after changes by other processes: commands, and other centres on the same database."""

import asyncio

from centre.centre_errors import DatabaseDown
from centre.changes import Change, Changes
from centre.store.change_marks import ChangeMarks, change_marks
from centre.store.database import Database

__all__ = ["watch_for_changes"]

POLL_S = 1.0
EVERYTHING_S = 30.0
"""PostgreSQL may commit a lower number after a higher one, which a poll can miss: now and then everybody is woken."""


async def watch_for_changes(database: Database, changes: Changes, *, poll_s: float = POLL_S) -> None:
    """Tell of changes until cancelled. Changes of this process are told a second time, which does no harm."""
    loop = asyncio.get_running_loop()
    seen: ChangeMarks | None = None
    everything_at = loop.time() + EVERYTHING_S
    while True:
        await asyncio.sleep(poll_s)
        try:
            found = await asyncio.to_thread(_marks, database)
        except DatabaseDown:
            continue  # the ingest reports it
        if loop.time() >= everything_at or (seen is not None and found.audit != seen.audit):
            changes.tell(*Change)
            everything_at = loop.time() + EVERYTHING_S
        elif seen is not None and found.event != seen.event:
            changes.tell(Change.EVENTS, Change.ORDERS, Change.KIOSKS, Change.RETAINED)
        seen = found


def _marks(database: Database) -> ChangeMarks:
    with database.reading() as connection:
        return change_marks(connection)
