"""The composition root: makes every part, starts the parts in order, and undoes it all in reverse order.

The main thread runs the asyncio loop: it publishes views and `health`, feeds the watchdog, answers requests and
`kiosk-agent status`, and reads the devices while the scan path is busy. Each of scan path, housekeeping and uplink has
a thread of its own.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing

from msgspec import Struct

from agent import __version__
from agent.catalogue.cache import Cache
from agent.catalogue.catalogue import Catalogue
from agent.config import Config, config_hash
from agent.config.settings import StationSettings
from agent.contract.signals import Signal
from agent.daemon.badge_secret import badge_secret
from agent.daemon.connection_number import CONNECTION_FILE, ConnectionNumber
from agent.daemon.disk_reserve import DiskReserve
from agent.daemon.fallback_reader import reading_as_fallback
from agent.daemon.housekeeping import Housekeeping, garbage_collected_by_housekeeping
from agent.daemon.inbound import InboundMessages
from agent.daemon.intake import Intake
from agent.daemon.journal_source import JournalSource
from agent.daemon.ledger import Ledger, open_state
from agent.daemon.monitor import Monitor
from agent.daemon.published_stations import STATIONS_FILE, add_published_stations
from agent.daemon.publishers import publish_health, publish_views
from agent.daemon.request_handler import RequestHandler
from agent.daemon.request_queue import RequestQueue
from agent.daemon.run_record import RunRecord
from agent.daemon.scan_path import ScanPath
from agent.daemon.shutdown import (
    PartFailed,
    Shutdown,
    ending_on_failures,
    ending_on_signals,
    reloading_on_hangup,
    running_beside,
)
from agent.daemon.station_devices import open_devices
from agent.daemon.status_socket import StatusSocket, is_running
from agent.daemon.task_queue import TaskQueue
from agent.daemon.thread_safe_event import ThreadSafeEvent
from agent.daemon.watchdog import feed_watchdog
from agent.daemon.wiring import broker_of, delivery_of, indicator_of, rules_of
from agent.drivers.indicators.indicator import Indicator
from agent.drivers.scanners.scanner import Scanner
from agent.errors import DeviceError, JournalBusy, JournalDamaged, JournalOfAnotherVersion, KioskError
from agent.exit_codes import ExitCode, exit_code_of
from agent.runtime.clock import Clock, SystemClock
from agent.runtime.durable import make_directory
from agent.runtime.event_loop import EventLoop
from agent.runtime.systemd import Notifier, watchdog_interval_s
from agent.uplink.uplink import Uplink
from agent.uplink.uplink_health import UplinkHealth
from agent.workflow.state import State

__all__ = ["Daemon", "Look", "run"]

_log = logging.getLogger(__name__)

_OFFLINE_S = 3.0
"""How long the uplink may take to publish `offline` and disconnect."""


def run(config: Config) -> int:
    """Run the daemon until it is told to stop; return its exit code (`commands.md#exit-codes`)."""
    try:
        Daemon(config, reloads_on_hangup=True).run()
    except Exception as exc:  # noqa: BLE001 - the one place where an error of the daemon ends
        failure = exc
        if isinstance(exc, DeviceError) and is_running(config.kiosk.state_dir):
            failure = JournalBusy(f"another daemon uses {config.kiosk.state_dir}, and its devices: {exc}")
        _log_failure(failure)
        # The lights and the status belong to the daemon that has the journal. After a bug, the next start has them.
        if not isinstance(failure, JournalBusy | PartFailed):
            _tell_failure(config, failure)
        return exit_code_of(failure)
    return ExitCode.OK


def _undo(undo: ExitStack, failure: Exception) -> None:
    """Undo the start. If that fails too, it is logged; the exit code is still that of the first failure."""
    try:
        undo.__exit__(type(failure), failure, failure.__traceback__)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the first failure counts
        if exc is not failure:
            _log.error("the start could not be undone completely", exc_info=exc)


def _nothing_to_reload() -> None:
    """Before the first connection: the broker will send everything anyway."""


def _log_failure(error: Exception) -> None:
    match error:
        case JournalOfAnotherVersion():
            _log.critical(
                "another version of this program wrote the journal, which is left as it is; install that version",
                extra={"what": error},
            )
        case JournalDamaged():
            _log.critical(
                "the journal is damaged and is left as it is; save its events with `kiosk-agent journal export`",
                extra={"what": error},
            )
        case KioskError():
            _log.critical("cannot start", extra={"why": error})
        case _:
            _log.critical("a bug ends the process", exc_info=error)


def _tell_failure(config: Config, error: Exception) -> None:
    """`commands.md#failure-at-start`"""
    from agent.daemon.failure import tell_failure

    match error:
        case JournalOfAnotherVersion():
            reason = f"journal of another version: {error}"
        case JournalDamaged():
            reason = f"journal damaged: {error}"
        case KioskError():
            reason = str(error)
        case _:
            reason = f"cannot start: {error!r}"
    indicators = [(station.id, station.indicator) for station in config.stations]
    tell_failure(reason=reason, kiosk=config.kiosk, mqtt=config.mqtt, indicators=indicators)


class Look(Struct, frozen=True, kw_only=True):
    """The kiosk at one moment, for a display. `catalogue` goes on changing; it may only be read."""

    state: State
    catalogue: Catalogue
    uplink: UplinkHealth


class Daemon:
    """One kiosk at work. `run` may be called once.

    `scanners`, by station, are read in addition to those of the configuration; `indicators` replace configured ones.
    With `reloads_on_hangup`, SIGHUP has the broker send everything again (`commands.md#reload`).
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        scanners: Mapping[str, Sequence[Scanner]] | None = None,
        indicators: Mapping[str, Indicator] | None = None,
        reloads_on_hangup: bool = False,
    ) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._scanners = scanners or {}
        self._indicators = indicators or {}
        self._reloads_on_hangup = reloads_on_hangup
        self._reload: Callable[[], None] = _nothing_to_reload
        self._shutdown = Shutdown()
        self._look: Callable[[], Look | None] = lambda: None

    def run(self) -> None:
        """Run until SIGTERM, SIGINT or `stop`. To be called in the main thread.

        Raises JournalDamaged, JournalBusy, DeviceError; PartFailed if a part failed while the daemon ran.
        """
        asyncio.run(self._run())
        self._shutdown.raise_failure()

    def stop(self, why: str) -> None:
        """End `run` in order. Any thread may call this, at any time."""
        self._shutdown.request(why)

    def look(self) -> Look | None:
        """Return how the kiosk is; None before it has started. Any thread may call this."""
        return self._look()

    async def _run(self) -> None:
        with ExitStack() as undo:
            try:
                await self._start_and_wait(undo)
            except Exception as exc:
                _undo(undo, exc)
                raise

    async def _start_and_wait(self, undo: ExitStack) -> None:
        config, clock, shutdown = self._config, self._clock, self._shutdown
        state_dir = config.kiosk.state_dir
        loop = asyncio.get_running_loop()

        # First, how it ends: in order, whatever happens from here on.
        undo.enter_context(ending_on_failures(shutdown, loop))
        undo.enter_context(ending_on_signals(shutdown, loop))
        if self._reloads_on_hangup:
            undo.enter_context(reloading_on_hangup(loop, self._take_hangup))
        notifier = undo.enter_context(closing(Notifier()))

        # Lights before the journal, so that a disk that does not work is seen.
        indicators = {station.id: undo.enter_context(self._open_indicator(station)) for station in config.stations}

        # What the disk knows.
        with contextlib.suppress(OSError):  # a full or read-only disk: the journal's fault reports it
            make_directory(state_dir)
        cache = Cache(state_dir / "cache")
        catalogue = Catalogue(max_orders=config.workflow.max_orders)
        notes = _fill(catalogue, cache)
        reserve = DiskReserve(config.uplink.reserve_mb * 1024 * 1024, clock)
        ledger = Ledger(
            open_journal=lambda: open_state(state_dir / "journal"),
            reopen_journal=lambda gone: open_state(state_dir / "journal", instead_of=gone),
            source=f"/kiosk/{config.kiosk.site}/{config.kiosk.id}",
            clock=clock,
            is_starved=reserve.is_starved,
        )
        undo.enter_context(ledger)
        if ledger.fault is not None:
            _show_fault(indicators, clock)
        run_record = RunRecord(state_dir / "run.json", clock.boot_id())
        last_run = run_record.begin()
        undo.push(lambda kind, *_: run_record.end(failed=kind is not None or shutdown.failure is not None))

        # The parts. None of them runs yet.
        device_loop = undo.enter_context(closing(EventLoop()))
        intake = Intake()
        scan_path_queue = TaskQueue(device_loop.wake)
        requests = RequestQueue(loop)
        health_changed = ThreadSafeEvent(loop)
        changed_views: set[str] = set()
        inbound = InboundMessages(scan_path_queue, on_request=requests.put, on_change=health_changed.set)
        source = undo.enter_context(closing(JournalSource(lambda: ledger.journal)))
        uplink = Uplink(
            broker=broker_of(config.mqtt),
            delivery=delivery_of(config.uplink),
            site=config.kiosk.site,
            kiosk=config.kiosk.id,
            version=__version__,
            source=source,
            on_inbound=inbound.take,
            on_delivered=ledger.set_delivered,
            on_rolled_back=lambda journal: scan_path_queue.post(lambda path: path.start_over(journal)),
            on_change=health_changed.set,
            next_connection=ConnectionNumber(state_dir / CONNECTION_FILE).next,
            clock=clock,
        )
        undo.callback(uplink.close)
        housekeeping = Housekeeping(
            journal=lambda: ledger.journal,
            published=lambda: ledger.published,
            forget=lambda orders: scan_path_queue.post(lambda path: path.forget(orders)),
            cache=cache,
            reserve=reserve,
            clock=clock,
            keep_days=config.uplink.keep_days,
        )
        scan_path = ScanPath(
            device_loop=device_loop,
            intake=intake,
            queue=scan_path_queue,
            ledger=ledger,
            catalogue=catalogue,
            rules=rules_of(config.workflow),
            badge_secret=badge_secret(state_dir / "badge.key"),
            indicators=indicators,
            clock=clock,
            on_committed=uplink.wake,
            on_view=changed_views.add,
            on_wanted=uplink.fetch,
            on_changes=housekeeping.cache_writer.add,
            on_fatal=shutdown.fail,
            on_dropped=uplink.reload,
        )
        self._look = lambda: Look(state=ledger.state, catalogue=catalogue, uplink=uplink.health())

        # They start, in an order such that at the end no part is stopped that another one still needs.
        undo.enter_context(housekeeping)
        undo.enter_context(reading_as_fallback(loop, device_loop))
        scanners = undo.enter_context(
            open_devices(
                config.stations,
                more=self._scanners,
                device_loop=device_loop,
                intake=intake,
                on_change=health_changed.set,
            )
        )
        undo.enter_context(scan_path)
        monitor = Monitor(
            config=config,
            clock=clock,
            last_run=last_run,
            scan_path=scan_path,
            catalogue=catalogue,
            uplink=uplink,
            inbound=inbound,
            cache_writer=housekeeping.cache_writer,
            failing_chores=lambda: housekeeping.faults,
            reserve=reserve,
            scanners=scanners,
            indicators=indicators,
            notes=notes,
        )
        undo.enter_context(StatusSocket(loop, state_dir, monitor.status_text))
        # Those of the journal too: versions before this one did not keep the list.
        add_published_stations(state_dir / STATIONS_FILE, [*indicators, *ledger.state.stations])
        # Last, so that at a stop `offline` is published before anything touches the disk, which may hang.
        uplink.start()
        self._reload = uplink.reload
        undo.callback(lambda: uplink.stop(reason=shutdown.reason, timeout_s=_OFFLINE_S))
        notifier.ready()  # the broker may answer later (`commands.md#run`)

        # It runs.
        undo.enter_context(garbage_collected_by_housekeeping())
        journal_id = None if ledger.journal is None else ledger.journal.id
        _log.info("started", extra={"version": __version__, "journal": journal_id, "config": config_hash(config)})
        handler = RequestHandler(
            respond=uplink.respond,
            health=monitor.health,
            identify=lambda: _identify(indicators),
            reload=uplink.reload,
            journal=lambda: ledger.journal,
            resend=uplink.resend,
        )
        async with running_beside(
            shutdown,
            publish_health(monitor, uplink, indicators, health_changed, clock),
            publish_views(monitor, uplink, indicators, changed_views),
            requests.run(handler.take),
            feed_watchdog(notifier, watchdog_interval_s(), scan_path.is_alive),
        ):
            await shutdown.wait()
        _log.info("stopping", extra={"why": shutdown.reason})
        notifier.stopping()

    def _take_hangup(self) -> None:
        _log.info("SIGHUP: everything is asked for again")
        self._reload()

    def _open_indicator(self, station: StationSettings) -> Indicator:
        given = self._indicators.get(station.id)
        return indicator_of(station.id, station.indicator) if given is None else given


def _fill(catalogue: Catalogue, cache: Cache) -> list[str]:
    """Fill the catalogue from the cache; return what could not be used, a line each (`faults.md#damaged-cache`)."""
    loaded = cache.load()
    notes = [f"the cache file {name} was damaged; the broker sends it again" for name in loaded.damaged]
    notes += catalogue.restore(loaded)
    for note in notes:
        _log.warning(note)
    return notes


def _show_fault(indicators: Mapping[str, Indicator], clock: Clock) -> None:
    """`commands.md#start-with-a-full-disk`"""
    for indicator in indicators.values():
        indicator.show(Signal.FAULT, None, monotonic_ns=clock.monotonic_ns())


def _identify(indicators: Mapping[str, Indicator]) -> None:
    for indicator in indicators.values():
        indicator.identify()
