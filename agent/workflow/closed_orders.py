"""Drop the details of orders that were packed long ago, so that the state does not grow forever. Pure.

A packed order stays closed (`workflow.md#packed-orders-stay-closed`), so its id and the packed revision are kept. If
the centre reopens it, the manifest's `counted` says what is in its boxes.
"""

from msgspec.structs import replace

from agent.workflow.state import Order, State

__all__ = ["KEEP_ENTRIES", "KEEP_PACKED", "drop_details", "orders_to_drop"]

KEEP_ENTRIES = 10_000
"""How many box entries of packed orders are kept, of the newest orders."""

KEEP_PACKED = 20_000
"""How many ids of packed orders are kept after their details."""


def orders_to_drop(state: State) -> list[str]:
    """Return the packed orders whose details can be dropped: the oldest ones, if they are open at no station."""
    in_use = {station.order for station in state.stations.values()}
    packed = [order for order in state.orders.values() if order.packed is not None and order.id not in in_use]
    packed.sort(key=lambda order: order.last, reverse=True)
    kept, found = 0, []
    for order in packed:
        kept += _entries(order)
        if kept > KEEP_ENTRIES:
            found.append(order.id)
    return found


def _entries(order: Order) -> int:
    return 1 + sum(len(box.entries) for box in order.boxes.values())


def drop_details(state: State, orders: list[str]) -> State:
    """Drop the details of these orders. An order that is not packed any more, or in use, is left as it is."""
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
