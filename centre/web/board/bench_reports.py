"""What a kiosk says of itself, as far as the board shows it: `status`, `health` and station views.

These types are looser than those of `agent.contract`: every field may be missing, since an older or a newer kiosk
must still be shown. A message that cannot be read at all is None.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

__all__ = [
    "BoxReport",
    "DeviceLine",
    "HealthReport",
    "JournalLine",
    "LastReport",
    "StationReport",
    "StatusReport",
    "UplinkLine",
    "health_of",
    "station_of",
    "status_of",
]


class BoxReport(Struct, frozen=True):
    """The open box of a station's order."""

    id: str = ""
    units: int = 0
    size: str | None = None
    label: str | None = None


class LastReport(Struct, frozen=True):
    """The newest signal of a station."""

    signal: str
    reason: str | None = None


class StationReport(Struct, frozen=True):
    """A station view (`mqtt.md#station-view`)."""

    state: str = "ready"
    signed_in: bool = False
    operator: str | None = None
    order: str | None = None
    mode: str | None = None
    product: str | None = None
    scanned: int | None = None
    pending: int | None = None
    box: BoxReport | None = None
    last: LastReport | None = None
    held: bool = False
    time: str | None = None

    @property
    def ordered(self) -> int | None:
        """How many pieces the open order wants; None without an order."""
        return None if self.scanned is None or self.pending is None else self.scanned + self.pending


class StatusReport(Struct, frozen=True):
    """A `status` message (`mqtt.md#status`)."""

    state: str = "offline"
    reason: str | None = None
    version: str | None = None
    since: str | None = None


class DeviceLine(Struct, frozen=True):
    """A scanner or an indicator."""

    station: str = ""
    name: str = ""
    connected: bool = True
    detail: str = ""


class UplinkLine(Struct, frozen=True):
    """The connection to the broker and the events that wait for it."""

    backlog: int = 0
    oldest_age_s: int | None = None
    refused: int = 0
    last_refusal: str | None = None
    refused_subscriptions: tuple[str, ...] = ()
    duplicate_id: bool = False
    journal_rolled_back: bool = False


class JournalLine(Struct, frozen=True):
    """The journal and the disk under it."""

    fault: str | None = None
    time_to_full_s: int | None = None


class HealthReport(Struct, frozen=True):
    """A `health` message (`mqtt.md#health`)."""

    time: str | None = None
    scanners: tuple[DeviceLine, ...] = ()
    indicator: tuple[DeviceLine, ...] = ()
    uplink: UplinkLine = UplinkLine()
    journal: JournalLine = JournalLine()
    clock_synced: bool = True
    operators_revision: int | None = None
    missing_manifests: tuple[str, ...] = ()
    orders_not_cached: int = 0
    errors: tuple[str, ...] = ()
    temperature_c: float | None = None
    under_voltage: bool | None = None

    def devices(self, station: str) -> Sequence[DeviceLine]:
        """Return the scanners and the indicator of a station."""
        return [device for device in (*self.scanners, *self.indicator) if device.station == station]


_Report = TypeVar("_Report")

_station = msgspec.json.Decoder(StationReport)
_status = msgspec.json.Decoder(StatusReport)
_health = msgspec.json.Decoder(HealthReport)


def station_of(document: str | None) -> StationReport | None:
    """Read a station view."""
    return _read(_station, document)


def status_of(document: str | None) -> StatusReport | None:
    """Read a `status` message."""
    return _read(_status, document)


def health_of(document: str | None) -> HealthReport | None:
    """Read a `health` message."""
    return _read(_health, document)


def _read(decoder: msgspec.json.Decoder[_Report], document: str | None) -> _Report | None:
    if document is None:
        return None
    try:
        return decoder.decode(document)
    except (ValueError, RecursionError):
        return None
