"""Boxes: SAVE, size and label, UNDO, CANCEL (rules 6, 7 and 9)."""

from agent.contract.events import BoxConfirmed, BoxCreated, BoxReopened, BoxSized, Reopened, Selected, Size, What
from agent.contract.manifest import Flow, same_case
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import Desk, Refusal
from agent.workflow.memory import CANCEL_TWICE_S, Memory, Reply
from agent.workflow.state import Box

__all__ = [
    "back_to_scanning",
    "cancel",
    "confirm_box",
    "create_box",
    "label_box",
    "reopen_by_label",
    "size_box",
    "undo",
]


def _open_box(desk: Desk) -> Box:
    box = desk.order.box
    if box is None or not box.entries:
        raise Refusal(Reason.BOX_EMPTY)
    return box


def create_box(desk: Desk) -> Reply:
    desk.emit_box(BoxCreated, _open_box(desk))
    return Reply(signal=Signal.BOXED)


def confirm_box(desk: Desk) -> Reply:
    """The second SAVE. Used boxes need no size; those of distribution and POS do."""
    box = _open_box(desk)
    found = desk.cache.size(box.size) if box.size is not None else None
    if box.size is None and box.mode is not Flow.USED:
        raise Refusal(Reason.SIZE_REQUIRED)
    if box.size is not None and found is None:
        raise Refusal(Reason.SIZE_UNKNOWN)
    size = None
    if found is not None:
        size = Size(code=found.code, length_mm=found.length_mm, width_mm=found.width_mm, height_mm=found.height_mm)
    desk.emit_box(BoxConfirmed, box, size=size, label=box.label)
    return Reply(signal=Signal.SAVED)


def size_box(desk: Desk, code: str) -> Reply:
    size = desk.cache.size(code)
    if size is None:
        raise Refusal(Reason.SIZE_UNKNOWN)
    box = _open_box(desk)
    if box.size == size.code:
        return Reply(signal=Signal.AGAIN)
    desk.emit(BoxSized, box=box.id, order=desk.order.id, size=size.code, label=box.label)
    return Reply(signal=Signal.OK)


def label_box(desk: Desk, label: str) -> Reply:
    box = _open_box(desk)
    if box.label is not None and same_case(box.label) == same_case(label):
        return Reply(signal=Signal.AGAIN)
    if _is_used(desk, label, box):
        raise Refusal(Reason.LABEL_USED)
    desk.emit(BoxSized, box=box.id, order=desk.order.id, size=box.size, label=label)
    return Reply(signal=Signal.OK)


def _is_used(desk: Desk, label: str, box: Box) -> bool:
    """Whether the label is on another box of an order that is open."""
    holder = desk.state.labels.get(same_case(label), box.id)
    return holder != box.id and any(holder in order.boxes and order.is_open for order in desk.state.orders.values())


def reopen_by_label(desk: Desk, label: str) -> Reply:
    """In scanning, with the open box empty: the label of a confirmed box of this order brings it back to boxing."""
    order = desk.order
    if order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    labelled = (box for box in order.boxes.values() if box.label is not None)
    box = next((box for box in labelled if same_case(box.label or "") == same_case(label)), None)
    if box is None:
        raise Refusal(Reason.NOT_IN_BOX)
    desk.emit_box(BoxReopened, box, state=Reopened.BOXING)
    return Reply(signal=Signal.REMOVED)


def undo(desk: Desk) -> Reply:
    """Void all that the newest scan counted into the open box; the open box empty: reopen the last confirmed one."""
    order, box = desk.order, desk.order.box
    if box is not None and box.entries:
        newest_first = tuple(reversed(box.entries))
        for entry in newest_first:
            if entry.scan == newest_first[0].scan:
                desk.void(box, entry, entry.quantity)
        desk.dissolve_if_empty()
    elif order.confirmed:
        desk.emit_box(BoxReopened, order.boxes[order.confirmed[-1]], state=Reopened.BOXING)
    else:
        raise Refusal(Reason.BOX_EMPTY)
    return Reply(signal=Signal.REMOVED)


def back_to_scanning(desk: Desk) -> Reply:
    """CANCEL in boxing: the created box is open again, size and label kept."""
    desk.emit_box(BoxReopened, _open_box(desk), state=Reopened.SCANNING)
    return Reply(signal=Signal.REMOVED)


def cancel(desk: Desk, memory: Memory) -> Reply:
    """CANCEL in scanning: the pending step, else the selected product, else, twice in a row, the open box."""
    station = desk.station
    if station.remove or station.quantity is not None or station.product is not None:
        desk.emit(Selected, order=desk.order.id, what=What.NONE, value=None)
        return Reply(signal=Signal.OK)
    box = _open_box(desk)
    if memory.cancel_since is None or desk.now - memory.cancel_since > CANCEL_TWICE_S:
        memory.cancel_since = desk.now
        return Reply(signal=Signal.PROMPT)
    for entry in reversed(box.entries):
        desk.void(box, entry, entry.quantity)
    desk.dissolve_if_empty()
    return Reply(signal=Signal.REMOVED)
