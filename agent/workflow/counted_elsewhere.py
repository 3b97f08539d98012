"""What other kiosks have counted for an order that was opened or counted here."""

from collections.abc import Iterator, Sequence

from msgspec.json import encode

from agent.contract.counted import CountedBox
from agent.contract.events import OrderCounted
from agent.contract.reasons import Reason
from agent.workflow.event_limits import misfits_of
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.reply import Alarm
from agent.workflow.state import Order, State

__all__ = ["record_counted", "take_counted"]

_ADDED_BYTES = 60_000
"""How many bytes of an event the added boxes may take; no box is larger (`agent.contract.messages`)."""

_REMOVED = 200
"""How many box ids, of 64 characters at most, fit into one event."""


def take_counted(commit: PendingCommit, order: str, boxes: Sequence[CountedBox]) -> list[Alarm]:
    """Record what the centre says about other kiosks' boxes, if it is new; return the alarms to sound.

    `boxes` are all boxes that the centre names for the order (`workflow.md#counted-at-another-kiosk`). The station with
    the order sounds `alarm` if more is counted now than ordered. Orders that the state does not know are left alone.
    """
    known = commit.state.orders.get(order)
    if known is None:
        return []
    before = misfits_of(known)
    record_counted(commit, order, boxes)
    misfits = misfits_of(commit.state.orders[order])
    station = commit.state.station_with(order)
    if station is None or not misfits or misfits == before or known.packed is not None:
        return []
    return [Alarm(station=station, reason=Reason.QUANTITY_MISMATCH)]


def record_counted(commit: PendingCommit, order: str, boxes: Sequence[CountedBox]) -> None:
    """Record the differences, in as many events as their size needs."""
    known = commit.state.orders[order]
    there = {box.box: box for box in boxes if not _is_ours(box.box, known, commit.state, commit.journal)}
    added = [box for box in there.values() if known.counted_boxes.get(box.box) != box]
    removed = tuple(box for box in known.counted_boxes if box not in there)
    station = commit.state.station_with(order)
    for first in range(0, len(removed), _REMOVED):
        part = removed[first : first + _REMOVED]
        commit.record(OrderCounted(station=station, order=order, added=(), removed=part))
    for chunk in _chunks(added):
        commit.record(OrderCounted(station=station, order=order, added=tuple(chunk), removed=()))


def _is_ours(box: str, order: Order, state: State, journal: str) -> bool:
    """Return whether this kiosk knows a box itself, in its present state.

    A box that the present journal numbered and that is no longer there was voided here. Where the journal is an old
    copy, boxes that were made after the copy are unknown here, and so are those of the journal ids before.
    """
    if box in order.boxes:
        return True
    number = box.removeprefix(journal)
    is_numbered = number != box and number.isdecimal() and number.isascii() and int(number) <= state.box_number
    return is_numbered and not order.forgotten


def _chunks(boxes: Sequence[CountedBox]) -> Iterator[list[CountedBox]]:
    """Yield the boxes in groups that fit into one event each."""
    chunk: list[CountedBox] = []
    size = 0
    for box in boxes:
        box_bytes = len(encode(box))
        if chunk and size + box_bytes > _ADDED_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(box)
        size += box_bytes
    if chunk:
        yield chunk
