"""Forgetting the documents of old events: `events_days` of the configuration."""

from datetime import datetime, timedelta

from centre.moments import moment
from centre.store.database import Database
from centre.store.old_document_rows import forget_documents, forgotten_through, note_forgotten, old_events

__all__ = ["forget_old_documents"]

STEP = 1000
"""Events in one transaction."""


def forget_old_documents(database: Database, days: int, now: datetime) -> int:
    """Forget the documents of events received more than `days` ago, once their orders are closed; 0 days: keep all.

    Returns how many were forgotten. Called in a thread: it looks at all old events but those at the beginning that are
    forgotten already, and writes in short transactions.
    """
    if days == 0:
        return 0
    before = moment(now - timedelta(days=days))
    with database.reading() as connection:
        after = forgotten_through(connection)
    forgotten, is_prefix = 0, True
    while True:
        with database.reading() as connection:
            events = old_events(connection, before=before, after=after, limit=STEP)
        if events is None:
            return forgotten
        is_prefix = is_prefix and events.are_all_done
        if events.to_forget:
            with database.writing() as connection:
                forget_documents(connection, events.to_forget)
                if is_prefix:
                    note_forgotten(connection, events.last)
        after = events.last
        forgotten += len(events.to_forget)
