"""The fold: what each event makes of the state. Replaying a journal and taking a scan go through this one door.

`fold` holds no rules: an event says what has happened, whether or not today's rules would allow it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from immutables import Map

from agent.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    KindChosen,
    ModeChosen,
    OrderLeft,
    OrderOpened,
    OrderRevised,
    Outcome,
    PackingConfirmed,
    PackingLeft,
    PackingStarted,
    Rejected,
    Released,
    Reopened,
    RoleAsked,
    RoleAssigned,
    Selected,
    SignedIn,
    SignedOut,
    Unit,
    Voided,
    What,
)
from agent.reference.manifest import Manifest, same_case
from agent.workflow.state import Box, BoxState, Entry, Hold, Order, Phase, State, Station, changed, ids_of

__all__ = ["At", "adopted", "fold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where an event stands: its sequence, that of the first event of its commit, its journal and position.

    `manifest_of` parses the manifest text that some events carry.
    """

    sequence: int
    scan: int
    journal: str
    position: int
    manifest_of: Callable[[str], Manifest]


def fold(state: State, event: Event, at: At) -> State:
    """The state after `event`. Pure; an event of a type without effect leaves the state as it is."""
    if at.journal not in state.journals:
        state = changed(state, journals=state.journals | {at.journal})
    handler = _FOLDS.get(type(event))
    if handler is not None:
        state = handler(state, event, at)
    return state


# -- small steps -------------------------------------------------------------------------------------------------


def _at_station(state: State, event: Event, **changes: Any) -> State:
    """The state with the event's station changed; an event of no station changes none."""
    name = event.station
    if name is None:
        return state
    return changed(state, stations=state.stations.set(name, changed(state.station(name), **changes)))


def _remove_ended(state: State, event: Event) -> dict[str, Any]:
    """The changes to a station at which REMOVE, if it is pending, is over, and its QTY with it."""
    is_pending = event.station is not None and state.station(event.station).remove
    return {"remove": False, "quantity": None} if is_pending else {}


def _with_order(state: State, order: Order) -> State:
    return changed(state, orders=state.orders.set(order.id, order))


def _touched(order: Order, at: At, **changes: Any) -> Order:
    return changed(order, first=order.first or at.position, last=at.position, **changes)


def _index_units(state: State, order: str, ids: Iterable[str]) -> State:
    units = state.units
    for one in ids:
        holders = units.get(one, ())
        if order not in holders:
            units = units.set(one, (*holders, order))
    return changed(state, units=units)


def _unindex_units(state: State, order: str, ids: Iterable[str]) -> State:
    units = state.units
    for one in ids:
        left = tuple(holder for holder in units.get(one, ()) if holder != order)
        if left:
            units = units.set(one, left)
        elif one in units:
            units = units.delete(one)
    return changed(state, units=units)


def _set_label(state: State, box: str, old: str | None, new: str | None) -> State:
    labels = state.labels
    if old is not None and labels.get(same_case(old)) == box:
        labels = labels.delete(same_case(old))
    if new is not None:
        labels = labels.set(same_case(new), box)
    return changed(state, labels=labels)


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
    return changed(
        order,
        manifest=manifest,
        known=known,
        elsewhere=Map(elsewhere),
        elsewhere_units=frozenset(same_case(unit) for entry in counted for unit in entry.units),
        packed=packed,
    )


# -- operators ---------------------------------------------------------------------------------------------------


def _signed_in(state: State, event: SignedIn, at: At) -> State:
    return _at_station(state, event, operator=event.operator)


def _signed_out(state: State, event: SignedOut, at: At) -> State:
    station = state.station(event.station or "")
    phase = station.resume if station.phase is Phase.ASSIGNING else station.phase
    return _at_station(state, event, operator=None, phase=phase, role=None, quantity=None, remove=False)


# -- orders ------------------------------------------------------------------------------------------------------


