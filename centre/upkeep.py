"""What the centre does beside its work: it keeps the order index up with the orders."""

import asyncio
import logging

from centre.centre_errors import DatabaseDown
from centre.changes import Change, Changes
from centre.moments import Now, moment
from centre.orders.index_renewal import is_index_behind, renew_index
from centre.store.database import Database

__all__ = ["keep_index_up"]

_log = logging.getLogger(__name__)

INDEX_PAUSE_S = 0.3
"""Orders that come one after the other are indexed together."""

AGAIN_S = 5.0
"""How long to wait after the database was down."""


async def keep_index_up(database: Database, changes: Changes, now: Now) -> None:
    """Renew the order index after each change of orders, until cancelled."""
    waiter = changes.subscribe(Change.ORDERS, Change.RETAINED)
    try:
        while True:
            try:
                if await asyncio.to_thread(_renew, database, now):
                    changes.tell(Change.RETAINED)
            except DatabaseDown as exc:
                _log.warning("the order index is not renewed: the database is down", extra={"why": exc})
                await asyncio.sleep(AGAIN_S)
                continue
            await waiter.wait()
            await asyncio.sleep(INDEX_PAUSE_S)
    finally:
        changes.unsubscribe(waiter)


def _renew(database: Database, now: Now) -> bool:
    with database.reading() as connection:
        if not is_index_behind(connection):
            return False
    with database.writing() as connection:
        return renew_index(connection, moment(now()))
