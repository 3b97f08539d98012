"""The way of an event: from a broker into the queue, into the database, and back as an acknowledgement."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from centre.centre_errors import DatabaseDown, LinkDown
from centre.changes import Change, Changes
from centre.ingest.acknowledgements import Acknowledgement, Acknowledger, acks_of_all, acks_of_batch
from centre.ingest.gap_watch import GapWatch, Missing, OldJournal, ToCheck
from centre.ingest.letter_retry import retry_letter
from centre.ingest.missing_events import find_missing, old_journals_of
from centre.ingest.projecting import Renew
from centre.ingest.reprojection import project_again
from centre.ingest.resend_answers import Asked
from centre.ingest.transaction import Stored, go_on, store_batch
from centre.ingest.waiting_messages import WaitingMessages
from centre.link.broker_link import BrokerLink, PublishRefused
from centre.link.kiosk_requests import KioskRequests
from centre.link.received import Received
from centre.moments import Now, moment
from centre.store.database import Database

__all__ = ["BATCH", "Ingest"]

_log = logging.getLogger(__name__)

BATCH = 2000
"""The most messages in one transaction. There are as many only behind a backlog: a message never waits for others.

Each transaction costs some 15 ms beside its events: with 1,000 events, an event takes 51 us of the processor, with
2,000 it takes 43 us (SQLite).
"""
LOOK_S = 1.0
"""How often to look for missing events."""
RETRY_S = 0.5
RETRY_MAX_S = 10.0

T = TypeVar("T")


class Ingest:
    """Stores what the brokers send, and acknowledges it. `run` does the work; used in the event loop's thread.

    `take` and `connected` are the callbacks of each link. While the database is
    down nothing is acknowledged and `ready` is false; the queue fills, and the links stop reading. `renew` writes the
    retained messages about orders in the transaction that changes them.
    """

    def __init__(
        self,
        database: Database,
        changes: Changes,
        now: Now,
        links: Sequence[BrokerLink],
        *,
        requests: KioskRequests,
        renew: Renew,
    ) -> None:
        self.ready = False
        """Whether everything that was last tried in the database has worked."""
        self._failing = 0
        self.events = 0
        """How many events were stored since the start."""
        self._database = database
        self._changes = changes
        self._now = now
        self._links = links
        self._requests = requests
        self._renew = renew
        self._waiting = WaitingMessages()
        self._acknowledger = Acknowledger(links)
        self._gaps = GapWatch(lambda: f"resend-{secrets.token_hex(8)}")

    # -- callbacks of the links --------------------------------------------------------------------------------------

    async def take(self, message: Received) -> None:
        """Put a message into the queue; wait while it is full."""
        await self._waiting.put(message)

    async def connected(self, link: BrokerLink) -> None:
        """Tell a broker that has just been connected what is stored: it may have lost what it retained."""
        acks = await self._in_database(lambda: self._read_acks_of_all(link))
        self._acknowledger.post(acks, only=link)

    # -- the work ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._acknowledger.run())
            group.create_task(self._store_all())
            group.create_task(self._ask_for_missing())

    async def _store_all(self) -> None:
        await self._in_database(lambda: project_again(self._database, now=self._moment(), renew=self._renew))
        await self._go_on()
        while True:
            batch = await self._waiting.take(BATCH)
            stored, acks = await self._in_database(partial(self._store, batch, dict(self._gaps.asked)))
            self._tell(stored, acks)
            if stored.has_more:
                await self._go_on()

    def _store(self, batch: Sequence[Received], asked: Mapping[str, Asked]) -> tuple[Stored, list[Acknowledgement]]:
        """Runs in a thread. The acknowledgements are read after the commit."""
        stored = store_batch(self._database, batch, now=self._moment(), renew=self._renew, asked=asked)
        return stored, self._read_acks(stored)

    async def _go_on(self) -> None:
        """Count events that waited, one transaction after the other."""
        while True:
            stored, acks = await self._in_database(self._count_waiting)
            self._tell(stored, acks)
            if not stored.has_more:
                return

    def _count_waiting(self) -> tuple[Stored, list[Acknowledgement]]:
        stored = go_on(self._database, now=self._moment(), renew=self._renew)
        return stored, self._read_acks(stored)

    def _read_acks(self, stored: Stored) -> list[Acknowledgement]:
        if not stored.touched:
            return []
        with self._database.reading() as connection:
            return acks_of_batch(connection, stored.touched)

    def _read_acks_of_all(self, link: BrokerLink) -> list[Acknowledgement]:
        with self._database.reading() as connection:
            return acks_of_all(connection, link.sites)

    def _tell(self, stored: Stored, acks: Sequence[Acknowledgement]) -> None:
        """Let everybody know what a commit has changed: the kiosks first."""
        self._acknowledger.post(acks)
        self.events += stored.events
        now = asyncio.get_running_loop().time()
        for claim in stored.claims:
            self._gaps.claimed(claim, now)
        for response in stored.responses:
            self._gaps.answered(response)
        kinds = {
            Change.EVENTS: stored.events,
            Change.ORDERS: stored.orders,
            Change.RETAINED: stored.renewed,
            Change.KIOSKS: stored.views,
            Change.CONFLICTS: stored.conflicts,
        }
        if changed := [kind for kind, has_changed in kinds.items() if has_changed]:
            self._changes.tell(*changed)

    async def retry_letter(self, id: int) -> bool:
        """Take a dead letter in again; return whether it was taken. Raises DatabaseDown."""
        stored = await asyncio.to_thread(retry_letter, self._database, id, now=self._moment(), renew=self._renew)
        if stored is None:
            return False
        self._tell(stored, await asyncio.to_thread(self._read_acks, stored))
        return True

    # -- missing events ----------------------------------------------------------------------------------------------

    async def _ask_for_missing(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            check = self._gaps.to_check()
            missing, old_journals = await self._in_database(partial(self._find_missing, check))
            self._gaps.ask_old(old_journals)
            for transaction, asked in self._gaps.plan(check, missing, loop.time()):
                try:
                    await self._ask(transaction, asked)
                except (LinkDown, PublishRefused) as exc:
                    _log.warning("asking %s for missing events: %s", "/".join(asked.kiosk), exc)

    def _find_missing(self, check: ToCheck) -> tuple[list[Missing], dict[OldJournal, int]]:
        """Runs in a thread."""
        sites = {site for link in self._links for site in link.sites}
        with self._database.reading() as connection:
            return find_missing(connection, sites, check), old_journals_of(connection, check.connected)

    async def _ask(self, transaction: str, asked: Asked) -> None:
        _log.info("asking %s for journal %s, %d to %d", "/".join(asked.kiosk), asked.journal, asked.first, asked.last)
        fields = {"journal": asked.journal, "from": f"{asked.first:012d}", "through": f"{asked.last:012d}"}
        await self._requests.post(asked.kiosk.site, asked.kiosk.name, "resend", transaction, fields)

    # -- the database ------------------------------------------------------------------------------------------------

    async def _in_database(self, work: Callable[[], T]) -> T:
        """Do the work in a thread; while the database is down, try again and again."""
        wait_s = RETRY_S
        is_failing = False
        try:
            while True:
                try:
                    result = await asyncio.to_thread(work)
                except DatabaseDown as exc:
                    if not is_failing:
                        _log.error("the database is down, nothing is acknowledged until it works: %s", exc)
                        # With a full disk reading still works: that must not look as if all were well.
                        is_failing, self.ready = True, False
                        self._failing += 1
                    await asyncio.sleep(wait_s)
                    wait_s = min(wait_s * 2, RETRY_MAX_S)
                else:
                    break
        finally:
            self._failing -= is_failing
        self.ready = not self._failing
        return result

    def _moment(self) -> str:
        return moment(self._now())
