"""What happened, told from events: one entry each, in words. Pure.

An event of a newer kiosk, whose type stands in no table here, is shown by its type.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from centre.store.story_rows import StoryRow
from centre.web.board.naming import Naming
from centre.web.board.plain_words import plural, reason_words, seen_words

__all__ = ["StoryEntry", "story_entry"]

_Data = Mapping[str, Any]

_MAX_TEXT = 300
RECEIPT = "time of receipt"
"""Of an event whose kiosk's clock was not set."""


class StoryEntry(Struct, frozen=True, kw_only=True):
    """One line of a history."""

    time: str
    tone: str
    icon: str
    title: str
    text: str
    order: str | None
    box: str | None
    place: str
    operator: str | None
    note: str | None


class _Told(Struct, frozen=True):
    title: str
    text: str = ""
    tone: str = "idle"
    icon: str = "ready"


class _Document(Struct):
    station: str | None = None
    operator: str | None = None
    clocksynced: bool = True
    data: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(_Document)


def story_entry(row: StoryRow, naming: Naming, *, with_order: bool = False) -> StoryEntry:
    """Return what an event says. `with_order`: whether the entry also names its order."""
    told: _Told | None
    try:
        document = _decoder.decode(row.document)
        told = _TELLERS.get(_short(row.type), _unknown)(document.data) if row.state != "not_understood" else None
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        document, told = _Document(), None
    if not row.document:
        told = _Told(_short(row.type).replace(".", " ").replace("_", " ").capitalize(), "its details are deleted")
    elif told is None:
        told = _Told("Not understood", row.type, "warn", "warning")
    box, order = document.data.get("box"), document.data.get("order")
    return StoryEntry(
        time=row.time,
        tone=told.tone,
        icon=told.icon,
        title=told.title,
        text=told.text if len(told.text) <= _MAX_TEXT else told.text[:_MAX_TEXT] + "…",
        order=order if with_order and isinstance(order, str) else None,
        box=box if isinstance(box, str) else None,
        place=naming.bench(row.site, row.kiosk, document.station),
        operator=None if _short(row.type) in _OF_THE_CENTRE else naming.operator(row.site, document.operator),
        note=_note(row, document),
    )


def _note(row: StoryRow, document: _Document) -> str | None:
    if row.state == "waiting":
        return "waits for earlier events"
    return None if document.clocksynced else RECEIPT


def _short(type: str) -> str:
    return type.removeprefix("kiosk.").removesuffix(".v1")


# -- words for each type ---------------------------------------------------------------------------------------------


def _unknown(data: _Data) -> _Told | None:
    return None


def _what(data: _Data) -> str:
    """Return the unit, or how many of which product."""
    unit = data.get("unit")
    if isinstance(unit, dict):
        return str(unit["id"])
    return f"{data.get('quantity', 1)} × {data.get('sku', '?')}"


def _contents(data: _Data) -> str:
    pieces = sum(content["quantity"] for content in data.get("contents", ()))
    return plural(pieces, "piece")


def _size(data: _Data) -> str:
    size = data.get("size")
    code = size["code"] if isinstance(size, dict) else size
    label = data.get("label")
    return ", ".join(part for part in (f"size {code}" if code else "", f"label {label}" if label else "") if part)


def _confirmed(data: _Data) -> _Told:
    size = _size(data)
    return _Told("Box confirmed", _contents(data) + (f", {size}" if size else ""), "go", "box")


def _rejected(data: _Data) -> _Told:
    count = data.get("count", 1)
    times = f", {count} times" if count > 1 else ""
    seen = f", it is {seen_words(data['seen'])}" if data.get("seen") else ""
    return _Told("Refused", f"{data['code']}: {reason_words(data['reason'])}{seen}{times}", "warn", "refused")


def _packing_refused(data: _Data) -> _Told:
    wrong = [line for line in data.get("lines", ()) if line["ordered"] != line["scanned"]]
    lines = ", ".join(f"line {line['line']} has {line['scanned']} of {line['ordered']}" for line in wrong[:5])
    return _Told("Packing refused", lines or "ordered and scanned differ", "warn", "refused")


