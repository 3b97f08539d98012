"""The effect of the `operator.…` and `order.…` events on the state, one function for each event."""

from immutables import Map
from msgspec.structs import replace

from agent.contract.events import (
    Event,
    Held,
    KindChosen,
    ModeChosen,
    OrderCounted,
    OrderLeft,
    OrderOpened,
    OrderRevised,
    Outcome,
    PackingConfirmed,
    PackingLeft,
    PackingStarted,
    Released,
    RoleAsked,
    RoleAssigned,
    SignedIn,
    SignedOut,
)
from agent.contract.manifest import Manifest, unit_key
from agent.workflow.state import BoxState, Hold, Phase, State, StationState
from agent.workflow.state_changes import (
    EventPosition,
    adopted,
    at_station,
    remove_ended,
    set_label,
    touched,
    units_with,
    units_without,
    with_elsewhere,
    with_order,
    with_shared_mode,
)
from agent.workflow.text_changes import changed_text

__all__ = [
    "counted",
    "held",
    "kind_chosen",
    "left",
    "mode_chosen",
    "opened",
    "packing_confirmed",
    "packing_left",
    "packing_started",
    "released",
    "revised",
    "role_asked",
    "role_assigned",
    "signed_in",
    "signed_out",
]

_VERDICTS = 10_000
"""How many verdicts the state remembers at least (`mqtt.md#bounded-memory`)."""


# -- operators ---------------------------------------------------------------------------------------------------


def signed_in(state: State, event: SignedIn, at: EventPosition) -> State:
    return at_station(state, event, operator=event.operator)


def signed_out(state: State, event: SignedOut, at: EventPosition) -> State:
    """Drop a pending role, QTY and REMOVE; all else stays (`workflow.md#sign-out`)."""
    phase = _phase_before_assigning(state, event)
    return at_station(state, event, operator=None, phase=phase, role=None, quantity=None, remove=False)


def _phase_before_assigning(state: State, event: Event) -> Phase:
    """Return the phase that the event's station goes back to without a pending role."""
    station = state.station(event.station or "")
    return station.resume if station.phase is Phase.ASSIGNING else station.phase


# -- orders ------------------------------------------------------------------------------------------------------


def opened(state: State, event: OrderOpened, at: EventPosition) -> State:
    order = state.orders.get(event.order)
    if event.manifest is not None:
        order = adopted(state, order, Manifest.from_source(event.manifest))
        state = with_order(state, order)
        if event.order in state.packed:
            state = replace(state, packed=state.packed.delete(event.order))
    if order is None:
        raise ValueError(f"order {event.order} was opened without a manifest")
    box = order.box
    boxing = box is not None and box.state is BoxState.CREATED
    station = StationState(
        operator=state.station(event.station or "").operator,
        order=event.order,
        phase=Phase.BOXING if boxing else Phase.SCANNING,
        mode=event.mode,
    )
    if event.station is None:
        return state
    return replace(state, stations=state.stations.set(event.station, station))


def left(state: State, event: OrderLeft, at: EventPosition) -> State:
    """Free the station. An order with nothing in it is dropped from the state."""
    order = state.orders.get(event.order)
    if order is not None and not (
        order.boxes or order.assigned or order.holds or order.forgotten or order.packed is not None
    ):
        state = replace(state, orders=state.orders.delete(event.order))
    return _leave(state, event)


def _leave(state: State, event: Event) -> State:
    if event.station is None:
        return state
    fresh = StationState(operator=state.station(event.station).operator)
    return replace(state, stations=state.stations.set(event.station, fresh))


def role_asked(state: State, event: RoleAsked, at: EventPosition) -> State:
    before = _phase_before_assigning(state, event)
    if event.role is None:
        return at_station(state, event, phase=before, role=None)
    return at_station(state, event, phase=Phase.ASSIGNING, role=event.role, resume=before)


def role_assigned(state: State, event: RoleAssigned, at: EventPosition) -> State:
    order = state.orders[event.order]
    state = with_order(state, touched(order, at, assigned=order.assigned.set(event.role, event.operator)))
    return at_station(state, event, phase=_phase_before_assigning(state, event), role=None)


def mode_chosen(state: State, event: ModeChosen, at: EventPosition) -> State:
    return at_station(state, event, mode=event.mode, product=None)


