"""The work for the sites that are this centre's: brokers, ingest and upkeep, begun and ended together."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from centre.centre_errors import LeaseLost, LinkDown, Refused
from centre.changes import Change, Changes
from centre.configuration.centre_settings import CentreSettings
from centre.ingest.ingest import Ingest
from centre.link.broker_link import BrokerLink
from centre.link.brokers import Brokers, BrokerState
from centre.link.together import together
from centre.moments import Now, moment
from centre.orders.adoption import AdoptionReport, adopt
from centre.orders.renewal import renew_messages
from centre.process.stopping import Stop
from centre.store.database import Database
from centre.store.leased_database import LeasedDatabase
from centre.upkeep import clean_up, keep_index_up

__all__ = ["SiteWork"]

_log = logging.getLogger(__name__)


class _Parts(NamedTuple):
    """What works together for some sites."""

    brokers: Brokers
    ingest: Ingest


class SiteWork:
    """Works for the sites of the last `work_for`; for none at first. It belongs to the event loop's thread."""

    def __init__(
        self, settings: CentreSettings, *, client_id: str, database: Database, changes: Changes, now: Now, stop: Stop
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._database = database
        self._changes = changes
        self._now = now
        self._stop = stop
        self._parts: _Parts | None = None
        self._task: asyncio.Task[None] | None = None

    async def work_for(self, sites: Sequence[str], epochs: Mapping[str, int]) -> None:
        """Work for these sites, and no longer for others. `epochs` are those of the leases, where there are leases."""
        await self.end()
        if sites:
            settings = self._settings.limited_to(sites)
            self._task = asyncio.create_task(self._work(settings, epochs))
            self._task.add_done_callback(self._note_end)

    async def end(self) -> None:
        """Work for no site. Returns when everything has ended."""
        task, self._task, self._parts = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self, settings: CentreSettings, epochs: Mapping[str, int]) -> None:
        database = LeasedDatabase(self._database, epochs)
        brokers = Brokers(
            settings,
            client_id=self._client_id,
            database=database,
            changes=self._changes,
            now=self._now,
            take=lambda received: ingest.take(received),
            greet=lambda link: ingest.connected(link),
            adopt=partial(self._adopt, database),
        )
        ingest = Ingest(
            database, self._changes, self._now, brokers.links, requests=brokers.requests, renew=renew_messages
        )
        self._parts = _Parts(brokers, ingest)
        await together(
            brokers.run(),
            ingest.run(),
            keep_index_up(database, self._changes, self._now),
            clean_up(database, self._changes, self._now, events_days=settings.general.events_days),
        )

    async def _adopt(self, database: Database, link: BrokerLink, found: Mapping[str, bytes]) -> None:
        """Take in what a broker retains. Raises DatabaseDown."""

        def work() -> AdoptionReport:
            with database.writing() as connection:
                return adopt(connection, link.name, found, moment(self._now()))

        report = await asyncio.to_thread(work)
        for what in report.refused:
            _log.warning("a retained message cannot be read", extra={"broker": link.name, "what": what})
        if report.orders:
            _log.info("orders are adopted", extra={"broker": link.name, "orders": report.orders})
        self._changes.tell(Change.ORDERS, Change.RETAINED)

    def _note_end(self, done: "asyncio.Task[None]") -> None:
        if done.cancelled():
            return
        failure = done.exception()
        if failure is None:
            return
        lost, others = _split(failure)
        if others is not None:
            self._stop.fail(others)
        elif lost is not None:
            # The lease keeper sees it too, and says for which sites to work.
            _log.warning("the work is given up", extra={"why": lost})

    # -- what the web asks -------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether events are being stored."""
        return self._parts is not None and self._parts.ingest.ready

    def brokers(self) -> list[BrokerState]:
        """Return how each broker is; none while another centre works for the sites."""
        return [] if self._parts is None else self._parts.brokers.states()

    async def retry_letter(self, id: int) -> bool:
        """Take a dead letter in again; return whether it was taken. Raises DatabaseDown; Refused when standing by."""
        if self._parts is None:
            raise Refused("another centre works for the sites: this one stands by")
        return await self._parts.ingest.retry_letter(id)

    async def send(self, site: str, kiosk: str, name: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Send a request to a kiosk, and return its answer. Raises LinkDown, TimeoutError."""
        if self._parts is None:
            raise LinkDown("another centre works for this site: this one stands by")
        return await self._parts.brokers.requests.send(site, kiosk, name, fields)


def _split(failure: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Return what of a failure is a lost lease, and the rest."""
    if isinstance(failure, BaseExceptionGroup):
        return failure.split(LeaseLost)
    return (failure, None) if isinstance(failure, LeaseLost) else (None, failure)
