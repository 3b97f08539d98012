"""Boxes: SAVE, size and label, reopening."""

from collections.abc import Callable
from typing import Any, TypeVar

from agent.contract.events import BoxConfirmed, BoxCreated, BoxReopened, BoxSized, BoxVoided, Event, Reopened, Size
from agent.contract.manifest import Flow, same_case
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import StepContext
from agent.workflow.event_limits import contents_of
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import BoxLabel, CommandScan
from agent.workflow.state import Box

__all__ = [
    "back_to_scanning",
    "confirm_box",
    "create_box",
    "dissolve_if_empty",
    "filled_box",
    "label_box",
    "reopen",
    "reopen_by_label",
    "size_box",
]

E_ = TypeVar("E_", bound=Event)


def filled_box(context: StepContext) -> Box:
    """Return the open box; refuse the scan as `box_empty` if nothing is in it."""
    box = context.order.box
    if box is None or not box.entries:
        raise Refusal(Reason.BOX_EMPTY)
    return box


def _record(context: StepContext, make: Callable[..., E_], box: Box, **values: Any) -> E_:
    """Record an event about a box, with the contents of the box."""
    return context.emit(make, box=box.id, order=context.order.id, mode=box.mode, contents=contents_of(box), **values)


def create_box(context: StepContext, scan: CommandScan) -> Reply:
    """Create the box: the first SAVE (`workflow.md#create-a-box`)."""
    _record(context, BoxCreated, filled_box(context))
    return Reply(signal=Signal.BOXED)


def confirm_box(context: StepContext, scan: CommandScan) -> Reply:
    """Confirm the box: the second SAVE (`workflow.md#confirm-a-box`)."""
    box = filled_box(context)
    found = context.catalogue.size(box.size) if box.size is not None else None
    if box.size is None and box.mode is not Flow.USED:
        raise Refusal(Reason.SIZE_REQUIRED)
    if box.size is not None and found is None:
        raise Refusal(Reason.SIZE_UNKNOWN)
    size = None
    if found is not None:
        size = Size(code=found.code, length_mm=found.length_mm, width_mm=found.width_mm, height_mm=found.height_mm)
    _record(context, BoxConfirmed, box, size=size, label=box.label)
    return Reply(signal=Signal.SAVED)


def size_box(context: StepContext, scan: CommandScan) -> Reply:
    """Set the size of the created box (`workflow.md#choose-a-box-size`)."""
    size = context.catalogue.size(scan.argument)
    if size is None:
        raise Refusal(Reason.SIZE_UNKNOWN)
    box = filled_box(context)
    if box.size == size.code:
        return Reply(signal=Signal.AGAIN)
    context.emit(BoxSized, box=box.id, order=context.order.id, size=size.code, label=box.label)
    return Reply(signal=Signal.OK)


def label_box(context: StepContext, scan: BoxLabel) -> Reply:
    """Set the label of the created box (`workflow.md#label-a-box`)."""
    box = filled_box(context)
    if box.label is not None and same_case(box.label) == same_case(scan.label):
        return Reply(signal=Signal.AGAIN)
    if _is_used(context, scan.label, box):
        raise Refusal(Reason.LABEL_USED)
    context.emit(BoxSized, box=box.id, order=context.order.id, size=box.size, label=scan.label)
    return Reply(signal=Signal.OK)


def _is_used(context: StepContext, label: str, box: Box) -> bool:
    """Return whether the label is on another box of an open order."""
    holder = context.state.labels.get(same_case(label), box.id)
    return holder != box.id and any(holder in order.boxes and order.is_open for order in context.state.orders.values())


def reopen(context: StepContext, box: Box, state: Reopened) -> None:
    """Record that a box is opened again (`workflow.md#reopen-a-box`)."""
    _record(context, BoxReopened, box, state=state)


def reopen_by_label(context: StepContext, scan: BoxLabel) -> Reply:
    """Bring a confirmed box of this order back to boxing by its label (`workflow.md#reopen-a-box`)."""
    order = context.order
    if order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    labelled = (box for box in order.boxes.values() if box.label is not None)
    box = next((box for box in labelled if same_case(box.label or "") == same_case(scan.label)), None)
    if box is None:
        raise Refusal(Reason.NOT_IN_BOX)
    reopen(context, box, Reopened.BOXING)
    return Reply(signal=Signal.REMOVED)


def back_to_scanning(context: StepContext, scan: CommandScan) -> Reply:
    """Open the created box again: CANCEL in boxing (`workflow.md#cancel`). Size and label stay."""
    reopen(context, filled_box(context), Reopened.SCANNING)
    return Reply(signal=Signal.REMOVED)


def dissolve_if_empty(context: StepContext) -> None:
    """Void the open box if it was created once and is empty now (`workflow.md#dissolve-an-empty-box`)."""
    box = context.order.box
    if box is not None and not box.entries:
        _record(context, BoxVoided, box)
