"""Keeps the leases of the sites that this centre works for, and takes over those of a centre that has died.

On SQLite there is nothing to keep: the lock of the database's file refuses a second centre.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from centre.centre_errors import DatabaseDown
from centre.store.database import Database
from centre.store.lease_rows import release_lease, take_lease

__all__ = ["LeaseKeeper", "LeasePace", "new_holder"]

_log = logging.getLogger(__name__)


class LeasePace(Struct, frozen=True, kw_only=True):
    """After a death, another centre works for the site within the sum of both, and the time of one start."""

    lasts: timedelta = timedelta(seconds=6)
    renew_s: float = 1.5


def new_holder() -> str:
    """Return a name for this process that no other process has, now or later."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class LeaseKeeper:
    """The epochs of the sites that are ours. It belongs to the event loop's thread.

    A database that is down ends no lease: each transaction that stores something checks its epoch, so nothing is stored
    by two centres.
    """

    def __init__(self, database: Database, sites: Sequence[str], holder: str, pace: LeasePace | None = None) -> None:
        self._database = database
        self._sites = tuple(sites)
        self._holder = holder
        self._pace = pace or LeasePace()
        self.epochs: Mapping[str, int] = {}
        """The sites that are ours, with the epochs of their leases."""

    async def run(self, on_change: Callable[[Mapping[str, int]], Awaitable[None]]) -> None:
        """Take and renew until cancelled. `on_change` is awaited whenever other sites, or other epochs, are ours."""
        is_first = True
        while True:
            try:
                found = await asyncio.to_thread(self._take_all)
            except DatabaseDown as exc:
                _log.warning("the leases cannot be renewed: the database is down", extra={"why": exc})
                found = self.epochs
            else:
                if is_first:
                    _report_others([site for site in self._sites if site not in found])
                    is_first = False
            if found != self.epochs:
                for site in self._sites:
                    _report(site, self.epochs.get(site), found.get(site))
                self.epochs = found
                await on_change(found)
            await asyncio.sleep(self._pace.renew_s)

    def _take_all(self) -> Mapping[str, int]:
        epochs = {}
        for site in self._sites:
            with self._database.writing() as connection:
                epoch = take_lease(connection, site, self._holder, self._pace.lasts)
            if epoch is not None:
                epochs[site] = epoch
        return epochs

    def release(self) -> None:
        """End our leases, so that another centre takes over at once. Blocks for a transaction."""
        try:
            with self._database.writing() as connection:
                for site in self.epochs:
                    release_lease(connection, site, self._holder)
        except DatabaseDown as exc:
            _log.warning("the leases end by themselves: the database is down", extra={"why": exc})


def _report_others(sites: Sequence[str]) -> None:
    for site in sites:
        _log.info("another centre works for a site; this one stands by", extra={"site": site})


def _report(site: str, before: int | None, now: int | None) -> None:
    if before != now:
        if now is None:
            _log.warning("another centre works for a site now; this one stands by", extra={"site": site})
        else:
            _log.info("working for a site", extra={"site": site, "epoch": now})
