"""The composition root: starts everything, hands each part what it needs, and undoes it all at the end.

The main thread runs the asyncio loop: it keeps the time of views and health, feeds the watchdog, answers `kiosk-agent
status`, and stands in for the scan path at the devices while that works. The other threads are
`agent.daemon.scanpath`'s, `agent.daemon.housekeeping`'s and `agent.uplink.uplink`'s.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent import __version__
from agent.catalogue.cache import Cache
from agent.catalogue.catalogue import Catalogue
from agent.config import Config, config_hash
from agent.contract.printed_codes import Verb, command_text
from agent.contract.requests import Request
from agent.contract.signals import Signal
from agent.daemon.answers import Requests
from agent.daemon.housekeeping import Housekeeping
from agent.daemon.inbound import Centre
from agent.daemon.intake import Intake, Presses
from agent.daemon.journal_source import JournalSource
from agent.daemon.ledger import Ledger, Opened, open_state
from agent.daemon.machine import RunRecord
from agent.daemon.reports import Reports
from agent.daemon.scanpath import ScanPath, Station
from agent.daemon.status_socket import StatusSocket
from agent.daemon.wiring import broker_of, delivery_of, indicator_of, scanner_of
from agent.drivers.indicators.indicator import Indicator
from agent.drivers.scanners.scanner import OnFrame, Scanner
from agent.errors import DeviceError, JournalBusy, JournalDamaged, JournalFault
from agent.exit_codes import ExitCode
from agent.runtime.clock import Clock, SystemClock
from agent.runtime.event_loop import EventLoop
from agent.runtime.systemd import Notifier, watchdog_interval_s
from agent.runtime.threads import come_first, give_way, share_in_turns
from agent.scan import Frame
from agent.uplink.uplink import Uplink
from agent.uplink.uplink_health import UplinkHealth
from agent.workflow.context import Settings
from agent.workflow.state import State

__all__ = ["Daemon", "Look", "run"]

_log = logging.getLogger(__name__)

_BEAT_S = 1.0
_LOOK_S = 0.1
_HANG_S = 10.0
_STOP_S = 3.0
_CLOSE_S = 1.0
_ASKED_MAX = 1000


def run(config: Config) -> int:
    """Run until SIGTERM or SIGINT; the exit code of SPEC 7."""
    try:
        return Daemon(config).run()
    except JournalDamaged as exc:
        _log.critical("the journal is damaged and is left as it is", extra={"what": exc})
        _tell(config, f"journal damaged: {exc}")
        return ExitCode.DAMAGED
    except (DeviceError, JournalBusy) as exc:
        _log.critical("cannot start", extra={"why": exc})
        if not isinstance(exc, JournalBusy):  # who has it may be alive and well
            _tell(config, str(exc))
        return ExitCode.REFUSED
    except Exception:  # noqa: BLE001 - a restart may help, so it must not end as a refusal
        _log.critical("a bug ends the process", exc_info=True)
        return ExitCode.BUG


def _tell(config: Config, reason: str) -> None:
    from agent.daemon.failure import tell_failure

    indicators = [(station.id, station.indicator) for station in config.stations]
    tell_failure(reason=reason, kiosk=config.kiosk, mqtt=config.mqtt, indicators=indicators)


class Look(Struct, frozen=True, kw_only=True):
    """The kiosk at one moment, for whoever draws it; `catalogue` goes on living, and is to be read only."""

    state: State
    catalogue: Catalogue
    uplink: UplinkHealth


class Daemon:
    """One kiosk at work. `run` once.

    `scanners` and `indicators`, by station, are used beside and in the place of those that the configuration names.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        scanners: Mapping[str, Sequence[Scanner]] | None = None,
        indicators: Mapping[str, Indicator] | None = None,
    ) -> None:
        self._config = config
        self._more_scanners = scanners or {}
        self._given_indicators = indicators or {}
        self._composed = False
        self._clock = clock or SystemClock()
        self._hash = config_hash(config)
        self._scanners: list[tuple[str, str, Scanner]] = []
        self._indicators: dict[str, Indicator] = {}
        self._beat_due: asyncio.TimerHandle | None = None
        self._fatal: BaseException | None = None
        self._stop_reason = "stopped"
        self._stopped: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._notes: list[str] = []
        self._asked: deque[Request] = deque()

    def run(self) -> int:
        share_in_turns()
        come_first()
        return asyncio.run(self._main())

    def stop(self, why: str) -> None:
        """Have `run` come to its end, in order. From any thread; nothing before it has begun."""
        self._call(lambda: self._stop(why))

    def look(self) -> Look | None:
        """How it stands, from any thread; none before everything is put together."""
        if not self._composed:
            return None
        return Look(state=self._scan_path.ledger.state, catalogue=self._catalogue, uplink=self._uplink.health())

    # -- starting and stopping -----------------------------------------------------------------------------------

    async def _main(self) -> int:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._loop.set_exception_handler(self._callback_failed)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop, f"signal {number.name}")
        with ExitStack() as undo:
            notifier = undo.enter_context(Notifier())
            undo.callback(notifier.stopping)
            self._open_indicators(undo)
            self._compose(undo)
            self._open_devices(undo, self._loop)
            undo.callback(self._quieten)
            self._scan_path.start()
            self._housekeeping.start()
            threading.excepthook = self._thread_died
            self._uplink.start()
            notifier.ready()
            give_way()  # what this thread does from now on may wait for a scan
            # What stands now stands until the end: no collection need look at it again, while a scan waits.
            gc.freeze()
            gc.disable()  # housekeeping collects
            undo.callback(gc.enable)
            _log.info("started", extra={"version": __version__, "journal": self._journal_id(), "config": self._hash})
            self._beat(notifier, watchdog_interval_s())
            self._reports.start(self._loop)
            await self._stopped.wait()
            _log.info("stopping", extra={"why": self._stop_reason})
        if isinstance(self._fatal, JournalDamaged):
            raise self._fatal
        if self._fatal is not None:
            _log.critical("a bug ends the process", exc_info=self._fatal)
            return ExitCode.BUG
        return ExitCode.OK

    def _open_indicators(self, undo: ExitStack) -> None:
        for station in self._config.stations:
            given = self._given_indicators.get(station.id)
            indicator = given if given is not None else indicator_of(station.id, station.indicator)
            self._indicators[station.id] = undo.enter_context(indicator)

    def _compose(self, undo: ExitStack) -> None:
        """Make the parts and tie them together; nothing runs yet."""
        config = self._config
        state_dir = config.kiosk.state_dir
        with contextlib.suppress(OSError):
            state_dir.mkdir(parents=True, exist_ok=True)
        record = RunRecord(state_dir / "run.json", self._clock.boot_id())
        cache = Cache(state_dir / "cache")
        catalogue = Catalogue()
        loaded = cache.load()
        for damaged in loaded.damaged:
            self._note(f"the cache file {damaged} was damaged and is rebuilt from the broker")
        for refused in catalogue.restore(loaded):
            self._note(refused)
        self._catalogue = catalogue

        opened = self._try_open(state_dir / "journal")
        self._housekeeping = Housekeeping(
            journal=lambda: self._scan_path.ledger.journal,
            published=lambda: self._scan_path.ledger.published,
            forget=lambda orders: self._scan_path.post(lambda: self._scan_path.forget(orders)),
            cache=cache,
            clock=self._clock,
            keep_days=config.uplink.keep_days,
            reserve_mb=config.uplink.reserve_mb,
        )
        ledger = Ledger(
            opened=opened,
            open_journal=lambda: open_state(state_dir / "journal"),
            source=f"/kiosk/{config.kiosk.site}/{config.kiosk.id}",
            clock=self._clock,
            is_starved=self._housekeeping.is_starved,
        )
        self._watch = EventLoop()
        self._intake = Intake()
        self._scan_path = ScanPath(
            watch=self._watch,
            intake=self._intake,
            ledger=ledger,
            catalogue=catalogue,
            settings=Settings(
                required_roles=config.workflow.required_roles,
                packer_confirms=config.workflow.packer_confirms,
                idle_sign_out_s=float(config.workflow.idle_sign_out_s),
                bounce_s=config.workflow.bounce_ms / 1000,
            ),
            stations=[Station(id=name, indicator=one) for name, one in self._indicators.items()],
            clock=self._clock,
            on_committed=self._committed,
            on_view=lambda station: self._reports.view_changed(station),
            on_wanted=lambda orders: self._uplink.fetch(orders),
            on_changes=self._housekeeping.cache,
            on_fatal=self._die,
        )
        undo.callback(self._close_journal)
        self._source = JournalSource(lambda: self._scan_path.ledger.journal)
        self._centre = Centre(self._scan_path, on_request=self._requested, on_change=self._centre_changed)
        self._uplink = Uplink(
            broker=broker_of(config.mqtt),
            delivery=delivery_of(config.uplink),
            site=config.kiosk.site,
            kiosk=config.kiosk.id,
            version=__version__,
            source=self._source,
            on_inbound=self._centre.take,
            on_delivered=self._delivered,
            on_rolled_back=lambda why: self._scan_path.post(lambda: self._scan_path.start_over(why)),
            on_change=self._uplink_changed,
            clock=self._clock,
        )
        self._reports = Reports(
            config=config,
            config_hash=self._hash,
            clock=self._clock,
            last_run=record.begin(),
            scan_path=self._scan_path,
            uplink=self._uplink,
            housekeeping=self._housekeeping,
            centre=self._centre,
            scanners=self._scanners,
            indicators=self._indicators,
            notes=self._notes,
        )
        self._requests = Requests(
            respond=self._uplink.respond,
            health=self._reports.health,
            identify=self._identify,
            reload=self._uplink.reload,
            journal=lambda: self._scan_path.ledger.journal,
            resend=self._uplink.resend,
        )
        undo.push(lambda kind, *_: record.end(failed=kind is not None or self._fatal is not None))
        undo.callback(lambda: self._housekeeping.stop(_STOP_S))
        undo.callback(lambda: self._uplink.stop(reason=self._stop_reason, timeout_s=_STOP_S))
        undo.callback(self._stop_scan_path)
        self._composed = True

    def _try_open(self, directory: Path) -> Opened | None:
        """The journal; none while the disk does not allow it: then the kiosk starts into `fault` and keeps trying."""
        try:
            return open_state(directory)
        except JournalBusy:
            raise
        except JournalFault as exc:
            _log.error("the journal cannot be opened, scans are refused until it can", extra={"why": exc})
            for indicator in self._indicators.values():
                indicator.show(Signal.FAULT, None, monotonic_ns=self._clock.monotonic_ns())
            return None

    def _open_devices(self, undo: ExitStack, loop: asyncio.AbstractEventLoop) -> None:
        watch = self._watch
        loop.add_reader(watch.ready_fd, watch.try_run_once)
        undo.callback(loop.remove_reader, watch.ready_fd)
        self._look_in(loop)
        undo.callback(lambda: self._look_due.cancel())
        devices = ExitStack()
        undo.callback(self._scan_path.await_done, devices.close, _CLOSE_S)
        for station in self._config.stations:
            named = [(one.driver, scanner_of(one)) for one in station.scanners]
            given = [(one.description, one) for one in self._more_scanners.get(station.id, ())]
            for driver, scanner in (*named, *given):
                devices.enter_context(scanner)
                self._scanners.append((station.id, driver, scanner))
                scanner.start(watch, self._intake.of(station.id, scanner), self._status_taker(station.id, scanner))
            if station.buttons:
                from agent.drivers.buttons import Buttons

                take = self._intake.of(station.id, Presses())
                buttons = Buttons(dict(station.buttons), self._button_taker(take), loop=watch)
                devices.enter_context(buttons)
        undo.enter_context(StatusSocket(loop, self._config.kiosk.state_dir, self._reports.status_text))

    def _stop_scan_path(self) -> None:
        if self._scan_path.stop(_STOP_S):
            self._watch.close()

    def _close_journal(self) -> None:
        if self._scan_path.ledger.journal is not None:
            self._scan_path.ledger.journal.close()

    def _journal_id(self) -> str | None:
        journal = self._scan_path.ledger.journal
        return None if journal is None else journal.id

    # -- scans ---------------------------------------------------------------------------------------------------

    def _look_in(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stand in for what no device wakes us for: a scan cut short, a device that is back, while a flush lasts."""
        self._watch.try_run_once()
        self._look_due = loop.call_later(_LOOK_S, self._look_in, loop)

    def _button_taker(self, take: OnFrame) -> Callable[[str], None]:
        def press(word: str) -> None:
            code = command_text(Verb(word.upper())).encode()
            take(Frame(data=code, intact=True, at=self._clock.monotonic()))

        return press

    def _status_taker(self, station: str, scanner: Scanner) -> Any:
        def tell(connected: bool, detail: str) -> None:
            level = logging.INFO if connected else logging.WARNING
            fields = {"station": station, "scanner": scanner.name, "where": detail}
            _log.log(level, "scanner connected" if connected else "scanner missing", extra=fields)
            self._reports.health_changed()

        return tell

    # -- what other threads tell ---------------------------------------------------------------------------------

    def _centre_changed(self) -> None:
        self._reports.health_changed()

    def _committed(self) -> None:
        self._uplink.wake()

    def _delivered(self, position: int) -> None:
        self._scan_path.ledger.delivered = position

    def _uplink_changed(self) -> None:
        is_offline = not self._uplink.health().online
        for indicator in self._indicators.values():
            indicator.offline(is_offline)
        self._reports.health_changed()

    def _requested(self, request: Request) -> None:
        if len(self._asked) >= _ASKED_MAX:
            _log.warning("too many requests at once: one is not answered")
            return
        self._asked.append(request)
        if len(self._asked) == 1:
            self._call(self._answer)

    def _answer(self) -> None:
        """Answer one request. The next has its turn after the devices have had theirs."""
        if not self._asked:
            return
        self._requests.take(self._asked[0])
        self._asked.popleft()
        if self._asked:
            self._call(self._answer)

    def _die(self, exc: BaseException) -> None:
        self._fatal = exc
        self._call(lambda: self._stop("journal damaged" if isinstance(exc, JournalDamaged) else "bug"))

    def _callback_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nothing caught is a bug: end, and be started afresh."""
        self._die(context.get("exception") or RuntimeError(str(context.get("message"))))

    def _thread_died(self, args: threading.ExceptHookArgs) -> None:
        self._die(args.exc_value or RuntimeError(f"thread {args.thread} died"))

    def _call(self, act: Any) -> None:
        """Have the loop do something; nothing once it is gone."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(act)

    def _stop(self, why: str) -> None:
        self._stop_reason = why
        if self._stopped is not None:
            self._stopped.set()

    def _note(self, line: str) -> None:
        _log.warning(line)
        self._notes.append(line)

    # -- watchdog ---------------------------------------------------------------------------------

    def _quieten(self) -> None:
        self._reports.stop()
        if self._beat_due is not None:
            self._beat_due.cancel()

    def _beat(self, notifier: Notifier, watchdog_s: float | None) -> None:
        """Feed the watchdog as long as the scan path works too; tell what has changed."""
        loop = self._loop
        if loop is None:
            return
        if self._clock.monotonic() - self._scan_path.beat < _HANG_S:
            notifier.watchdog()
        self._reports.watch()
        self._beat_due = loop.call_later(
            min(_BEAT_S, (watchdog_s or _BEAT_S) / 3), lambda: self._beat(notifier, watchdog_s)
        )

    # -- requests --------------------------------------------------------------------------------------------------

    def _identify(self) -> None:
        for indicator in self._indicators.values():
            indicator.identify()
