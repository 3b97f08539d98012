"""Changes to the state that several events have in common."""

from collections.abc import Iterable
from typing import Any

from immutables import Map
from msgspec import Struct
from msgspec.structs import replace

from agent.contract.events import Event
from agent.contract.manifest import Manifest, same_case, unit_key
from agent.workflow.state import Order, State

__all__ = [
    "EventPosition",
    "adopted",
    "at_station",
    "remove_ended",
    "set_label",
    "touched",
    "units_with",
    "units_without",
    "with_elsewhere",
    "with_order",
    "with_shared_mode",
]


UnitIndex = Map[str, tuple[str, ...]]
"""`State.units`: orders by the identifiers of the devices counted in them."""


class EventPosition(Struct, frozen=True, kw_only=True):
    """The place of an event in the journal."""

    sequence: int
    scan: int
    """The sequence number of the first event of the same commit."""
    journal: str
    position: int

    @staticmethod
    def in_commit(number: int, *, journal: str, position: int, sequence: int) -> "EventPosition":
        """Return where event `number` of a commit stands, counted from 0.

        `position` and `sequence` are those of the commit's first event.
        """
        return EventPosition(sequence=sequence + number, scan=sequence, journal=journal, position=position + number)


# -- stations ----------------------------------------------------------------------------------------------------


def at_station(state: State, event: Event, **changes: Any) -> State:
    """Change the event's station. An event without a station changes nothing."""
    name = event.station
    if name is None:
        return state
    return replace(state, stations=state.stations.set(name, replace(state.station(name), **changes)))


def remove_ended(state: State, event: Event) -> dict[str, Any]:
    """Return the changes that end a pending REMOVE, and its QTY, at the event's station
    (`workflow.md#end-of-remove`).
    """
    is_pending = event.station is not None and state.station(event.station).remove
    return {"remove": False, "quantity": None} if is_pending else {}


def with_shared_mode(state: State, name: str | None) -> State:
    """Make the flow that all lines share the station's mode, unless a box is open (`workflow.md#choose-a-mode`)."""
    station = state.station(name or "")
    if name is None or station.order is None:
        return state
    order = state.orders[station.order]
    mode = order.manifest.single_flow
    if order.open_box is not None or mode is None or mode is station.mode:
        return state
    return replace(state, stations=state.stations.set(name, replace(station, mode=mode, product=None)))


# -- orders ------------------------------------------------------------------------------------------------------


def with_order(state: State, order: Order) -> State:
    return replace(state, orders=state.orders.set(order.id, order))


def touched(order: Order, at: EventPosition, **changes: Any) -> Order:
    """Change an order by an event at this position."""
    return replace(order, first=order.first or at.position, last=at.position, **changes)


def adopted(state: State, order: Order | None, manifest: Manifest) -> Order:
    """Return an order under a manifest (`workflow.md#manifest-revisions`); `order` is None if it is new here.

    What is counted stays, and products that are counted stay known. Entries of `counted` that this kiosk made itself
    are ignored. A packed order is opened again only if it was packed at a revision lower than the manifest's `reopen`
    (`workflow.md#packed-orders-stay-closed`).
    """
    if order is None:
        forgotten = manifest.order in state.packed
        revision = state.packed[manifest.order][0] if forgotten else None
        order = Order(manifest=manifest, packed=revision, forgotten=forgotten)
    known = order.known
    for line in order.manifest.lines:
        if order.scanned.get(line.id, 0):
            for code in (same_case(line.sku), *line.gtins):
                known = known.set(code, (line.sku, line.serialized))
    packed = order.packed
    if packed is not None and packed < manifest.reopen:
        packed = None
    return with_elsewhere(state, replace(order, manifest=manifest, known=known, packed=packed))


def with_elsewhere(state: State, order: Order) -> Order:
    """Work out what is counted at other kiosks (`workflow.md#counted-at-another-kiosk`).

    If the manifest's `counted` and the centre's parts name the same box, the parts are used.
    """
    # If the boxes of an earlier packing were dropped here, they are counted as the centre names them.
    here = () if order.forgotten else tuple(state.journals)
    counted = [
        (one.line, one.quantity, one.units)
        for one in order.manifest.counted
        if one.box not in order.counted_boxes and not (here and one.box.startswith(here))
    ]
    for box in order.counted_boxes.values():
        counted += [(content.line, content.quantity, content.units) for content in box.contents]
    elsewhere: dict[str, int] = {}
    for line, quantity, _ in counted:
        elsewhere[line] = elsewhere.get(line, 0) + quantity
    return replace(
        order,
        elsewhere=Map(elsewhere),
        total_scanned=sum(order.scanned.values()) + sum(elsewhere.values()),
        elsewhere_units=frozenset(unit_key(unit) for _, _, units in counted for unit in units),
    )


# -- indexes -----------------------------------------------------------------------------------------------------


def units_with(units: UnitIndex, order: str, ids: Iterable[str]) -> UnitIndex:
    """Add an order to the index, under these identifiers."""
    for one in ids:
        holders = units.get(one, ())
        if order not in holders:
            units = units.set(one, (*holders, order))
    return units


def units_without(units: UnitIndex, order: str, ids: Iterable[str]) -> UnitIndex:
    """Take an order out of the index, under these identifiers."""
    for one in ids:
        left = tuple(holder for holder in units.get(one, ()) if holder != order)
        if left:
            units = units.set(one, left)
        elif one in units:
            units = units.delete(one)
    return units


def set_label(state: State, box: str, old: str | None, new: str | None) -> State:
    """Replace the label of a box in the index. A label that another box has taken over since is left alone."""
    labels = state.labels
    if old is not None and labels.get(same_case(old)) == box:
        labels = labels.delete(same_case(old))
    if new is not None:
        labels = labels.set(same_case(new), box)
    return replace(state, labels=labels)
