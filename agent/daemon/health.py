"""The `health` message (SPEC 5.1): one look at everything that an admin two hundred kilometres away wants to know."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from agent.daemon.machine import LastRun, memory_bytes, temperature_c, under_voltage
from agent.daemon.scanpath import CacheFacts
from agent.errors import JournalFault
from agent.journal import Journal
from agent.runtime.clock import Clock
from agent.uplink.uplink_health import UplinkHealth

__all__ = ["DeviceHealth", "Rate", "Sources", "health_of", "health_text", "percentile_ms"]


class DeviceHealth(Struct, frozen=True, kw_only=True):
    """A scanner or an indicator: whether it works, and where it is or what is wrong."""

    station: str
    name: str
    driver: str
    connected: bool
    detail: str


_RATE_WINDOW_S = 10.0


class Rate(Struct, kw_only=True):
    """How fast the disk fills, from two looks at the journal's newest position some time apart.

    Looks that follow each other too soon to tell a rate change nothing.
    """

    position: int = 0
    at: float = 0.0
    bytes_per_s: float = 0.0

    def look(self, position: int, bytes_per_event: float, now: float) -> None:
        if self.at and now - self.at < _RATE_WINDOW_S:
            return
        if self.at:
            self.bytes_per_s = max(0.0, (position - self.position) * bytes_per_event / (now - self.at))
        self.position, self.at = position, now


class Sources(Struct, frozen=True, kw_only=True):
    """Where the parts come from, at one moment. `errors` are lines for a person; `oldest_utc` is the time of the
    oldest event that waits, as it was recorded."""

    clock: Clock
    started: float
    last_run: LastRun
    config_hash: str
    scanners: Sequence[DeviceHealth]
    indicators: Sequence[DeviceHealth]
    uplink: UplinkHealth
    oldest_utc: str | None
    journal: Journal | None
    journal_fault: str | None
    commit_s: Sequence[float]
    rate: Rate
    reserve_bytes: int
    catalogue: CacheFacts
    errors: Sequence[str]


def percentile_ms(values_s: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie, in milliseconds; none of none."""
    if not values_s:
        return None
    ordered = sorted(values_s)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)


def health_of(sources: Sources) -> dict[str, Any]:
    clock = sources.clock
    uplink = sources.uplink
    situation = uplink.situation
    return {
        "time": clock.utc_text(),
        "scanners": [_device(one) for one in sources.scanners],
        "indicator": [_device(one) for one in sources.indicators],
        "uplink": {
            "online": situation.online,
            "state": situation.state,
            "host": situation.host,
            "error": situation.error,
            "backlog": uplink.backlog,
            "oldest_age_s": _age_s(sources.oldest_utc, clock.utc_text()),
            "last": f"{uplink.last_sequence:012d}",
            "acked": f"{uplink.acked_sequence:012d}",
            "refused": uplink.refused,
            "refusals": uplink.refusals,
            "last_refusal": situation.last_refusal,
            "refused_subscriptions": list(situation.refused_subscriptions),
            "duplicate_id": situation.duplicate_id,
            "no_consumer": situation.no_consumer,
            "journal_rolled_back": situation.rolled_back,
            "certificate_expires": {
                "server": _utc(situation.server_certificate_expires),
                "client": _utc(situation.client_certificate_expires),
            },
        },
        "journal": _journal(sources),
        "clock_synced": clock.synced(),
        "missing_manifests": list(sources.catalogue.missing),
        "config": sources.config_hash,
        "operators_revision": sources.catalogue.operators_revision,
        "conflicts": list(sources.catalogue.conflicts),
        "errors": list(sources.errors),
        "last_exit": sources.last_run.cause,
        "restarts": sources.last_run.restarts,
        "temperature_c": temperature_c(),
        "under_voltage": under_voltage(),
        "memory_bytes": memory_bytes(),
        "uptime_s": int(clock.monotonic() - sources.started),
    }


def _device(device: DeviceHealth) -> Mapping[str, Any]:
    return {
        "station": device.station,
        "name": device.name,
        "driver": device.driver,
        "connected": device.connected,
        "detail": device.detail,
    }


def _journal(sources: Sources) -> dict[str, Any]:
    journal = sources.journal
    free = _free_bytes(journal)
    room = None if free is None else max(0, free - sources.reserve_bytes)
    rate = sources.rate.bytes_per_s
    return {
        "id": None if journal is None else journal.id,
        "fault": sources.journal_fault,
        "commit_p50_ms": percentile_ms(sources.commit_s, 0.5),
        "commit_p99_ms": percentile_ms(sources.commit_s, 0.99),
        "free_bytes": free,
        "time_to_full_s": int(room / rate) if room is not None and rate > 0 else None,
        "dropped_tail_bytes": None if journal is None else journal.dropped_tail_bytes,
    }


def _free_bytes(journal: Journal | None) -> int | None:
    """None where the disk does not even answer that: its fault is told beside."""
    if journal is None:
        return None
    try:
        return journal.free_bytes()
    except JournalFault:
        return None


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _age_s(since: str | None, now: str) -> int | None:
    if since is None:
        return None
    return max(0, int((datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()))


def health_text(health: Mapping[str, Any]) -> bytes:
    return json.dumps(health, separators=(",", ":"), ensure_ascii=False).encode()