def _held(data: _Data) -> _Told:
    what = data.get("unit") or "the whole order"
    why = f": {data['reason']}" if data.get("reason") else ""
    return _Told("Held", f"{what}{why}", "stop", "held")


_OUTCOMES = {
    "unit_removed": "the unit was taken out",
    "released": "the centre released it",
    "not_here": "the unit was not in the order",
    "already_packed": "the order was packed already",
}


def _released(data: _Data) -> _Told:
    what = data.get("unit") or "the whole order"
    return _Told("Hold ended", f"{what}: {_OUTCOMES.get(data['outcome'], data['outcome'])}", "wait", "ok")


def _revised(data: _Data) -> _Told:
    misfits = data.get("misfits", ())
    tone = "warn" if misfits or data["status"] in ("cancelled", "withdrawn") else "idle"
    over = f", {plural(len(misfits), 'line has', 'lines have')} more counted than ordered" if misfits else ""
    return _Told("Manifest taken", f"revision {data['revision']}, {data['status']}{over}", tone)


def _counted(data: _Data) -> _Told:
    added, removed = len(data.get("added", ())), len(data.get("removed", ()))
    return _Told("Told of other kiosks' boxes", f"{plural(added, 'box', 'boxes')} new or changed, {removed} gone")


_OF_THE_CENTRE = frozenset(("order.held", "order.released", "order.revised", "order.counted"))
"""Events that a message of the centre causes, not the operator who is signed in."""

_SELECTED = {"product": "product", "quantity": "quantity", "remove": "take out the next", "none": "nothing any longer"}


def _selected(data: _Data) -> _Told:
    what = _SELECTED.get(str(data["what"]), str(data["what"]))
    return _Told("Selected", f"{what} {data['value']}" if data.get("value") else what)


_TELLERS: Mapping[str, Callable[[_Data], _Told | None]] = {
    "operator.signed_in": lambda data: _Told("Signed in", f"by {data['cause']}", icon="person"),
    "operator.signed_out": lambda data: _Told("Signed out", f"by {data['cause']}", icon="person"),
    "order.opened": lambda data: _Told("Opened", f"revision {data['revision']}", "wait", "scan"),
    "order.left": lambda data: _Told("Put down"),
    "order.role_asked": lambda data: _Told("Role asked", str(data.get("role") or "dropped"), icon="person"),
    "order.assigned": lambda data: _Told("Assigned", data["role"], icon="person"),
    "order.mode_chosen": lambda data: _Told("Mode chosen", data["mode"]),
    "order.kind_chosen": lambda data: _Told("Kind chosen", data["kind"]),
    "order.packing_started": lambda data: _Told("Packing started", "", "wait", "pack"),
    "order.packing_left": lambda data: _Told("Back to scanning", "", "idle", "scan"),
    "order.packing_refused": _packing_refused,
    "order.packing_confirmed": lambda data: _Told("Packed", "", "go", "pack"),
    "order.revised": _revised,
    "order.counted": _counted,
    "order.held": _held,
    "order.released": _released,
    "scan.selected": _selected,
    "scan.accepted": lambda data: _Told("Counted", _what(data), "go", "ok"),
    "scan.rejected": _rejected,
    "scan.voided": lambda data: _Told("Taken out", _what(data), "warn", "removed"),
    "box.created": lambda data: _Told("Box created", _contents(data), "wait", "box"),
    "box.reopened": lambda data: _Told("Box reopened", _contents(data), "warn", "box"),
    "box.voided": lambda data: _Told("Box dissolved", "", "warn", "box"),
    "box.sized": lambda data: _Told("Box sized", _size(data), "idle", "box"),
    "box.confirmed": _confirmed,
    "event.undeliverable": lambda data: _Told("Undeliverable", f"{data['type']}: {data['reason']}", "warn", "warning"),
}
