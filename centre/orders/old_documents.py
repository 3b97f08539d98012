"""Forgetting the documents of old events: `events_days` of the configuration."""

from datetime import datetime, timedelta

from centre.moments import moment
from centre.store.database import Database
from centre.store.old_document_rows import forget_documents

__all__ = ["forget_old_documents"]

STEP = 2000
"""Events in one transaction."""


def forget_old_documents(database: Database, days: int, now: datetime) -> int:
    """Forget the documents of events received more than `days` ago, once their orders are closed; 0 days: keep all.

    Returns how many were forgotten. Called in a thread, about once a day: it looks at all old events, in short
    transactions.
    """
    if days == 0:
        return 0
    before = moment(now - timedelta(days=days))
    after = forgotten = 0
    while True:
        with database.writing() as connection:
            step = forget_documents(connection, before=before, after=after, limit=STEP)
        if step is None:
            return forgotten
        after, count = step
        forgotten += count
