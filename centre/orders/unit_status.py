"""Where a device is, and what happened to it. `unit_resource` is pure; `read_unit` reads the rows for it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from agent.contract.manifest import unit_forms, unit_key
from centre.store.unit_rows import UnitEvent, UnitMark, UnitPlace, places_of_units, unit_events, unit_marks
from centre.unreadable import UNREADABLE

__all__ = ["HISTORY", "UnitState", "keys_of", "read_unit", "unit_resource"]

UnitState: TypeAlias = Literal["counted", "packed", "voided", "held", "returned", "unknown"]

HISTORY = 1000
"""How many events are shown: the newest ones."""

_COUNTED = "kiosk.scan.accepted.v1"
_HELD = "kiosk.order.held.v1"
_RELEASED = "kiosk.order.released.v1"


class _Unit(Struct):
    id: str = ""
    aliases: tuple[str, ...] = ()


class _Data(Struct):
    order: str | None = None
    box: str | None = None
    unit: _Unit | str | None = None
    reason: str | None = None


class _Document(Struct):
    data: _Data
    station: str | None = None
    operator: str | None = None


_decoder = msgspec.json.Decoder(_Document)


def keys_of(identifiers: Iterable[str]) -> set[str]:
    """Return all keys under which a device with one of these identifiers may be stored."""
    return {form for identifier in identifiers for form in unit_forms(unit_key(identifier))}


def read_unit(connection: Connection, identifier: str) -> dict[str, Any]:
    """Return the resource of a device. Any of the identifiers that its events name finds it."""
    keys = keys_of([identifier])
    history = unit_events(connection, keys, limit=HISTORY)
    wider = keys_of(_identifiers(history)) | keys
    if wider != keys:
        history = unit_events(connection, wider, limit=HISTORY)
    return unit_resource(identifier, places_of_units(connection, wider), history, unit_marks(connection, wider))


def unit_resource(
    identifier: str, places: Sequence[UnitPlace], history: Sequence[UnitEvent], marks: Sequence[UnitMark]
) -> dict[str, Any]:
    """Return the resource. All lists are sorted, oldest first."""
    documents = [(event, _read(event)) for event in history]
    place = places[-1] if places else None
    last = next((document for event, document in reversed(documents) if event.type != _HELD), None)
    return {
        "unit": identifier,
        "identifiers": sorted({identifier, *_identifiers(history)}),
        "state": _state(places, history, marks),
        "order": place.order_name if place is not None else last.data.order if last is not None else None,
        "box": place.box if place is not None else None,
        "places": [
            {
                "order": one.order_name,
                "line": one.line,
                "sku": one.sku,
                "box": one.box,
                "site": one.site,
                "kiosk": one.kiosk,
            }
            for one in places
        ],
        "returned": [{"at": mark.at, "by": mark.by} for mark in marks if mark.mark == "returned"],
        "history": [
            {
                "position": event.position,
                "type": event.type,
                "time": event.time,
                "site": event.site,
                "kiosk": event.kiosk,
                "station": document.station,
                "operator": document.operator,
                "order": document.data.order,
                "box": document.data.box,
                "reason": document.data.reason,
            }
            for event, document in documents
        ],
    }


def _read(event: UnitEvent) -> _Document:
    try:
        return _decoder.decode(event.document)
    except UNREADABLE:
        return _Document(data=_Data())  # of a newer kiosk


def _identifiers(history: Iterable[UnitEvent]) -> Collection[str]:
    """Return the identifiers of the device that scans name. A verdict may name another one of the same order."""
    found: dict[str, None] = {}
    for event in history:
        unit = _read(event).data.unit
        if isinstance(unit, _Unit):
            found.update(dict.fromkeys((unit.id, *unit.aliases)))
    return list(found)


def _state(places: Sequence[UnitPlace], history: Sequence[UnitEvent], marks: Sequence[UnitMark]) -> UnitState:
    counted_at = max((event.position for event in history if event.type == _COUNTED), default=0)
    if any(mark.mark == "returned" and mark.position >= counted_at for mark in marks):
        return "returned"
    holds = [event.type for event in history if event.type in (_HELD, _RELEASED)]
    if holds and holds[-1] == _HELD:
        return "held"
    if places:
        return "packed" if places[-1].order_status == "packed" else "counted"
    return "voided" if counted_at else "unknown"