def _opened(state: State, event: OrderOpened, at: At) -> State:
    order = state.orders.get(event.order)
    if event.manifest is not None:
        order = adopted(state, order, at.manifest_of(event.manifest))
        state = _with_order(state, order)
        if event.order in state.packed:
            state = changed(state, packed=state.packed.delete(event.order))
    if order is None:
        raise ValueError(f"order {event.order} was opened without a manifest")
    box = order.box
    boxing = box is not None and box.state is BoxState.CREATED
    opened = Station(
        operator=state.station(event.station or "").operator,
        order=event.order,
        phase=Phase.BOXING if boxing else Phase.SCANNING,
        mode=event.mode,
    )
    if event.station is None:
        return state
    return changed(state, stations=state.stations.set(event.station, opened))


def _left(state: State, event: OrderLeft, at: At) -> State:
    order = state.orders.get(event.order)
    if order is not None and not (
        order.boxes or order.assigned or order.holds or order.forgotten or order.packed is not None
    ):
        state = changed(state, orders=state.orders.delete(event.order))
    return _leave(state, event)


def _leave(state: State, event: Event) -> State:
    if event.station is None:
        return state
    fresh = Station(operator=state.station(event.station).operator)
    return changed(state, stations=state.stations.set(event.station, fresh))


def _role_asked(state: State, event: RoleAsked, at: At) -> State:
    station = state.station(event.station or "")
    if event.role is None:
        phase = station.resume if station.phase is Phase.ASSIGNING else station.phase
        return _at_station(state, event, phase=phase, role=None)
    resume = station.resume if station.phase is Phase.ASSIGNING else station.phase
    return _at_station(state, event, phase=Phase.ASSIGNING, role=event.role, resume=resume)


def _role_assigned(state: State, event: RoleAssigned, at: At) -> State:
    order = state.orders[event.order]
    state = _with_order(state, _touched(order, at, assigned=order.assigned.set(event.role, event.operator)))
    station = state.station(event.station or "")
    phase = station.resume if station.phase is Phase.ASSIGNING else station.phase
    return _at_station(state, event, phase=phase, role=None)


def _mode_chosen(state: State, event: ModeChosen, at: At) -> State:
    return _at_station(state, event, mode=event.mode, product=None)


def _kind_chosen(state: State, event: KindChosen, at: At) -> State:
    return _at_station(state, event, kind=event.kind)


def _packing_started(state: State, event: PackingStarted, at: At) -> State:
    return _at_station(state, event, phase=Phase.PACKING, **_remove_ended(state, event))


def _packing_left(state: State, event: PackingLeft, at: At) -> State:
    return _at_station(state, event, phase=Phase.SCANNING)


def _packing_confirmed(state: State, event: PackingConfirmed, at: At) -> State:
    order = state.orders[event.order]
    state = _unindex_units(state, order.id, order.counted)
    for box in order.boxes.values():
        state = _set_label(state, box.id, box.label, None)
    state = _with_order(state, _touched(order, at, packed=event.revision, holds=Map()))
    return _leave(state, event)


def _revised(state: State, event: OrderRevised, at: At) -> State:
    if event.manifest is None:
        return state
    before = state.orders.get(event.order)
    order = adopted(state, before, at.manifest_of(event.manifest))
    state = _with_order(state, order)
    if before is not None and before.packed is not None and order.packed is None:
        state = _index_units(state, order.id, order.counted)
        for box in order.boxes.values():
            state = _set_label(state, box.id, None, box.label)
    name = state.station_with(event.order)
    if name is None:
        return state
    station = state.station(name)
    if station.product is not None and not order.lines_of(station.product):
        state = changed(state, stations=state.stations.set(name, changed(station, product=None)))
    return _mode_shared(state, name)


def _mode_shared(state: State, name: str | None) -> State:
    """With no box open, the flow that all lines share is the mode of the station, whatever it was before."""
    station = state.station(name or "")
    if name is None or station.order is None:
        return state
    order = state.orders[station.order]
    mode = order.manifest.single_flow
    if order.open_box is not None or mode is None or mode is station.mode:
        return state
    return changed(state, stations=state.stations.set(name, changed(station, mode=mode, product=None)))


# -- verdicts ----------------------------------------------------------------------------------------------------


def _taken(state: State, verdict: str, revision: int) -> State:
    return changed(state, verdicts=state.verdicts.set(verdict, revision)) if revision else state


