"""Opening and leaving an order, and choosing its mode and kind."""

from agent.contract.command_arguments import KINDS, MODES
from agent.contract.events import KindChosen, ModeChosen, OrderLeft, OrderOpened
from agent.contract.manifest import Flow
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import StepContext
from agent.workflow.counted_elsewhere import record_counted
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import CommandScan, OrderBarcode
from agent.workflow.state import Order
from agent.workflow.state_changes import adopted

__all__ = ["choose_kind", "choose_mode", "leave_order", "open_another_order", "open_order"]


def open_order(context: StepContext, scan: OrderBarcode) -> Reply:
    """Open an order (`workflow.md#open-an-order`).

    If it is open at a station where nobody is signed in, it moves to this station with its box
    (`workflow.md#one-station-per-order`).
    """
    order = context.state.orders.get(scan.order)
    manifest = order.manifest if order is not None else context.catalogue.manifest(scan.order)
    if manifest is None:
        raise Refusal(Reason.ORDER_UNKNOWN)
    opened = order if order is not None else adopted(context.state, None, manifest)
    if not opened.is_open:
        raise Refusal(Reason.ORDER_CLOSED)
    elsewhere = context.state.station_with(scan.order)
    if elsewhere is not None and context.state.station(elsewhere).operator is not None:
        raise Refusal(Reason.ORDER_IN_USE)
    if elsewhere is not None:
        _leave(context, elsewhere)
    _leave(context, context.station_id)
    is_new = scan.order not in context.state.orders
    context.emit(
        OrderOpened,
        order=scan.order,
        revision=manifest.revision,
        mode=_first_mode(opened),
        manifest=manifest.source if is_new else None,
    )
    if is_new:
        record_counted(context, scan.order, context.catalogue.counted(scan.order))
    if context.order.holds:
        return Reply(signal=Signal.ALARM, reason=Reason.HELD)
    return Reply(signal=Signal.OK)


def _first_mode(order: Order) -> Flow | None:
    """Return the mode in which an order opens: its open box's (`workflow.md#mode-of-a-box`), else that of all lines."""
    box = order.box
    return box.mode if box is not None and box.entries else order.manifest.single_flow


def open_another_order(context: StepContext, scan: OrderBarcode) -> Reply:
    """Open another order while one is open, if the open box is empty (`workflow.md#open-an-order`)."""
    if context.order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    return open_order(context, scan)


def leave_order(context: StepContext, scan: CommandScan) -> Reply:
    """Leave the order; its open box stays as it is (`workflow.md#leave-an-order`)."""
    _leave(context, context.station_id)
    return Reply(signal=Signal.OK)


def _leave(context: StepContext, name: str) -> None:
    station = context.state.station(name)
    if station.order is not None:
        revision = context.state.orders[station.order].manifest.revision
        context.emit(OrderLeft, station=name, order=station.order, revision=revision, mode=station.mode)


def choose_mode(context: StepContext, scan: CommandScan) -> Reply:
    """Choose the flow whose lines take scans (`workflow.md#choose-a-mode`)."""
    mode = MODES[scan.argument]
    if context.station.mode is mode:
        return Reply(signal=Signal.AGAIN)
    if all(line.flow is not mode for line in context.order.manifest.lines):
        raise Refusal(Reason.WRONG_MODE)
    if context.order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    context.emit(ModeChosen, order=context.order.id, mode=mode)
    return Reply(signal=Signal.OK)


def choose_kind(context: StepContext, scan: CommandScan) -> Reply:
    """Choose whether serialized or non-serialized items are accepted (`workflow.md#choose-a-kind`)."""
    kind = KINDS[scan.argument]
    if context.station.kind is kind:
        return Reply(signal=Signal.AGAIN)
    context.emit(KindChosen, order=context.order.id, kind=kind)
    return Reply(signal=Signal.OK)
