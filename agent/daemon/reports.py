"""What the kiosk tells of itself: the stations' views, `health`, and the document of `kiosk-agent status`."""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import to_builtins
from msgspec.json import encode
from msgspec.structs import replace

from agent import __version__
from agent.config import Config
from agent.contract.station_view import StationView
from agent.daemon.health import DeviceHealth, Rate, Sources, health_of, health_text
from agent.daemon.housekeeping import Housekeeping
from agent.daemon.inbound import Centre
from agent.daemon.machine import LastRun
from agent.daemon.scanpath import ScanPath
from agent.drivers.indicators.indicator import Indicator
from agent.drivers.scanners.scanner import Scanner
from agent.errors import JournalDamaged, JournalFault
from agent.journal import Journal
from agent.runtime.clock import Clock
from agent.uplink.uplink import Uplink
from agent.workflow.view import station_view

__all__ = ["Reports"]

_HEALTH_S = 30.0
_VIEW_S = 0.2


class Reports:
    """Looks at the parts and publishes what has changed; in the loop's thread, but for the two `…_changed`.

    `scanners` are (station, driver, scanner) and may still grow; `notes` are lines about the start.
    """

    def __init__(
        self,
        *,
        config: Config,
        config_hash: str,
        clock: Clock,
        last_run: LastRun,
        scan_path: ScanPath,
        uplink: Uplink,
        housekeeping: Housekeeping,
        centre: Centre,
        scanners: Sequence[tuple[str, str, Scanner]],
        indicators: Mapping[str, Indicator],
        notes: Sequence[str],
    ) -> None:
        self._config = config
        self._clock = clock
        self._last_run = last_run
        self._scan_path = scan_path
        self._uplink = uplink
        self._housekeeping = housekeeping
        self._centre = centre
        self._scanners = scanners
        self._indicators = indicators
        self._notes = notes
        self._hash = config_hash
        self._started = clock.monotonic()
        self._rate = Rate()
        self._dirty: set[str] = set()
        self._views: dict[str, StationView] = {}
        self._is_health_wanted = False
        self._looked: tuple[object, ...] = ()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._view_due: asyncio.TimerHandle | None = None
        self._health_due: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Publish everything once, and from now on what changes."""
        self._loop = loop
        self._publish_views()
        self._publish_health()

    def stop(self) -> None:
        self._loop = None
        for timer in (self._view_due, self._health_due):
            if timer is not None:
                timer.cancel()

    # -- from any thread -----------------------------------------------------------------------------------------

    def view_changed(self, station: str) -> None:
        """The station looks different; its view goes out with the next round."""
        self._dirty.add(station)

    def health_changed(self) -> None:
        """Something that `health` tells has changed: it goes out at once."""
        loop = self._loop
        if loop is not None and not self._is_health_wanted:
            self._is_health_wanted = True
            with contextlib.suppress(RuntimeError):  # the loop is gone
                loop.call_soon_threadsafe(self._publish_health)

    # -- views ---------------------------------------------------------------------------------------------------

    def _publish_views(self) -> None:
        """The retained view of each station that changed; at most five a second, the uplink sees to the rest."""
        if self._loop is None:
            return
        self._view_due = self._loop.call_later(_VIEW_S, self._publish_views)
        while self._dirty:
            station = self._dirty.pop()
            view = self._view(station)
            known = self._views.get(station)
            if known is None or replace(known, time=view.time) != view:
                self._views[station] = view
                self._uplink.publish_view(f"station/{station}", encode(view))

    def _view(self, station: str) -> StationView:
        path = self._scan_path
        return station_view(path.ledger.state, station, path.memories[station], self._clock.utc_text())

    # -- health --------------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Publish `health` at once when the clock, a device or an error has changed."""
        looks = (
            self._clock.synced(),
            self._scan_path.ledger.fault,
            *(indicator.fault for indicator in self._indicators.values()),
            *self._errors(),
        )
        if looks != self._looked:
            self._looked = looks
            self._publish_health()

    def _publish_health(self) -> None:
        self._is_health_wanted = False
        loop = self._loop
        if loop is None:
            return
        if self._health_due is not None:
            self._health_due.cancel()
        self._health_due = loop.call_later(_HEALTH_S, self._publish_health)
        self._uplink.publish_view("health", health_text(self.health()), expiry_s=90)

    def health(self) -> dict[str, Any]:
        path = self._scan_path
        journal = path.ledger.journal
        now = self._clock.monotonic()
        if journal is not None:
            self._rate.look(journal.last_position, 800.0, now)
        uplink = self._uplink.health()
        return health_of(
            Sources(
                clock=self._clock,
                started=self._started,
                last_run=self._last_run,
                config_hash=self._hash,
                scanners=list(self._scanner_health()),
                indicators=[
                    DeviceHealth(
                        station=station.id,
                        name="indicator",
                        driver=station.indicator.driver,
                        connected=self._indicators[station.id].fault is None,
                        detail=self._indicators[station.id].fault or "",
                    )
                    for station in self._config.stations
                ],
                uplink=uplink,
                oldest_utc=self._oldest_utc(journal),
                journal=journal,
                journal_fault=path.ledger.fault,
                commit_s=list(path.ledger.commit_s),
                rate=self._rate,
                reserve_bytes=self._config.uplink.reserve_mb * 1024 * 1024,
                catalogue=path.facts,
                errors=self._errors(),
            )
        )

    def _scanner_health(self) -> Iterator[DeviceHealth]:
        for station, driver, scanner in self._scanners:
            yield DeviceHealth(
                station=station,
                name=scanner.name,
                driver=driver,
                connected=scanner.connected,
                detail=scanner.detail,
            )

    def _oldest_utc(self, journal: Journal | None) -> str | None:
        """When the oldest event that waits was recorded."""
        if journal is None or self._scan_path.ledger.delivered >= journal.last_position:
            return None
        try:
            with journal.reader(self._scan_path.ledger.delivered) as reader:
                events = reader.read(1)
        except (JournalDamaged, JournalFault):
            return None
        return str(json.loads(events[0].document)["time"]) if events else None

    def _errors(self) -> list[str]:
        errors = [*self._notes, *self._centre.refused()]
        if self._scan_path.catalogue.operators is None:
            errors.append("no operators list has come: nobody can sign in")
        if self._housekeeping.cache_fault is not None:
            errors.append(f"the cache cannot be written: {self._housekeeping.cache_fault}")
        return errors

    # -- status --------------------------------------------------------------------------------------------------

    def status_text(self) -> bytes:
        """The document that `kiosk-agent status` shows."""
        journal = self._scan_path.ledger.journal
        scanners = list(self._scanner_health())
        stations = [
            {
                "id": station.id,
                **to_builtins(self._view(station.id)),
                "scanners": [
                    {"name": one.name, "driver": one.driver, "connected": one.connected, "detail": one.detail}
                    for one in scanners
                    if one.station == station.id
                ],
            }
            for station in self._config.stations
        ]
        document = {
            "version": __version__,
            "journal": None if journal is None else journal.id,
            "uptime_s": int(self._clock.monotonic() - self._started),
            "stations": stations,
            "health": self.health(),
        }
        return json.dumps(document).encode()