def kind_chosen(state: State, event: KindChosen, at: EventPosition) -> State:
    return at_station(state, event, kind=event.kind)


def packing_started(state: State, event: PackingStarted, at: EventPosition) -> State:
    return at_station(state, event, phase=Phase.PACKING, **remove_ended(state, event))


def packing_left(state: State, event: PackingLeft, at: EventPosition) -> State:
    return at_station(state, event, phase=Phase.SCANNING)


def packing_confirmed(state: State, event: PackingConfirmed, at: EventPosition) -> State:
    order = state.orders[event.order]
    state = replace(state, units=units_without(state.units, order.id, order.counted))
    for box in order.boxes.values():
        state = set_label(state, box.id, box.label, None)
    state = with_order(state, touched(order, at, packed=event.revision, holds=Map()))
    return _leave(state, event)


def revised(state: State, event: OrderRevised, at: EventPosition) -> State:
    """Put the order under its new manifest (`workflow.md#manifest-revisions`)."""
    before = state.orders.get(event.order)
    source = event.manifest
    if event.changes:
        source = changed_text(state.orders[event.order].manifest.source, event.changes)
    if source is None:
        return state
    order = adopted(state, before, Manifest.from_source(source))
    state = with_order(state, order)
    if before is not None and before.packed is not None and order.packed is None:
        state = replace(state, units=units_with(state.units, order.id, order.counted))
        for box in order.boxes.values():
            state = set_label(state, box.id, None, box.label)
    name = state.station_with(event.order)
    if name is None:
        return state
    station = state.station(name)
    if station.product is not None and not order.lines_of(station.product):
        state = replace(state, stations=state.stations.set(name, replace(station, product=None)))
    return with_shared_mode(state, name)


def counted(state: State, event: OrderCounted, at: EventPosition) -> State:
    """Apply what changed at other kiosks (`workflow.md#counted-at-another-kiosk`)."""
    order = state.orders[event.order]
    boxes = order.counted_boxes
    for box in event.removed:
        if box in boxes:
            boxes = boxes.delete(box)
    for added in event.added:
        boxes = boxes.set(added.box, added)
    return with_order(state, with_elsewhere(state, replace(order, counted_boxes=boxes)))


# -- verdicts ----------------------------------------------------------------------------------------------------


def _taken(state: State, verdict: str, revision: int) -> State:
    if not revision:
        return state
    if len(state.verdicts) >= _VERDICTS:
        state = replace(state, verdicts=Map(), older_verdicts=state.verdicts, barred=_still_barred(state))
    return replace(state, verdicts=state.verdicts.set(verdict, revision))


def _still_barred(state: State) -> Map[str, tuple[str, ...]]:
    """Return what verdicts bar, without those that are forgotten with the older ones."""
    kept = {
        unit: tuple(verdict for verdict in verdicts if verdict in state.verdicts)
        for unit, verdicts in state.barred.items()
    }
    return Map({unit: verdicts for unit, verdicts in kept.items() if verdicts})


def held(state: State, event: Held, at: EventPosition) -> State:
    order = state.orders[event.order]
    hold = Hold(unit=None if event.unit is None else unit_key(event.unit), reason=event.reason)
    state = with_order(state, touched(order, at, holds=order.holds.set(event.verdict, hold)))
    return _taken(state, event.verdict, event.revision)


def released(state: State, event: Released, at: EventPosition) -> State:
    state = _taken(state, event.verdict, event.revision)
    order = state.orders.get(event.order)
    if event.outcome is Outcome.UNIT_REMOVED and order is not None and event.verdict in order.holds:
        unit = order.holds[event.verdict].unit or ""
        state = replace(state, barred=state.barred.set(unit, (*state.barred.get(unit, ()), event.verdict)))
    if event.outcome is Outcome.RELEASED:
        for unit, verdicts in state.barred.items():
            if event.verdict in verdicts:
                left = tuple(verdict for verdict in verdicts if verdict != event.verdict)
                barred = state.barred.set(unit, left) if left else state.barred.delete(unit)
                state = replace(state, barred=barred)
    if order is not None and event.verdict in order.holds:
        state = with_order(state, replace(order, holds=order.holds.delete(event.verdict)))
    return state
