"""Packing confirmation: PACK and CONFIRM."""

from agent.contract.events import PackingConfirmed, PackingLeft, PackingRefused, PackingStarted
from agent.contract.manifest import Role
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import StepContext
from agent.workflow.event_limits import LINES_BYTES, line_bytes, line_counts
from agent.workflow.rejections import is_counted_mismatch, record_rejected
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import CommandScan

__all__ = ["confirm_packing", "leave_packing", "start_packing"]

_MAX_BOXES = 1000
_BOXES_BYTES = 24_000
"""How many bytes of `order.packing_confirmed` the ids of boxes may take, if the lines leave that much."""


def _obstacle(context: StepContext) -> Reason | None:
    """Return the first check of `workflow.md#start-packing` that fails."""
    order = context.order
    if order.holds:
        return Reason.HELD
    if not order.is_open:
        return Reason.ORDER_CLOSED
    if order.box is not None:
        return Reason.BOX_OPEN
    return None if order.is_exact() else Reason.QUANTITY_MISMATCH


def _record_mismatch(context: StepContext) -> None:
    order = context.order
    lines = line_counts(order, order.lines())
    context.emit(PackingRefused, order=order.id, reason=Reason.QUANTITY_MISMATCH, lines=lines)


def start_packing(context: StepContext, scan: CommandScan) -> Reply:
    """Begin packing confirmation (`workflow.md#start-packing`)."""
    obstacle = _obstacle(context)
    if obstacle is Reason.QUANTITY_MISMATCH:
        if not is_counted_mismatch(context):
            _record_mismatch(context)
        return Reply(signal=Signal.REJECT, reason=obstacle)
    if obstacle is not None:
        raise Refusal(obstacle)
    context.emit(PackingStarted, order=context.order.id)
    return Reply(signal=Signal.PROMPT)


def confirm_packing(context: StepContext, scan: CommandScan) -> Reply:
    """Check everything again, then close the order (`workflow.md#confirm-packing`)."""
    order = context.order
    obstacle = _obstacle(context)
    if obstacle is not None:
        if obstacle is Reason.QUANTITY_MISMATCH:
            _record_mismatch(context)
        else:
            record_rejected(context, obstacle)
        context.emit(PackingLeft, order=order.id)
        return Reply(signal=Signal.REJECT, reason=obstacle)
    if context.rules.packer_confirms and order.role(Role.PACKING) != context.station.operator:
        raise Refusal(Reason.NOT_ASSIGNED)
    lines = line_counts(order, order.lines())
    room = min(_BOXES_BYTES, LINES_BYTES - sum(line_bytes(count.line) for count in lines))
    boxes = order.confirmed[: min(_MAX_BOXES, room // (len(order.confirmed[0]) + 3))] if order.confirmed else ()
    context.emit(
        PackingConfirmed,
        order=order.id,
        revision=order.manifest.revision,
        lines=lines,
        boxes=boxes,
        operators={role.value: order.role(role) for role in Role},
    )
    return Reply(signal=Signal.CONFIRMED)


def leave_packing(context: StepContext, scan: CommandScan) -> Reply:
    """Go back to scanning: CANCEL while CONFIRM is awaited (`workflow.md#cancel`)."""
    context.emit(PackingLeft, order=context.order.id)
    return Reply(signal=Signal.OK)
