"""The state as JSON text and back, so that a start need not fold the whole journal. Pure.

The structs below are the stored format, which msgspec writes and reads. Code below converts what the state holds in
another form: it has parsed manifests where the format has their text, boxes and orders by id where the format has
lists, and totals, which the format leaves out. The format does not change by a byte, because journals hold it.
"""

from collections.abc import Callable
from types import GenericAlias
from typing import Any, TypeVar, get_args

from immutables import Map
from msgspec import Struct, convert
from msgspec.json import Encoder, decode
from msgspec.structs import asdict

from agent.contract.counted import CountedBox
from agent.contract.events import Unit
from agent.contract.identifiers import Scheme
from agent.contract.manifest import Flow, Manifest, Role, same_case, unit_key
from agent.workflow.state import Box, BoxState, Entry, Hold, Order, State, StationState

__all__ = ["FORMAT", "decode_state", "encode_state"]

FORMAT = 1

_SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
_DECIMAL_MEID = (18, 19)
"""How long an MEID in decimal is, with and without `S` in front."""


class _StoredFormat(Struct):
    format: int


class _StoredEntry(Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    sequence: int
    scan: int
    line: str
    sku: str
    unit: tuple[str, ...] | None
    """Scheme, id and aliases."""
    quantity: int


class _StoredBox(Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    id: str
    mode: Flow
    entries: tuple[_StoredEntry, ...]
    state: BoxState = BoxState.OPEN
    dissolves: bool = False
    size: str | None = None
    label: str | None = None
    units: int = 0
    bytes: int = 0


class _StoredOrder(Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    manifest: str
    """The JSON text of the manifest."""
    assigned: Map[Role, str]
    boxes: tuple[_StoredBox, ...]
    confirmed: tuple[str, ...]
    open_box: str | None
    counted: Map[str, str]
    scanned: Map[str, int]
    elsewhere: Map[str, int]
    elsewhere_units: list[str]
    known: Map[str, tuple[str, bool]]
    holds: Map[str, Hold]
    packed: int | None
    forgotten: bool
    first: int
    last: int
    counted_boxes: tuple[CountedBox, ...] = ()


class _StoredState(Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    format: int
    stations: Map[str, StationState]
    orders: list[_StoredOrder]
    packed: Map[str, tuple[int, int]]
    units: Map[str, tuple[str, ...]]
    labels: Map[str, str]
    verdicts: Map[str, int]
    barred: Map[str, tuple[str, ...]]
    box_number: int
    journals: list[str]
    older_verdicts: Map[str, int] | None = None


def _encode_map(value: Any) -> Any:
    if isinstance(value, Map):
        return dict(value)
    raise NotImplementedError(f"a snapshot holds no {type(value).__name__}")


def _decode_map(kind: Any, value: Any) -> Any:
    return Map(convert(value, GenericAlias(dict, get_args(kind))))


_encode = Encoder(enc_hook=_encode_map).encode


# -- out ---------------------------------------------------------------------------------------------------------


def encode_state(state: State) -> bytes:
    """Return JSON text from which `decode_state` makes an equal state."""
    values = asdict(state)
    values["orders"] = [_stored_order(order) for order in state.orders.values()]
    values["journals"] = sorted(state.journals)
    values["older_verdicts"] = state.older_verdicts or None
    return _encode(_StoredState(format=FORMAT, **values))


def _stored_order(order: Order) -> _StoredOrder:
    values = asdict(order)
    del values["total_scanned"]
    values["manifest"] = order.manifest.source
    values["boxes"] = tuple(map(_stored_box, order.boxes.values()))
    values["elsewhere_units"] = sorted(order.elsewhere_units)
    values["counted_boxes"] = tuple(order.counted_boxes.values())
    return _StoredOrder(**values)


def _stored_box(box: Box) -> _StoredBox:
    return _StoredBox(**{**asdict(box), "entries": tuple(map(_stored_entry, box.entries))})


def _stored_entry(entry: Entry) -> _StoredEntry:
    unit = entry.unit
    device = None if unit is None else (unit.scheme, unit.id, *unit.aliases)
    return _StoredEntry(**{**asdict(entry), "unit": device})


# -- in ----------------------------------------------------------------------------------------------------------


def decode_state(text: bytes, manifest_of: Callable[[str], Manifest]) -> State:
    """Return the state of a snapshot. `manifest_of` parses the text of a manifest.

    Raise ValueError if the text is not a snapshot of this format.
    """
    found = decode(text, type=_StoredFormat).format
    if found != FORMAT:
        raise ValueError(f"its state has format {found}; this program understands format {FORMAT}")
    stored = decode(text, type=_StoredState, dec_hook=_decode_map)
    values = asdict(stored)
    del values["format"]
    orders = [_order(order, manifest_of) for order in stored.orders]
    values["orders"] = Map({order.id: order for order in orders})
    values["journals"] = frozenset(stored.journals)
    values["older_verdicts"] = stored.older_verdicts or Map()
    values["units"] = _with_keys(stored.units, unit_key)
    values["barred"] = _with_keys(stored.barred, unit_key)
    return State(**values)


V = TypeVar("V")


def _with_keys(stored: Map[str, V], form: Callable[[str], str]) -> Map[str, V]:
    """Return a map with its keys in the form in which they are compared now.

    Version 0.1 had MEIDs as they were read, and text in the Unicode form in which it came.
    """
    if all(key.isascii() and len(key) not in _DECIMAL_MEID for key in stored):
        return stored
    return Map({form(key): value for key, value in stored.items()})


def _order(stored: _StoredOrder, manifest_of: Callable[[str], Manifest]) -> Order:
    values = asdict(stored)
    values["manifest"] = manifest_of(stored.manifest)
    values["boxes"] = Map({box.id: _box(box) for box in stored.boxes})
    values["elsewhere_units"] = frozenset(map(unit_key, stored.elsewhere_units))
    values["counted_boxes"] = Map({box.box: box for box in stored.counted_boxes})
    values["counted"] = _with_keys(stored.counted, unit_key)
    values["known"] = _with_keys(stored.known, same_case)
    values["holds"] = Map({verdict: _hold(hold) for verdict, hold in stored.holds.items()})
    values["total_scanned"] = sum(stored.scanned.values()) + sum(stored.elsewhere.values())
    return Order(**values)


def _hold(stored: Hold) -> Hold:
    return stored if stored.unit is None else Hold(unit=unit_key(stored.unit), reason=stored.reason)


def _box(stored: _StoredBox) -> Box:
    return Box(**{**asdict(stored), "entries": tuple(map(_entry, stored.entries))})


def _entry(stored: _StoredEntry) -> Entry:
    unit = stored.unit
    device = None if unit is None else Unit(scheme=_scheme(unit[0]), id=unit[1], aliases=unit[2:])
    return Entry(**{**asdict(stored), "unit": device})


def _scheme(text: str) -> Scheme:
    for one in _SCHEMES:
        if one == text:
            return one
    raise ValueError(f"the scheme {text!r} of a unit is unknown")
