"""What several events do to the state: the small steps that the fold is made of."""

from collections.abc import Iterable
from typing import Any

from immutables import Map
from msgspec import Struct
from msgspec.structs import replace

from agent.contract.events import Event
from agent.contract.manifest import Manifest, same_case
from agent.workflow.state import Order, State

__all__ = [
    "At",
    "adopted",
    "at_station",
    "remove_ended",
    "set_label",
    "touched",
    "units_with",
    "units_without",
    "with_order",
]


Units = Map[str, tuple[str, ...]]


class At(Struct, frozen=True, kw_only=True):
    """Where an event stands: its sequence, that of the first event of its commit, its journal and position."""

    sequence: int
    scan: int
    journal: str
    position: int

    @staticmethod
    def in_commit(number: int, *, journal: str, position: int, sequence: int) -> "At":
        """Where a commit's event stands, counted from 0; `position` and `sequence` are those of its first."""
        return At(sequence=sequence + number, scan=sequence, journal=journal, position=position + number)


def at_station(state: State, event: Event, **changes: Any) -> State:
    """The state with the event's station changed; an event of no station changes none."""
    name = event.station
    if name is None:
        return state
    return replace(state, stations=state.stations.set(name, replace(state.station(name), **changes)))


def remove_ended(state: State, event: Event) -> dict[str, Any]:
    """The changes to a station at which REMOVE, if it is pending, is over, and its QTY with it."""
    is_pending = event.station is not None and state.station(event.station).remove
    return {"remove": False, "quantity": None} if is_pending else {}


def with_order(state: State, order: Order) -> State:
    return replace(state, orders=state.orders.set(order.id, order))


def touched(order: Order, at: At, **changes: Any) -> Order:
    return replace(order, first=order.first or at.position, last=at.position, **changes)


def units_with(units: Units, order: str, ids: Iterable[str]) -> Units:
    """The index of units, with these counted in an order."""
    for one in ids:
        holders = units.get(one, ())
        if order not in holders:
            units = units.set(one, (*holders, order))
    return units


def units_without(units: Units, order: str, ids: Iterable[str]) -> Units:
    """The index of units, with these no longer counted in an order."""
    for one in ids:
        left = tuple(holder for holder in units.get(one, ()) if holder != order)
        if left:
            units = units.set(one, left)
        elif one in units:
            units = units.delete(one)
    return units


def set_label(state: State, box: str, old: str | None, new: str | None) -> State:
    labels = state.labels
    if old is not None and labels.get(same_case(old)) == box:
        labels = labels.delete(same_case(old))
    if new is not None:
        labels = labels.set(same_case(new), box)
    return replace(state, labels=labels)


def adopted(state: State, order: Order | None, manifest: Manifest) -> Order:
    """The order, if it is known here, under a manifest; what is counted stays, products counted stay known."""
    forgotten = manifest.order in state.packed
    if order is None:
        revision = state.packed[manifest.order][0] if forgotten else None
        order = Order(manifest=manifest, packed=revision, forgotten=forgotten)
    known = order.known
    for line in order.manifest.lines:
        if order.scanned.get(line.id, 0):
            for code in (same_case(line.sku), *line.gtins):
                known = known.set(code, (line.sku, line.serialized))
    here = () if order.forgotten else tuple(state.journals)
    counted = [c for c in manifest.counted if not (here and c.box.startswith(here))]
    elsewhere: dict[str, int] = {}
    for entry in counted:
        elsewhere[entry.line] = elsewhere.get(entry.line, 0) + entry.quantity
    packed = order.packed
    if packed is not None and manifest.reopen and manifest.revision > packed:
        packed = None
    return replace(
        order,
        manifest=manifest,
        known=known,
        elsewhere=Map(elsewhere),
        total_scanned=sum(order.scanned.values()) + sum(elsewhere.values()),
        elsewhere_units=frozenset(same_case(unit) for entry in counted for unit in entry.units),
        packed=packed,
    )


def mode_shared(state: State, name: str | None) -> State:
    """With no box open, the flow that all lines share is the mode of the station, whatever it was before."""
    station = state.station(name or "")
    if name is None or station.order is None:
        return state
    order = state.orders[station.order]
    mode = order.manifest.single_flow
    if order.open_box is not None or mode is None or mode is station.mode:
        return state
    return replace(state, stations=state.stations.set(name, replace(station, mode=mode, product=None)))
