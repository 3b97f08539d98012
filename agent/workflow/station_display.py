"""What a station shows: its steady light, its LED bar and its published view. Pure."""

from agent.contract.signals import Steady
from agent.contract.station_view import BoxView, LastSignal, StationView
from agent.workflow.state import Phase, State
from agent.workflow.transient_state import TransientState

__all__ = ["bar_of", "station_view", "steady_of"]

_STEADY = {
    Phase.READY: Steady.READY,
    Phase.ASSIGNING: Steady.ASSIGNING,
    Phase.SCANNING: Steady.SCANNING,
    Phase.BOXING: Steady.BOXING,
    Phase.PACKING: Steady.PACKING,
}


def steady_of(state: State, name: str) -> Steady:
    """Return the light between signals (`signals.md#steady-lights`): signed out, REMOVE, a hold, then the phase."""
    station = state.station(name)
    if station.operator is None:
        return Steady.SIGNED_OUT
    if station.remove:
        return Steady.REMOVING
    if station.order is not None and state.orders[station.order].holds:
        return Steady.HELD
    return _STEADY[station.phase]


def bar_of(state: State, name: str) -> tuple[int, int]:
    """Return (scanned, ordered) of the open order for the LED bar (`signals.md#led-bar`); (0, 0) without an order."""
    station = state.station(name)
    if station.order is None:
        return (0, 0)
    order = state.orders[station.order]
    return (order.total_scanned, order.manifest.total_ordered)


def station_view(state: State, name: str, transient: TransientState, time: str, *, connection: int = 0) -> StationView:
    """Return the view of a station to publish (`mqtt.md#station-view`); `time` is UTC text."""
    station = state.station(name)
    order = state.orders[station.order] if station.order is not None else None
    box = order.box if order is not None else None
    last = transient.last
    return StationView(
        state=station.phase,
        signed_in=station.operator is not None,
        operator=station.operator,
        order=station.order,
        mode=station.mode,
        product=station.product,
        scanned=order.total_scanned if order is not None else None,
        pending=order.total_pending if order is not None else None,
        box=None
        if box is None
        else BoxView(id=box.id, units=sum(entry.quantity for entry in box.entries), size=box.size, label=box.label),
        last=None if last is None else LastSignal(signal=last.signal, reason=last.reason),
        held=bool(order is not None and order.holds),
        time=time,
        connection=connection,
    )