def _held(state: State, event: Held, at: At) -> State:
    order = state.orders[event.order]
    hold = Hold(unit=same_case(event.unit), reason=event.reason)
    state = _with_order(state, _touched(order, at, holds=order.holds.set(event.verdict, hold)))
    return _taken(state, event.verdict, event.revision)


def _released(state: State, event: Released, at: At) -> State:
    state = _taken(state, event.verdict, event.revision)
    order = state.orders.get(event.order)
    if event.outcome is Outcome.UNIT_REMOVED and order is not None and event.verdict in order.holds:
        unit = order.holds[event.verdict].unit
        state = changed(state, barred=state.barred.set(unit, (*state.barred.get(unit, ()), event.verdict)))
    if event.outcome is Outcome.RELEASED:
        for unit, verdicts in state.barred.items():
            if event.verdict in verdicts:
                left = tuple(verdict for verdict in verdicts if verdict != event.verdict)
                barred = state.barred.set(unit, left) if left else state.barred.delete(unit)
                state = changed(state, barred=barred)
    if order is not None and event.verdict in order.holds:
        state = _with_order(state, changed(order, holds=order.holds.delete(event.verdict)))
    return state


# -- scans -------------------------------------------------------------------------------------------------------


def _selected(state: State, event: Selected, at: At) -> State:
    match event.what:
        case What.PRODUCT:
            return _at_station(state, event, product=event.value)
        case What.QUANTITY:
            return _at_station(state, event, quantity=int(event.value or 1))
        case What.REMOVE:
            return _at_station(state, event, remove=True)
        case What.NONE:
            station = state.station(event.station or "")
            if station.remove or station.quantity is not None:
                return _at_station(state, event, remove=False, quantity=None)
            return _at_station(state, event, product=None)


def _accepted(state: State, event: Accepted, at: At) -> State:
    order = state.orders[event.order]
    box = order.boxes.get(event.box) or Box(id=event.box, mode=event.mode)
    entry = Entry(
        sequence=at.sequence,
        scan=at.scan,
        line=event.line,
        sku=event.sku,
        unit=event.unit,
        quantity=event.quantity,
    )
    counted = order.counted
    if event.unit is not None:
        ids = ids_of(event.unit)
        for one in ids:
            counted = counted.set(one, box.id)
        state = _index_units(state, order.id, ids)
    state = _with_order(
        state,
        _touched(
            order,
            at,
            boxes=order.boxes.set(box.id, _with_entry(box, entry)),
            open_box=box.id,
            counted=counted,
            scanned=order.scanned.set(event.line, order.scanned.get(event.line, 0) + event.quantity),
        ),
    )
    number = int(event.box[8:])
    if number > state.box_number:
        state = changed(state, box_number=number)
    if event.unit is None and event.station is not None and state.station(event.station).quantity is not None:
        state = _at_station(state, event, quantity=None)
    return state


def _with_entry(box: Box, entry: Entry) -> Box:
    units = box.units + (entry.unit is not None)
    return changed(box, entries=(*box.entries, entry), units=units, bytes=box.bytes_with(entry))


def _with_entries(box: Box, entries: tuple[Entry, ...], taken: Unit | None) -> Box:
    """The box with what is left in it; the room of a line's frame is given back only when the box is empty."""
    units = box.units - (taken is not None)
    size = box.bytes - (len(taken.id.encode()) + 3 if taken is not None else 0)
    return changed(box, entries=entries, units=units, bytes=size if entries else 0)


def _voided(state: State, event: Voided, at: At) -> State:
    order = state.orders[event.order]
    box = order.boxes[event.box]
    sequence = int(event.sequence)
    entries: list[Entry] = []
    for entry in box.entries:
        if entry.sequence == sequence and entry.line == event.line and entry.unit == event.unit:
            if entry.quantity > event.quantity:
                entries.append(replace(entry, quantity=entry.quantity - event.quantity))
        else:
            entries.append(entry)
    counted = order.counted
    if event.unit is not None:
        ids = ids_of(event.unit)
        for one in ids:
            counted = counted.delete(one)
        state = _unindex_units(state, order.id, ids)
    box = _with_entries(box, tuple(entries), event.unit)
    gone = not entries and not box.dissolves
    state = _with_order(
        state,
        _touched(
            order,
            at,
            boxes=order.boxes.delete(box.id) if gone else order.boxes.set(box.id, box),
            open_box=None if gone and order.open_box == box.id else order.open_box,
            counted=counted,
            scanned=order.scanned.set(event.line, order.scanned.get(event.line, 0) - event.quantity),
        ),
    )
    state = _at_station(state, event, **_remove_ended(state, event))
    return _mode_shared(state, event.station)


