"""The state as JSON text and back, so that a start need not fold the whole journal. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from immutables import Map
from msgspec import Struct

from agent.contract.events import Kind, Unit
from agent.contract.manifest import Flow, Manifest, Role
from agent.workflow.entries import Entries, Entry
from agent.workflow.state import Box, BoxState, Hold, Order, Phase, State, Station

__all__ = ["FORMAT", "decode_state", "encode_state"]

FORMAT = 1


def encode_state(state: State) -> bytes:
    """JSON text from which `decode_state` makes an equal state."""
    document = {
        "format": FORMAT,
        "stations": {name: _plain(station) for name, station in state.stations.items()},
        "orders": [_order(order) for order in state.orders.values()],
        "packed": dict(state.packed),
        "units": {key: list(orders) for key, orders in state.units.items()},
        "labels": dict(state.labels),
        "verdicts": dict(state.verdicts),
        "barred": {key: list(verdicts) for key, verdicts in state.barred.items()},
        "box_number": state.box_number,
        "journals": sorted(state.journals),
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(record: Struct) -> dict[str, Any]:
    """The fields of a flat record, without those at their defaults."""
    names = record.__struct_fields__
    defaults = (*[None] * (len(names) - len(record.__struct_defaults__)), *record.__struct_defaults__)
    values = ((name, getattr(record, name), default) for name, default in zip(names, defaults, strict=True))
    return {name: value for name, value, default in values if value is not None and value != default}


def _order(order: Order) -> dict[str, Any]:
    return {
        "manifest": order.manifest.source,
        "assigned": {role.value: operator for role, operator in order.assigned.items()},
        "boxes": [_box(box) for box in order.boxes.values()],
        "confirmed": order.confirmed,
        "open_box": order.open_box,
        "counted": dict(order.counted),
        "scanned": dict(order.scanned),
        "elsewhere": dict(order.elsewhere),
        "elsewhere_units": sorted(order.elsewhere_units),
        "known": dict(order.known),
        "holds": {verdict: [hold.unit, hold.reason] for verdict, hold in order.holds.items()},
        "packed": order.packed,
        "forgotten": order.forgotten,
        "first": order.first,
        "last": order.last,
    }


def _box(box: Box) -> dict[str, Any]:
    entries = [
        [e.sequence, e.scan, e.line, e.sku, None if e.unit is None else [e.unit.scheme, e.unit.id, *e.unit.aliases],
         e.quantity]
        for e in box.entries
    ]  # fmt: skip
    return {**_plain(box), "mode": box.mode.value, "entries": entries}


def decode_state(text: bytes, manifest_of: Callable[[str], Manifest]) -> State:
    """The state of a snapshot. Raises ValueError, KeyError or TypeError when it is not one of this format."""
    document: Mapping[str, Any] = json.loads(text)
    if document["format"] != FORMAT:
        raise ValueError(f"the snapshot has format {document['format']}, this version reads {FORMAT}")
    orders = [_read_order(raw, manifest_of) for raw in document["orders"]]
    return State(
        stations=Map({name: _read_station(raw) for name, raw in document["stations"].items()}),
        orders=Map({order.id: order for order in orders}),
        packed=Map({order: (at[0], at[1]) for order, at in document["packed"].items()}),
        units=Map({key: tuple(value) for key, value in document["units"].items()}),
        labels=Map(document["labels"]),
        verdicts=Map(document["verdicts"]),
        barred=Map({key: tuple(value) for key, value in document["barred"].items()}),
        box_number=document["box_number"],
        journals=frozenset(document["journals"]),
    )


def _read_station(raw: Mapping[str, Any]) -> Station:
    read: dict[str, Callable[[str], Any]] = {"phase": Phase, "resume": Phase, "mode": Flow, "kind": Kind}
    return Station(**{name: read[name](value) if name in read else value for name, value in raw.items()})


def _read_order(raw: Mapping[str, Any], manifest_of: Callable[[str], Manifest]) -> Order:
    boxes = [_read_box(box) for box in raw["boxes"]]
    scanned, elsewhere = raw["scanned"], raw["elsewhere"]
    return Order(
        manifest=manifest_of(raw["manifest"]),
        assigned=Map({Role(role): operator for role, operator in raw["assigned"].items()}),
        boxes=Map({box.id: box for box in boxes}),
        confirmed=tuple(raw["confirmed"]),
        open_box=raw["open_box"],
        counted=Map(raw["counted"]),
        scanned=Map(scanned),
        elsewhere=Map(elsewhere),
        total_scanned=sum(scanned.values()) + sum(elsewhere.values()),
        elsewhere_units=frozenset(raw["elsewhere_units"]),
        known=Map({code: (known[0], known[1]) for code, known in raw["known"].items()}),
        holds=Map({verdict: Hold(unit=hold[0], reason=hold[1]) for verdict, hold in raw["holds"].items()}),
        packed=raw["packed"],
        forgotten=raw["forgotten"],
        first=raw["first"],
        last=raw["last"],
    )


def _read_box(raw: Mapping[str, Any]) -> Box:
    entries = Entries.of(
        Entry(
            sequence=sequence,
            scan=scan,
            line=line,
            sku=sku,
            unit=None if unit is None else Unit(scheme=unit[0], id=unit[1], aliases=tuple(unit[2:])),
            quantity=quantity,
        )
        for sequence, scan, line, sku, unit, quantity in raw["entries"]
    )
    values = {**raw, "mode": Flow(raw["mode"]), "state": BoxState(raw.get("state", "open")), "entries": entries}
    return Box(**values)
