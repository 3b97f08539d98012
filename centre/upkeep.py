"""What the centre does beside its work: the order index, clearing what is over, finishing what was begun."""

import asyncio
import logging

from centre.centre_errors import DatabaseDown
from centre.changes import Change, Changes
from centre.ingest.old_documents import forget_old_documents
from centre.moments import Now, moment
from centre.orders.index_renewal import plan_index, write_index
from centre.orders.order_imports import finish_imports
from centre.orders.tombstones import clear_tombstones
from centre.store.database import Database

__all__ = ["clean_up", "keep_index_up"]

_log = logging.getLogger(__name__)

INDEX_PAUSE_S = 0.3
"""Orders that come one after the other are indexed together."""

AGAIN_S = 5.0
"""How long to wait after the database was down."""

CLEAN_UP_S = 3600.0


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
        plans = plan_index(connection, moment(now()))
    if not plans:
        return False
    with database.writing() as connection:
        return write_index(connection, plans)


async def clean_up(database: Database, changes: Changes, now: Now, *, events_days: int) -> None:
    """Finish imports that a stop has interrupted; then clear what is over, now and every hour, until cancelled."""

    def tell() -> None:
        changes.tell(Change.ORDERS, Change.RETAINED)

    while True:
        try:
            await asyncio.to_thread(finish_imports, database, moment(now()), tell)
            if await asyncio.to_thread(_clear_all, database, now):
                tell()
            await asyncio.to_thread(forget_old_documents, database, events_days, now())
        except DatabaseDown as exc:
            _log.warning("nothing is cleaned up: the database is down", extra={"why": exc})
            await asyncio.sleep(AGAIN_S)
        else:
            await asyncio.sleep(CLEAN_UP_S)


def _clear_all(database: Database, now: Now) -> int:
    """Clear all tombstones whose time has come, in short transactions."""
    cleared = 0
    while True:
        with database.writing() as connection:
            step = clear_tombstones(connection, moment(now()))
        if not step:
            return cleared
        cleared += step