def _rejected(state: State, event: Rejected, at: At) -> State:
    if not event.clears:
        return state
    cleared: dict[str, Any] = {}
    if "quantity" in event.clears:
        cleared["quantity"] = None
    if "remove" in event.clears:
        cleared["remove"] = False
    return _at_station(state, event, **cleared)


# -- boxes -------------------------------------------------------------------------------------------------------


def _box_created(state: State, event: BoxCreated, at: At) -> State:
    order = state.orders[event.order]
    box = changed(order.boxes[event.box], state=BoxState.CREATED, dissolves=True)
    state = _with_order(state, _touched(order, at, boxes=order.boxes.set(box.id, box)))
    return _at_station(state, event, phase=Phase.BOXING, **_remove_ended(state, event))


def _box_reopened(state: State, event: BoxReopened, at: At) -> State:
    order = state.orders[event.order]
    boxing = event.state is Reopened.BOXING
    box = changed(order.boxes[event.box], state=BoxState.CREATED if boxing else BoxState.OPEN)
    state = _with_order(
        state,
        _touched(
            order,
            at,
            boxes=order.boxes.set(box.id, box),
            open_box=box.id,
            confirmed=tuple(one for one in order.confirmed if one != box.id),
        ),
    )
    station = state.station(event.station or "")
    return _at_station(
        state,
        event,
        phase=Phase.BOXING if boxing else Phase.SCANNING,
        mode=box.mode,
        product=station.product if station.mode is box.mode else None,
        **(_remove_ended(state, event) if boxing else {}),
    )


def _box_voided(state: State, event: BoxVoided, at: At) -> State:
    order = state.orders[event.order]
    box = order.boxes[event.box]
    state = _set_label(state, box.id, box.label, None)
    state = _with_order(
        state,
        _touched(
            order,
            at,
            boxes=order.boxes.delete(box.id),
            open_box=None if order.open_box == box.id else order.open_box,
            confirmed=tuple(one for one in order.confirmed if one != box.id),
        ),
    )
    return _mode_shared(state, event.station)


def _box_sized(state: State, event: BoxSized, at: At) -> State:
    order = state.orders[event.order]
    box = order.boxes[event.box]
    state = _set_label(state, box.id, box.label, event.label)
    box = changed(box, size=event.size, label=event.label)
    return _with_order(state, _touched(order, at, boxes=order.boxes.set(box.id, box)))


def _box_confirmed(state: State, event: BoxConfirmed, at: At) -> State:
    order = state.orders[event.order]
    box = changed(order.boxes[event.box], state=BoxState.CONFIRMED)
    state = _with_order(
        state,
        _touched(
            order,
            at,
            boxes=order.boxes.set(box.id, box),
            open_box=None,
            confirmed=(*order.confirmed, box.id),
        ),
    )
    return _mode_shared(_at_station(state, event, phase=Phase.SCANNING), event.station)


_FOLDS: dict[type[Event], Callable[[State, Any, At], State]] = {
    SignedIn: _signed_in,
    SignedOut: _signed_out,
    OrderOpened: _opened,
    OrderLeft: _left,
    RoleAsked: _role_asked,
    RoleAssigned: _role_assigned,
    ModeChosen: _mode_chosen,
    KindChosen: _kind_chosen,
    PackingStarted: _packing_started,
    PackingLeft: _packing_left,
    PackingConfirmed: _packing_confirmed,
    OrderRevised: _revised,
    Held: _held,
    Released: _released,
    Selected: _selected,
    Accepted: _accepted,
    Voided: _voided,
    Rejected: _rejected,
    BoxCreated: _box_created,
    BoxReopened: _box_reopened,
    BoxVoided: _box_voided,
    BoxSized: _box_sized,
    BoxConfirmed: _box_confirmed,
}
