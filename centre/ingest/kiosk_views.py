"""What kiosks say of themselves: `status`, `health` and station views, and whether a kiosk is online.

The one with the highest connection number is used (`mqtt.md#connection-number`): a broker may deliver an old will late.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder
from sqlalchemy import Connection

from centre.link.received import Received
from centre.moments import moment
from centre.store import kiosk_rows
from centre.store.kiosk_rows import KioskName, KioskRow, StationRow

__all__ = [
    "HealthClaim",
    "Reach",
    "ViewArrival",
    "ViewKind",
    "claim_of",
    "is_sequence",
    "reach",
    "read_view",
    "store_views",
]

LARGEST_CONNECTION = 2**62


class ViewKind(StrEnum):
    """Which of a kiosk's retained messages it is."""

    STATUS = "status"
    HEALTH = "health"
    STATION = "station"


class ViewArrival(NamedTuple):
    """A view. `text` is None for an empty message, which takes the view away."""

    kiosk: KioskName
    kind: ViewKind
    station: str
    text: str | None
    connection: int
    is_retained: bool
    received_at: str


class _View(Struct):
    connection: int = 0


_VIEW = Decoder(_View)


def read_view(message: Received, kiosk: KioskName, kind: ViewKind, station: str) -> ViewArrival | None:
    """Return the view in a message; None if it is none. Only `connection` must be right: the rest is for display.

    Kiosks of before the connection number send none: it counts as the lowest.
    """
    text: str | None = None
    connection = 0
    if message.payload:
        try:
            text = message.payload.decode("utf-8")
            connection = _VIEW.decode(message.payload).connection
        except (DecodeError, ValueError, RecursionError):
            return None
        if not 0 <= connection <= LARGEST_CONNECTION:
            return None
    return ViewArrival(kiosk, kind, station, text, connection, message.retained, message.received_at)


def store_views(connection: Connection, kiosks: dict[KioskName, int], views: Collection[ViewArrival]) -> None:
    """Store the newest of these views, where they are newer than what is stored."""
    newest: dict[tuple[KioskName, ViewKind, str], ViewArrival] = {}
    for view in views:
        key = (view.kiosk, view.kind, view.station)
        before = newest.get(key)
        if before is None or _is_newer(view, None if before.text is None else before.connection):
            newest[key] = view
    if not newest:
        return
    known = kiosk_rows.by_ids(connection, {kiosks[view.kiosk] for view in newest.values()})
    stations = {(row.kiosk_id, row.name): row for row in kiosk_rows.stations_of(connection, known)}
    for view in newest.values():
        row = known[kiosks[view.kiosk]]
        match view.kind:
            case ViewKind.STATUS if _is_newer(view, row.status_connection):
                _put_status(connection, row, view)
            case ViewKind.HEALTH if _is_newer(view, row.health_connection):
                _put_health(connection, row, view)
            case ViewKind.STATION:
                station = stations.get((row.id, view.station))
                if _is_newer(view, None if station is None else station.connection):
                    _put_station(connection, row.id, view)


def _is_newer(view: ViewArrival, stored: int | None) -> bool:
    return view.text is None or stored is None or view.connection >= stored


def _put_status(connection: Connection, row: KioskRow, view: ViewArrival) -> None:
    number = None if view.text is None else view.connection
    # A retained copy that comes again at a reconnect says nothing new.
    is_copy = view.is_retained and row.status == view.text and row.status_received_at is not None
    received_at = (row.status_received_at or "") if is_copy else view.received_at
    kiosk_rows.put_status(connection, row.id, view.text, number, received_at)


def _put_health(connection: Connection, row: KioskRow, view: ViewArrival) -> None:
    received_at: str | None = view.received_at
    if view.text is None:
        received_at = None
    elif view.is_retained:
        # Its age is unknown. It says no more than what is stored if it is the same message.
        received_at = row.health_received_at if row.health == view.text else None
    number = None if view.text is None else view.connection
    kiosk_rows.put_health(connection, row.id, view.text, number, received_at)


def _put_station(connection: Connection, kiosk_id: int, view: ViewArrival) -> None:
    if view.text is None:
        kiosk_rows.delete_station(connection, kiosk_id, view.station)
    else:
        kiosk_rows.put_station(
            connection, StationRow(kiosk_id, view.station, view.text, view.connection, view.received_at)
        )


# -- online ----------------------------------------------------------------------------------------------------------


class Reach(StrEnum):
    """Whether a kiosk can be reached."""

    ONLINE = "online"
    OFFLINE = "offline"
    FAILED = "failed"
    """Its start has failed; the status says why."""
    UNKNOWN = "unknown"
    """It has never said anything but events."""


class _StatusState(Struct):
    state: str
    connection: int = 0


_STATUS = Decoder(_StatusState)


def reach(row: KioskRow, now: datetime, offline_s: float) -> Reach:
    """Return whether a kiosk is online: by its `status`, and by how long ago `health` came last.

    A retained copy of `health` does not count, since its age is unknown: then the time of the status counts.
    """
    if row.status is None:
        return Reach.UNKNOWN
    try:
        state = _STATUS.decode(row.status).state
    except (DecodeError, ValueError, RecursionError):
        return Reach.UNKNOWN
    if state != Reach.ONLINE:
        return Reach.FAILED if state == Reach.FAILED else Reach.OFFLINE
    heard = max(row.health_received_at or "", row.status_received_at or "")
    return Reach.ONLINE if heard >= moment(now - timedelta(seconds=offline_s)) else Reach.OFFLINE


# -- what a kiosk says of its journal --------------------------------------------------------------------------------


class HealthClaim(NamedTuple):
    """What a kiosk says of its journal: its newest event, and up to where it takes its events as delivered."""

    kiosk: KioskName
    connection: int
    journal: str
    last: int
    acked: int


class _Uplink(Struct):
    last: str
    acked: str


class _Journal(Struct):
    id: str | None = None


class _Health(Struct):
    uplink: _Uplink
    journal: _Journal


_HEALTH = Decoder(_Health)


def claim_of(view: ViewArrival) -> HealthClaim | None:
    """Return what a `health` message says of the journal; None if it says nothing that can be read."""
    if view.text is None or view.kind is not ViewKind.HEALTH:
        return None
    try:
        health = _HEALTH.decode(view.text)
    except (DecodeError, ValueError, RecursionError):
        return None
    last, acked, journal = health.uplink.last, health.uplink.acked, health.journal.id
    if journal is None or len(journal) != 8 or not (journal.isascii() and journal.isprintable()):
        return None
    if not all(map(is_sequence, (last, acked))):
        return None
    return HealthClaim(view.kiosk, view.connection, journal, int(last), int(acked))


def is_sequence(text: str) -> bool:
    """Return whether a text is a sequence as kiosks write it: 12 digits."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def newest_claims(views: Iterable[ViewArrival]) -> list[HealthClaim]:
    """Return what each kiosk said last of its journal."""
    found: dict[KioskName, HealthClaim] = {}
    for view in views:
        claim = claim_of(view)
        if claim is not None:
            found[claim.kiosk] = claim
    return list(found.values())
