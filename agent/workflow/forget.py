"""What the state may forget: the details of orders that are closed for long. Pure.

An order packed here stays closed for ever, so its id and revision are kept; who reopens it later tells its counts
anew in `counted`.
"""

from msgspec.structs import replace

from agent.workflow.state import Order, State

__all__ = ["KEEP_ENTRIES", "KEEP_PACKED", "forget", "forgettable"]

KEEP_ENTRIES = 10_000
"""So many box entries of closed orders are kept, of the latest ones."""

KEEP_PACKED = 20_000
"""So many ids of orders packed here are kept after their details are gone."""


def _entries(order: Order) -> int:
    return 1 + sum(len(box.entries) for box in order.boxes.values())


def forgettable(state: State) -> list[str]:
    """Orders whose details may go, the oldest closed ones; none that is open at a station or holds a verdict."""
    in_use = {station.order for station in state.stations.values()}
    closed = [order for order in state.orders.values() if order.packed is not None and order.id not in in_use]
    closed.sort(key=lambda order: order.last, reverse=True)
    kept, found = 0, []
    for order in closed:
        kept += _entries(order)
        if kept > KEEP_ENTRIES:
            found.append(order.id)
    return found


def forget(state: State, orders: list[str]) -> State:
    """The state without the details of these orders, as far as they are still closed."""
    kept, packed = state.orders, state.packed
    in_use = {station.order for station in state.stations.values()}
    for one in orders:
        order = kept.get(one)
        if order is not None and order.packed is not None and one not in in_use:
            kept = kept.delete(one)
            packed = packed.set(one, (order.packed, order.last))
    surplus = len(packed) - KEEP_PACKED
    if surplus > 0:
        for one in sorted(packed, key=lambda one: packed[one][1])[:surplus]:
            packed = packed.delete(one)
    return replace(state, orders=kept, packed=packed)
