"""The work for the sites that are this centre's: brokers, ingest and upkeep, begun and ended together."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from centre.centre_errors import LeaseLost, LinkDown, Refused
from centre.changes import Changes
from centre.configuration.centre_settings import CentreSettings
from centre.link.broker_link import BrokerLink
from centre.link.brokers import Brokers, BrokerState
from centre.link.received import Received
from centre.link.together import together
from centre.moments import Now
from centre.process.stopping import Stop
from centre.store.database import Database
from centre.upkeep import keep_index_up

__all__ = ["SiteWork"]

_log = logging.getLogger(__name__)


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
        self._brokers: Brokers | None = None
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
        task, self._task, self._brokers = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self, settings: CentreSettings, epochs: Mapping[str, int]) -> None:
        async def take(received: Received) -> None: ...
        async def greet(link: BrokerLink) -> None: ...
        async def adopt(link: BrokerLink, found: Mapping[str, bytes]) -> None: ...

        self._brokers = Brokers(
            settings,
            client_id=self._client_id,
            database=self._database,
            changes=self._changes,
            now=self._now,
            take=take,
            greet=greet,
            adopt=adopt,
        )
        await together(
            self._brokers.run(),
            keep_index_up(self._database, self._changes, self._now),
        )

    def _note_end(self, done: "asyncio.Task[None]") -> None:
        if done.cancelled():
            return
        failure = done.exception()
        if isinstance(failure, LeaseLost):
            # The lease keeper will see it too, and say for which sites to work.
            _log.warning("the work is given up", extra={"why": failure})
        elif failure is not None:
            self._stop.fail(failure)

    # -- what the web asks -------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether events are being stored."""
        return self._task is not None and not self._task.done()

    async def retry_letter(self, id: int) -> bool:
        """Take a dead letter in again; return whether it was taken. Raises Refused while nothing is taken in here."""
        raise Refused("another centre works for the sites: this one stands by")

    def brokers(self) -> list[BrokerState]:
        """Return how each broker is; none while another centre works for the sites."""
        return [] if self._brokers is None else self._brokers.states()

    async def send(self, site: str, kiosk: str, name: str, fields: Mapping[str, object]) -> Mapping[str, Any]:
        """Send a request to a kiosk, and return its answer. Raises LinkDown, KioskSilent."""
        if self._brokers is None:
            raise LinkDown("another centre works for this site: this one stands by")
        return await self._brokers.requests.send(site, kiosk, name, fields)
