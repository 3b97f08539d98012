"""The effect of the `scan.…` and `box.…` events on the state, one function for each event.

Nothing is erased (`workflow.md#nothing-is-erased`): a void is an event that takes an entry out of its box.
"""

from typing import Any

from msgspec.structs import replace

from agent.contract.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Rejected,
    Reopened,
    Selected,
    Unit,
    Voided,
    What,
)
from agent.workflow.state import Box, BoxState, Entry, Phase, State, ids_of
from agent.workflow.state_changes import (
    EventPosition,
    at_station,
    remove_ended,
    set_label,
    touched,
    units_with,
    units_without,
    with_order,
    with_shared_mode,
)

__all__ = [
    "accepted",
    "box_confirmed",
    "box_created",
    "box_reopened",
    "box_sized",
    "box_voided",
    "rejected",
    "selected",
    "voided",
]


# -- scans -------------------------------------------------------------------------------------------------------


def selected(state: State, event: Selected, at: EventPosition) -> State:
    match event.what:
        case What.PRODUCT:
            return at_station(state, event, product=event.value)
        case What.QUANTITY:
            return at_station(state, event, quantity=int(event.value or 1))
        case What.REMOVE:
            return at_station(state, event, remove=True)
        case What.NONE:
            station = state.station(event.station or "")
            if station.remove or station.quantity is not None:
                return at_station(state, event, remove=False, quantity=None)
            return at_station(state, event, product=None)


def accepted(state: State, event: Accepted, at: EventPosition) -> State:
    order = state.orders[event.order]
    box, box_number = order.boxes.get(event.box), state.box_number
    if box is None:
        box = Box(id=event.box, mode=event.mode)
        box_number = max(box_number, int(event.box[8:]))
    entry = Entry(
        sequence=at.sequence,
        scan=at.scan,
        line=event.line,
        sku=event.sku,
        unit=event.unit,
        quantity=event.quantity,
    )
    box = replace(
        box,
        entries=box.entries + (entry,),  # noqa: RUF005 - a star would copy a box of a thousand by way of a list
        units=box.units + (event.unit is not None),
        bytes=box.bytes_with(event.line, event.sku, event.unit),
    )
    counted, units = order.counted, state.units
    if event.unit is not None:
        ids = ids_of(event.unit)
        for one in ids:
            counted = counted.set(one, event.box)
        units = units_with(units, event.order, ids)
    order = replace(
        order,
        boxes=order.boxes.set(event.box, box),
        open_box=event.box,
        counted=counted,
        scanned=order.scanned.set(event.line, order.scanned.get(event.line, 0) + event.quantity),
        total_scanned=order.total_scanned + event.quantity,
        first=order.first or at.position,
        last=at.position,
    )
    state = replace(state, orders=state.orders.set(event.order, order), units=units, box_number=box_number)
    if event.unit is None and event.station is not None and state.station(event.station).quantity is not None:
        state = at_station(state, event, quantity=None)
    return state


def _with_entries(box: Box, entries: tuple[Entry, ...], taken: Unit | None) -> Box:
    """Replace the entries of a box after `taken` has left it. The bytes of a line's frame stay until it is empty."""
    units = box.units - (taken is not None)
    size = box.bytes - (len(taken.id.encode()) + 3 if taken is not None else 0)
    return replace(box, entries=entries, units=units, bytes=size if entries else 0)


def voided(state: State, event: Voided, at: EventPosition) -> State:
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
        state = replace(state, units=units_without(state.units, order.id, ids))
    box = _with_entries(box, tuple(entries), event.unit)
    gone = not entries and not box.dissolves
    state = with_order(
        state,
        touched(
            order,
            at,
            boxes=order.boxes.delete(box.id) if gone else order.boxes.set(box.id, box),
            open_box=None if gone and order.open_box == box.id else order.open_box,
            counted=counted,
            scanned=order.scanned.set(event.line, order.scanned.get(event.line, 0) - event.quantity),
            total_scanned=order.total_scanned - event.quantity,
        ),
    )
    state = at_station(state, event, **remove_ended(state, event))
    return with_shared_mode(state, event.station)


def rejected(state: State, event: Rejected, at: EventPosition) -> State:
    if not event.clears:
        return state
    cleared: dict[str, Any] = {}
    if "quantity" in event.clears:
        cleared["quantity"] = None
    if "remove" in event.clears:
        cleared["remove"] = False
    return at_station(state, event, **cleared)


# -- boxes -------------------------------------------------------------------------------------------------------


def box_created(state: State, event: BoxCreated, at: EventPosition) -> State:
    order = state.orders[event.order]
    box = replace(order.boxes[event.box], state=BoxState.CREATED, dissolves=True)
    state = with_order(state, touched(order, at, boxes=order.boxes.set(box.id, box)))
    return at_station(state, event, phase=Phase.BOXING, **remove_ended(state, event))


def box_reopened(state: State, event: BoxReopened, at: EventPosition) -> State:
    order = state.orders[event.order]
    boxing = event.state is Reopened.BOXING
    box = replace(order.boxes[event.box], state=BoxState.CREATED if boxing else BoxState.OPEN)
    state = with_order(
        state,
        touched(
            order,
            at,
            boxes=order.boxes.set(box.id, box),
            open_box=box.id,
            confirmed=tuple(one for one in order.confirmed if one != box.id),
        ),
    )
    station = state.station(event.station or "")
    return at_station(
        state,
        event,
        phase=Phase.BOXING if boxing else Phase.SCANNING,
        mode=box.mode,
        product=station.product if station.mode is box.mode else None,
        **(remove_ended(state, event) if boxing else {}),
    )


def box_voided(state: State, event: BoxVoided, at: EventPosition) -> State:
    order = state.orders[event.order]
    box = order.boxes[event.box]
    state = set_label(state, box.id, box.label, None)
    state = with_order(
        state,
        touched(
            order,
            at,
            boxes=order.boxes.delete(box.id),
            open_box=None if order.open_box == box.id else order.open_box,
            confirmed=tuple(one for one in order.confirmed if one != box.id),
        ),
    )
    return with_shared_mode(state, event.station)


def box_sized(state: State, event: BoxSized, at: EventPosition) -> State:
    order = state.orders[event.order]
    box = order.boxes[event.box]
    state = set_label(state, box.id, box.label, event.label)
    box = replace(box, size=event.size, label=event.label)
    return with_order(state, touched(order, at, boxes=order.boxes.set(box.id, box)))


def box_confirmed(state: State, event: BoxConfirmed, at: EventPosition) -> State:
    order = state.orders[event.order]
    box = replace(order.boxes[event.box], state=BoxState.CONFIRMED)
    state = with_order(
        state,
        touched(
            order,
            at,
            boxes=order.boxes.set(box.id, box),
            open_box=None,
            confirmed=(*order.confirmed, box.id),
        ),
    )
    return with_shared_mode(at_station(state, event, phase=Phase.SCANNING), event.station)
