"""The composition root: makes every part, starts the parts in order, and undoes it all in reverse order.

One process with one asyncio event loop. What works on the database runs in threads of the loop's pool.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from importlib import metadata
from typing import TextIO

from centre.changes import Changes
from centre.configuration.centre_settings import CentreSettings
from centre.moments import Now, moment, utc_now
from centre.orders.site_addition import serve_sites
from centre.process.client_identity import client_id_of
from centre.process.database_opening import connected_database, sqlite_file
from centre.process.file_locks import lock_of, locked, make_data_dir
from centre.process.lease_keeper import LeaseKeeper, new_holder
from centre.process.outside_changes import watch_for_changes
from centre.process.schema_upgrade import upgrade_with_copy
from centre.process.service_notify import ServiceNotifier, watchdog_s
from centre.process.stopping import Stop, running, stopping_on_signals
from centre.process.web_server import listening_socket, serving, web_url
from centre.site_work import SiteWork
from centre.store.database import Database
from centre.web.accounts import FirstAccount, first_account
from centre.web.app import create_app
from centre.web.services import Services

__all__ = ["Centre", "CentreFailed"]

_log = logging.getLogger(__name__)

SWITCH_S = 0.0005
"""How long a thread may keep the GIL from another one."""


class CentreFailed(Exception):
    """A part of the running centre failed unexpectedly. A restart may help."""


class Centre:
    """One centre at work. `run` may be called once. What a person must read at once is written to `out`."""

    def __init__(self, settings: CentreSettings, out: TextIO, *, now: Now = utc_now) -> None:
        self._settings = settings
        self._out = out
        self._now = now

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises CentreError if it cannot start, CentreFailed if a part failed later."""
        stop = Stop()
        async with AsyncExitStack() as undo:
            await self._start_and_wait(undo, stop)
        if stop.failure is not None:
            raise CentreFailed(repr(stop.failure)) from stop.failure

    async def _start_and_wait(self, undo: AsyncExitStack, stop: Stop) -> None:
        settings = self._settings
        # While a thread reads a large file that is imported, a transaction of the ingest waited 17 ms for the GIL
        # (median, SQLite); with this it waits 11 ms.
        sys.setswitchinterval(SWITCH_S)
        # A batch of events makes thousands of short-lived objects. With the default thresholds, looking for cycles
        # among them took 15 % of the time of an ingest transaction.
        gc.set_threshold(50_000, 20, 100)
        undo.enter_context(stopping_on_signals(stop))
        notifier = undo.enter_context(closing(ServiceNotifier()))

        # Nobody else works here.
        make_data_dir(settings.general.data_dir)
        undo.enter_context(locked(settings.general.data_dir / "centre.lock"))
        file = sqlite_file(settings)
        database = undo.enter_context(connected_database(settings, may_create=True))
        if file is not None:
            undo.enter_context(locked(lock_of(file)))
        account = await asyncio.to_thread(self._prepare, database)

        # The parts. None of them runs yet.
        changes = Changes(asyncio.get_running_loop())
        listening = undo.enter_context(listening_socket(settings.web))
        work = SiteWork(
            settings,
            client_id=client_id_of(settings.general.data_dir),
            database=database,
            changes=changes,
            now=self._now,
            stop=stop,
        )
        app = create_app(
            Services(
                database=database,
                changes=changes,
                settings=settings,
                ingest=work,
                brokers=work.brokers,
                requests=work,
                now=self._now,
            )
        )

        # They start, in an order such that at the end no part is stopped that another one still needs.
        await undo.enter_async_context(running(stop, watch_for_changes(database, changes)))
        if database.is_sqlite:
            undo.push_async_callback(work.end)
            await work.work_for(settings.general.sites, {})
        else:
            keeper = LeaseKeeper(database, settings.general.sites, new_holder())
            undo.push_async_callback(asyncio.to_thread, keeper.release)
            undo.push_async_callback(work.end)

            async def follow(epochs: Mapping[str, int]) -> None:
                notifier.status(f"working for {', '.join(epochs)}" if epochs else "standing by")
                await work.work_for(tuple(epochs), epochs)

            await undo.enter_async_context(running(stop, keeper.run(follow)))
        await undo.enter_async_context(serving(app, settings.web, listening, stop))
        undo.callback(app.state.live_streams.end_all)
        await undo.enter_async_context(running(stop, notifier.feed_watchdog(watchdog_s())))
        notifier.ready()
        url = web_url(settings.web, listening)
        self._greet(url, account)
        _log.info("started", extra={"version": metadata.version("kiosk-agent"), "board": url})

        await stop.wait()
        _log.info("stopping", extra={"why": stop.reason})
        notifier.stopping()

    def _prepare(self, database: Database) -> FirstAccount | None:
        """Upgrade the database and note the sites. Return the account of a first start."""
        done = upgrade_with_copy(database, self._settings)
        if done.before != done.after:
            _log.info("the database is upgraded", extra={"before": done.before or "empty", "after": done.after})
        if done.copy is not None:
            _log.info("the database as it was before is kept", extra={"copy": done.copy})
        with database.writing() as connection:
            serve_sites(connection, list(self._settings.general.sites), moment(self._now()))
            return first_account(connection, now=moment(self._now()))

    def _greet(self, url: str, account: FirstAccount | None) -> None:
        self._out.write(f"The board is at {url}\n")
        if account is not None:
            self._out.write(
                "\nThis is the first start. Sign in once by this link, within a day:\n\n"
                f"  {url}{account.link}\n\n"
                f"or as {account.name} with the password {account.password}\n"
                "Neither is shown again.\n\n"
            )
        self._out.flush()
