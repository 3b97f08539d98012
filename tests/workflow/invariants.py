"""What holds after every commit, whatever is scanned."""

import json
from collections import Counter
from collections.abc import Iterable

from agent.contract.events import Accepted, Event, Rejected, Voided
from agent.workflow.state import BoxState, Order, State, ids_of

__all__ = ["check_accepted", "check_box_ids", "check_state"]

MAX_EVENT_BYTES = 64 * 1024


def check_state(state: State, events: tuple[Event, ...], documents: Iterable[bytes]) -> None:
    """Check the state after a commit, its events and their documents."""
    for order in state.orders.values():
        _check_order(order)
    _check_counts(state, events)
    open_at = [station.order for station in state.stations.values() if station.order is not None]
    assert len(open_at) == len(set(open_at)), "an order is open at one station"
    counted = [one for order in state.orders.values() if order.packed is None for one in order.counted]
    assert set(counted) == set(state.units), "the index of units has what is counted"
    for document in documents:
        assert len(document) <= MAX_EVENT_BYTES
        assert "clears" not in json.loads(document)["data"]


def _check_counts(state: State, events: tuple[Event, ...]) -> None:
    """The last event of each line, and of each order, carries the counts after the commit."""
    counting = [event for event in events if isinstance(event, Accepted | Voided)]
    newest_of_line = {(event.order, event.line): event for event in counting}
    newest_of_order = {event.order: event for event in counting}
    for (order_id, line_id), event in newest_of_line.items():
        order = state.orders[order_id]
        assert event.line_scanned == order.scanned_on(line_id)
        assert event.line_pending == order.pending_on(line_id)
    for order_id, event in newest_of_order.items():
        order = state.orders[order_id]
        assert event.order_scanned == order.total_scanned
        assert event.order_pending == order.total_pending
    assert all(len(event.code) <= 128 for event in events if isinstance(event, Rejected))


def check_box_ids(state: State, known: set[str]) -> set[str]:
    """Check that new boxes have new ids; return the ids known now. `known` are those of all boxes ever seen."""
    there = {box for order in state.orders.values() for box in order.boxes}
    assert all(int(box[8:]) == state.box_number for box in there - known), "a new box has the highest number"
    return known | there


def check_accepted(event: Accepted, before: State) -> None:
    """Check that an event could be accepted in the state before it."""
    assert event.line_pending >= 0, "nothing is counted beyond what is ordered"
    assert before.orders[event.order].is_open
    for one in ids_of(event.unit) if event.unit is not None else ():
        holders = [order for order in before.orders.values() if order.is_open and one in order.counted]
        assert not holders, "a unit is counted once among all open orders"


def _check_order(order: Order) -> None:
    pieces: Counter[str] = Counter()
    units: list[str] = []
    for box in order.boxes.values():
        assert box.entries, "an empty box is none"
        assert box.units == sum(entry.unit is not None for entry in box.entries)
        assert (box.state is BoxState.CONFIRMED) == (box.id in order.confirmed)
        for entry in box.entries:
            assert entry.quantity > 0
            pieces[entry.line] += entry.quantity
            ids = ids_of(entry.unit) if entry.unit is not None else ()
            assert all(order.counted[one] == box.id for one in ids)
            units += ids
    assert len(units) == len(set(units)), "no unit is counted twice"
    assert set(units) == set(order.counted)
    assert +Counter(dict(order.scanned)) == pieces
    assert set(order.boxes) - {order.open_box} == set(order.confirmed)
    assert order.open_box is None or order.open_box in order.boxes
    for line_id in order.lines():
        assert order.scanned_on(line_id) + order.pending_on(line_id) == order.ordered_on(line_id)
