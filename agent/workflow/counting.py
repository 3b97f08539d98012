"""Counting devices and products into the open box."""

from agent.contract.events import Accepted, Kind, Selected, Unit, What
from agent.contract.manifest import Flow, Line
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import StepContext
from agent.workflow.event_limits import room_in
from agent.workflow.holds import check_not_held
from agent.workflow.line_choice import device_of, line_for
from agent.workflow.reply import Refusal, Reply
from agent.workflow.roles import check_required_roles
from agent.workflow.scan_classes import CommandScan, Product, UnitScan
from agent.workflow.state import Order
from agent.workflow.taking_out import take_out

__all__ = ["count", "set_quantity"]


def set_quantity(context: StepContext, scan: CommandScan) -> Reply:
    """Set the quantity of the next product (`workflow.md#set-a-quantity`)."""
    context.emit(Selected, order=context.order.id, what=What.QUANTITY, value=str(int(scan.argument)))
    return Reply(signal=Signal.PROMPT)


def count(context: StepContext, scan: UnitScan | Product) -> Reply:
    """Count a device or product, or take it out if REMOVE is pending.

    The checks stand in the order of `workflow.md#first-failure-wins`.
    """
    if context.station.remove:
        return take_out(context, scan)
    order, mode = context.order, context.station.mode
    check_not_held(order, scan)
    if not order.is_open:
        raise Refusal(Reason.ORDER_CLOSED)
    check_required_roles(order, context.rules.required_roles)
    if mode is None:
        raise Refusal(Reason.MODE_REQUIRED)
    if isinstance(scan, UnitScan):
        return _count_unit(context, order, scan, mode)
    return _count_product(context, order, scan, mode)


def _count_unit(context: StepContext, order: Order, scan: UnitScan, mode: Flow) -> Reply:
    """Count a device on a line that takes it (`workflow.md#scan-a-unit`).

    A product in the same scan limits the lines (`scanning.md#product-and-unit-in-one-scan`). A quantity beside a device
    makes no sense (`scanning.md#quantity-on-the-label`).
    """
    station = context.station
    if station.kind is Kind.SKU:
        raise Refusal(Reason.WRONG_KIND)
    if scan.quantity is not None or (
        scan.with_product
        and (station.quantity is not None or (scan.sku is not None and not _has_devices(order, scan.sku)))
    ):
        raise Refusal(Reason.NOT_ALLOWED)
    device = device_of(scan.ids, order)
    line = line_for(context, order, scan, device, mode)
    if scan.with_product and mode is Flow.DISTRIBUTION and station.product != scan.sku:
        context.emit(Selected, order=order.id, what=What.PRODUCT, value=scan.sku)
    return _reply_after(context, [_accept(context, line, device.unit, 1)])


def _has_devices(order: Order, sku: str) -> bool:
    return order.is_serialized(sku) or any(line.serialized for line in order.lines_of(sku))


def _count_product(context: StepContext, order: Order, scan: Product, mode: Flow) -> Reply:
    """Count a non-serialized product, or select a serialized one (`workflow.md#scan-a-product`).

    Of a product on lines of both kinds, pieces are counted. The label can say how many there are
    (`scanning.md#quantity-on-the-label`).
    """
    station, sku = context.station, scan.sku
    lines = [line for line in order.lines_of(sku) if line.flow is mode]
    serialized = all(line.serialized for line in lines) if lines else order.is_serialized(sku)
    if station.kind is (Kind.SKU if serialized else Kind.SERIAL):
        raise Refusal(Reason.WRONG_KIND)
    if not lines:
        raise Refusal(Reason.NOT_ON_ORDER)
    if scan.quantity is not None and (serialized or station.quantity is not None):
        raise Refusal(Reason.NOT_ALLOWED)
    if serialized:
        return _select(context, sku)
    lines = [line for line in lines if not line.serialized]
    left = scan.quantity or station.quantity or 1
    if left > sum(max(0, order.pending_on(line.id)) for line in lines):
        raise Refusal(Reason.OVER_QUANTITY)
    counted = []
    for line in lines:
        taken = min(left, max(0, order.pending_on(line.id)))
        if taken:
            counted.append(_accept(context, line, None, taken))
            left -= taken
    return _reply_after(context, counted)


def _select(context: StepContext, sku: str) -> Reply:
    station = context.station
    if station.quantity is not None:
        raise Refusal(Reason.NOT_ALLOWED)
    if station.product == sku:
        return Reply(signal=Signal.AGAIN)
    context.emit(Selected, order=context.order.id, what=What.PRODUCT, value=sku)
    return Reply(signal=Signal.OK)


def _accept(context: StepContext, line: Line, unit: Unit | None, quantity: int) -> Accepted:
    """Count on a line, into the open box or a new one."""
    order = context.order
    box = order.box
    if box is not None and not room_in(box, line, unit):
        raise Refusal(Reason.BOX_FULL)
    scanned, total_scanned = order.scanned_on(line.id) + quantity, order.total_scanned + quantity
    event = Accepted(
        station=context.station_id,
        by=context.station.operator,
        order=order.id,
        line=line.id,
        sku=line.sku,
        mode=box.mode if box is not None else line.flow,
        unit=unit,
        quantity=quantity,
        box=box.id if box is not None else f"{context.journal}{context.state.box_number + 1:06d}",
        scanner=context.scanner,
        symbology=context.symbology,
        line_scanned=scanned,
        line_pending=line.quantity - scanned,
        order_scanned=total_scanned,
        order_pending=order.manifest.total_ordered - total_scanned,
    )
    context.record(event)
    return event


def _reply_after(context: StepContext, counted: list[Accepted]) -> Reply:
    """Return the signal for what was counted: the order is complete, or a line, or neither."""
    if all(event.line_pending for event in counted):
        return Reply(signal=Signal.OK)
    return Reply(signal=Signal.ORDER_DONE if context.order.is_complete() else Signal.LINE_DONE)
