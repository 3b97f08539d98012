"""The resource of a kiosk, made of what it says of itself and of the events that are stored. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from centre.ingest.kiosk_views import is_sequence, reach
from centre.store.kiosk_rows import KioskJournal, KioskRow, StationRow

__all__ = ["kiosk_resource"]


def kiosk_resource(
    row: KioskRow,
    journals: Sequence[KioskJournal],
    stations: Sequence[StationRow],
    *,
    now: datetime,
    offline_s: float,
) -> dict[str, Any]:
    """Return the resource. `journals` are the kiosk's own, newest first."""
    status, health = _document(row.status), _document(row.health)
    current = _current(status, journals)
    return {
        "site": row.site,
        "kiosk": row.name,
        "state": _state(row, now, offline_s),
        "version": _text(status, "version"),
        "journal": _text(status, "journal") or (current.journal if current is not None else None),
        "through": None if current is None else _sequence(current.through),
        "backlog": _backlog(health, current),
        "holes": [hole for journal in journals for hole in _holes(journal)],
        "journals": [
            {
                "journal": journal.journal,
                "branch": journal.branch,
                "through": _sequence(journal.through),
                "highest": _sequence(journal.highest),
                "holes": _holes(journal),
                "first_event_at": journal.first_event_at,
                "last_event_at": journal.last_event_at,
            }
            for journal in journals
        ],
        "stations": [
            {"station": station.name, "received_at": station.received_at, "view": _document(station.view)}
            for station in stations
        ],
        "status": status,
        "health": health,
        "health_received_at": row.health_received_at,
        "written_off_at": row.written_off_at,
        "retired_at": row.retired_at,
    }


def _state(row: KioskRow, now: datetime, offline_s: float) -> str:
    if row.retired_at is not None:
        return "retired"
    if row.written_off_at is not None:
        return "written_off"
    return str(reach(row, now, offline_s))


def _current(status: Mapping[str, Any] | None, journals: Sequence[KioskJournal]) -> KioskJournal | None:
    """Return the journal that the kiosk writes; if its status does not say which, the one it wrote last."""
    named = _text(status, "journal")
    first_branches = [journal for journal in journals if journal.branch == 0] or journals
    if named is None:
        return first_branches[0] if first_branches else None
    return next((journal for journal in first_branches if journal.journal == named), None)


def _backlog(health: Mapping[str, Any] | None, current: KioskJournal | None) -> int | None:
    """Return how many events wait at the kiosk: as it said last, less what has been stored since."""
    uplink = _inner(health, "uplink")
    backlog = _number(uplink, "backlog")
    last, acked = _text(uplink, "last"), _text(uplink, "acked")
    if backlog is None or current is None or _text(_inner(health, "journal"), "id") != current.journal:
        return backlog
    if last is None or acked is None or not (is_sequence(last) and is_sequence(acked)):
        return backlog
    return max(0, backlog - max(0, min(current.through, int(last)) - int(acked)))


def _holes(journal: KioskJournal) -> list[dict[str, str]]:
    return [{"first": _sequence(first), "last": _sequence(last)} for first, last in journal.holes]


def _sequence(number: int) -> str:
    return f"{number:012}"


# A newer kiosk's messages may have any form: of those, only what is as expected is shown.


def _document(text: str | None) -> dict[str, Any] | None:
    try:
        value = None if text is None else from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _text(document: Mapping[str, Any] | None, name: str) -> str | None:
    value = (document or {}).get(name)
    return value if isinstance(value, str) else None


def _number(document: Mapping[str, Any], name: str) -> int | None:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _inner(document: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    value = (document or {}).get(name)
    return value if isinstance(value, dict) else {}
