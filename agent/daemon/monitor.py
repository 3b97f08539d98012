"""Collect what all parts of the kiosk report: the `health` message, the station views, and `kiosk-agent status`."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import to_builtins
from msgspec.json import encode

from agent import __version__
from agent.catalogue.catalogue import Catalogue
from agent.config import Config, config_hash
from agent.contract.kiosk_health import CertificateExpiry, DeviceReport, JournalReport, KioskHealth, UplinkReport
from agent.contract.station_view import StationView
from agent.daemon.cache_writer import CacheWriter
from agent.daemon.disk_reserve import DiskReserve
from agent.daemon.fill_rate import FillRate
from agent.daemon.inbound import InboundMessages
from agent.daemon.ledger import Ledger
from agent.daemon.machine import memory_bytes, temperature_c, under_voltage
from agent.daemon.run_record import LastRun
from agent.daemon.scan_path import ScanPath
from agent.daemon.station_devices import OpenScanner
from agent.drivers.indicators.indicator import Indicator
from agent.errors import JournalDamaged, JournalFault
from agent.journal import Journal
from agent.runtime.clock import Clock
from agent.uplink.uplink import Uplink
from agent.uplink.uplink_health import UplinkHealth
from agent.workflow.badge_guesses import is_locked
from agent.workflow.station_display import station_view

__all__ = ["Monitor", "journal_report", "percentile_ms", "uplink_report"]

_BYTES_PER_EVENT = 800.0
"""What an event takes on the disk, roughly."""


class Monitor:
    """Used by the main thread; it reads what the parts' threads publish.

    `notes` are lines about the start that a person should know.
    """

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        last_run: LastRun,
        scan_path: ScanPath,
        catalogue: Catalogue,
        uplink: Uplink,
        inbound: InboundMessages,
        cache_writer: CacheWriter,
        failing_chores: Callable[[], Sequence[str]],
        reserve: DiskReserve,
        scanners: Sequence[OpenScanner],
        indicators: Mapping[str, Indicator],
        notes: Sequence[str],
    ) -> None:
        self._config = config
        self._config_hash = config_hash(config)
        self._clock = clock
        self._last_run = last_run
        self._scan_path = scan_path
        self._ledger = scan_path.ledger
        self._catalogue = catalogue
        self._uplink = uplink
        self._inbound = inbound
        self._cache_writer = cache_writer
        self._failing_chores = failing_chores
        self._reserve = reserve
        self._scanners = scanners
        self._indicators = indicators
        self._notes = notes
        self._started = clock.monotonic()
        self._fill_rate = FillRate()

    def view(self, station: str) -> StationView:
        """Return what a station shows now (`mqtt.md#station-view`)."""
        transient = self._scan_path.transients[station]
        connection = self._uplink.health().situation.connection
        return station_view(self._ledger.state, station, transient, self._clock.utc_text(), connection=connection)

    def urgent_facts(self) -> tuple[object, ...]:
        """Return the part of `health` whose change is published at once, for comparison."""
        self._inbound.log_left_out()
        faults = tuple(indicator.fault for indicator in self._indicators.values())
        return self._clock.synced(), self._ledger.fault, faults, self._errors()

    def health(self) -> KioskHealth:
        """Return how the kiosk is now (`mqtt.md#health`)."""
        clock, ledger, facts = self._clock, self._ledger, self._scan_path.updates.facts
        now = clock.utc_text()
        uplink = self._uplink.health()
        if ledger.journal is not None:
            self._fill_rate.update(ledger.journal.last_position, _BYTES_PER_EVENT, clock.monotonic())
        return KioskHealth(
            time=now,
            connection=uplink.situation.connection,
            scanners=tuple(map(_scanner_report, self._scanners)),
            indicator=self._indicator_reports(),
            uplink=uplink_report(uplink, oldest_age_s=_age_s(_oldest_utc(ledger), now)),
            journal=journal_report(ledger, self._fill_rate.bytes_per_s, self._reserve),
            clock_synced=clock.synced(),
            missing_manifests=tuple(map(_encodable, facts.missing)),
            config=self._config_hash,
            operators_revision=facts.operators_revision,
            orders_not_cached=facts.orders_left_out,
            conflicts=tuple(map(_encodable, facts.conflicts)),
            errors=self._errors(),
            last_exit=self._last_run.cause,
            restarts=self._last_run.restarts,
            temperature_c=temperature_c(),
            under_voltage=under_voltage(),
            memory_bytes=memory_bytes(),
            uptime_s=self._uptime_s(),
        )

    def status_text(self) -> bytes:
        """Return the JSON document that `kiosk-agent status` shows (`commands.md#status-of-the-daemon`)."""
        journal = self._ledger.journal
        stations = [
            {
                "id": station.id,
                **to_builtins(self.view(station.id)),
                "scanners": [
                    {"name": one.name, "driver": one.driver, "connected": one.connected, "detail": one.detail}
                    for one in map(_scanner_report, self._scanners)
                    if one.station == station.id
                ],
            }
            for station in self._config.stations
        ]
        return encode(
            {
                "version": __version__,
                "journal": None if journal is None else journal.id,
                "uptime_s": self._uptime_s(),
                "stations": stations,
                "health": self.health(),
            }
        )

    def _indicator_reports(self) -> tuple[DeviceReport, ...]:
        return tuple(
            DeviceReport(
                station=station.id,
                name="indicator",
                driver=station.indicator.driver,
                connected=self._indicators[station.id].fault is None,
                detail=_encodable(self._indicators[station.id].fault or ""),
            )
            for station in self._config.stations
        )

    def _errors(self) -> tuple[str, ...]:
        """Return what a person should put right, one line for each problem."""
        errors = [*self._notes, *self._inbound.refused()]
        facts = self._scan_path.updates.facts
        if facts.orders_left_out:
            errors.append(
                f"{facts.orders_left_out} orders are not cached: there are max_orders = "
                f"{self._config.workflow.max_orders} already"
            )
        if facts.blocked_left_out:
            errors.append(f"{facts.blocked_left_out} parts of the blocked units are not cached: there are too many")
        if self._catalogue.operators is None:
            errors.append("no operators list has come from the centre yet: nobody can sign in")
        if self._cache_writer.fault is not None:
            errors.append(f"the cache cannot be written: {self._cache_writer.fault}")
        errors += self._scan_path.updates.facts.flaws
        now = self._clock.monotonic()
        errors += [
            f"badge_guessing: many texts were refused at station {station}; it accepts no other badge for a minute"
            for station, transient in self._scan_path.transients.items()
            if is_locked(transient, now)
        ]
        errors += (f"housekeeping of the journal fails: {why}" for why in self._failing_chores())
        return tuple(map(_encodable, errors))

    def _uptime_s(self) -> int:
        return int(self._clock.monotonic() - self._started)


def uplink_report(uplink: UplinkHealth, *, oldest_age_s: int | None) -> UplinkReport:
    situation = uplink.situation
    return UplinkReport(
        online=situation.online,
        state=situation.state,
        host=situation.host,
        error=situation.error,
        backlog=uplink.backlog,
        oldest_age_s=oldest_age_s,
        last=f"{uplink.last_sequence:012d}",
        acked=f"{uplink.acked_sequence:012d}",
        refused=uplink.refused,
        refusals=uplink.refusals,
        last_refusal=situation.last_refusal,
        refused_subscriptions=tuple(situation.refused_subscriptions),
        duplicate_id=situation.duplicate_id,
        no_consumer=situation.no_consumer,
        journal_rolled_back=situation.rolled_back,
        certificate_expires=CertificateExpiry(
            server=_utc(situation.server_certificate_expires),
            client=_utc(situation.client_certificate_expires),
        ),
    )


def journal_report(ledger: Ledger, fill_bytes_per_s: float, reserve: DiskReserve) -> JournalReport:
    journal = ledger.journal
    commit_s = list(ledger.commit_s)
    free = _free_bytes(journal)
    room = None if free is None else max(0, free - reserve.size_bytes)
    return JournalReport(
        id=None if journal is None else journal.id,
        fault=None if ledger.fault is None else _encodable(ledger.fault),
        commit_p50_ms=percentile_ms(commit_s, 0.5),
        commit_p99_ms=percentile_ms(commit_s, 0.99),
        free_bytes=free,
        time_to_full_s=int(room / fill_bytes_per_s) if room is not None and fill_bytes_per_s > 0 else None,
        dropped_tail_bytes=None if journal is None else journal.dropped_tail_bytes,
    )


def percentile_ms(values_s: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` of the values lie, in milliseconds; None if there are none."""
    if not values_s:
        return None
    ordered = sorted(values_s)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)


def _scanner_report(one: OpenScanner) -> DeviceReport:
    return DeviceReport(
        station=one.station,
        name=one.scanner.name,
        driver=one.driver,
        connected=one.scanner.connected,
        detail=_encodable(one.scanner.detail),
    )


def _free_bytes(journal: Journal | None) -> int | None:
    """None where the disk does not even answer that; `fault` then says why."""
    if journal is None:
        return None
    try:
        return journal.free_bytes()
    except JournalFault:
        return None


def _oldest_utc(ledger: Ledger) -> str | None:
    """Return when the oldest undelivered event was recorded."""
    journal = ledger.journal
    if journal is None or ledger.delivered >= journal.last_position:
        return None
    try:
        with journal.reader(ledger.delivered) as reader:
            events = reader.read(1)
    except (JournalDamaged, JournalFault):
        return None
    return str(json.loads(events[0].document)["time"]) if events else None


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _age_s(since: str | None, now: str) -> int | None:
    if since is None:
        return None
    return max(0, int((datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()))


def _encodable(text: str) -> str:
    """Escape what UTF-8 cannot encode: a device or a file may have any bytes in its name."""
    return text.encode("utf-8", "backslashreplace").decode()
