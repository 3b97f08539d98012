"""Counting: units and products into the open box, and out of boxes again (rules 5 and 9)."""

from agent.contract.events import Accepted, BoxReopened, Kind, Reopened, Selected, What
from agent.contract.manifest import Flow, same_case
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.classify import Product, UnitScan
from agent.workflow.context import Desk, Refusal
from agent.workflow.ladder import line_for, unit_of
from agent.workflow.memory import Reply
from agent.workflow.state import Box, Order, ids_of

__all__ = ["ask_remove", "count", "remove", "set_quantity"]


def set_quantity(desk: Desk, argument: str) -> Reply:
    desk.emit(Selected, order=desk.order.id, what=What.QUANTITY, value=str(int(argument)))
    return Reply(signal=Signal.PROMPT)


def ask_remove(desk: Desk) -> Reply:
    desk.emit(Selected, order=desk.order.id, what=What.REMOVE, value=None)
    return Reply(signal=Signal.PROMPT)


_OK = Reply(signal=Signal.OK)

# -- counting ----------------------------------------------------------------------------------------------------


def count(desk: Desk, code: UnitScan | Product) -> Reply:
    """Count a unit or product that the table lets through, or refuse it for the first reason on the way."""
    order = desk.order
    if order.holds:
        return _on_hold(desk, code)
    if not order.is_open:
        raise Refusal(Reason.ORDER_CLOSED)
    for role in desk.settings.required_roles:
        if order.role(role) is None:
            raise Refusal(Reason.OPERATOR_UNASSIGNED)
    mode = desk.station.mode
    if mode is None:
        raise Refusal(Reason.MODE_REQUIRED)
    if type(code) is UnitScan:
        return _count_unit(desk, order, code, mode)
    return _count_product(desk, code.sku, mode)


def _on_hold(desk: Desk, code: UnitScan | Product) -> Reply:
    """5.4: only the held unit and counted ones are told apart, so that the phone can be found."""
    order = desk.order
    if isinstance(code, UnitScan):
        ids = ids_of(unit_of(code.ids, order))
        if order.held_units().intersection(ids):
            raise Refusal(Reason.HELD, signal=Signal.ALARM)
        if any(one in order.counted or one in order.elsewhere_units for one in ids):
            raise Refusal(Reason.ALREADY_COUNTED)
    raise Refusal(Reason.HELD)


def _done(desk: Desk, counted: list[Accepted]) -> Reply:
    """The signal after what was counted: the order is complete, or a line, or neither."""
    for event in counted:
        if event.line_pending == 0:
            return Reply(signal=Signal.ORDER_DONE if desk.order.is_complete() else Signal.LINE_DONE)
    return _OK


def _count_product(desk: Desk, sku: str, mode: Flow) -> Reply:
    order, station = desk.order, desk.station
    serialized = order.is_serialized(sku)
    if station.kind is (Kind.SKU if serialized else Kind.SERIAL):
        raise Refusal(Reason.WRONG_KIND)
    lines = [line for line in order.lines_of(sku) if line.flow is mode]
    if not lines:
        raise Refusal(Reason.NOT_ON_ORDER)
    if serialized:
        if station.quantity is not None:
            raise Refusal(Reason.NOT_ALLOWED)
        if station.product == sku:
            return Reply(signal=Signal.AGAIN)
        desk.emit(Selected, order=order.id, what=What.PRODUCT, value=sku)
        return _OK
    left = station.quantity or 1
    if left > sum(max(0, order.pending_on(line.id)) for line in lines):
        raise Refusal(Reason.OVER_QUANTITY)
    counted = []
    for line in lines:
        taken = min(left, max(0, order.pending_on(line.id)))
        if taken:
            counted.append(desk.accept(line, None, taken))
            left -= taken
    return _done(desk, counted)


def _count_unit(desk: Desk, order: Order, code: UnitScan, mode: Flow) -> Reply:
    station = desk.station
    if station.kind is Kind.SKU:
        raise Refusal(Reason.WRONG_KIND)
    if code.with_product and (
        station.quantity is not None or (code.sku is not None and not order.is_serialized(code.sku))
    ):
        raise Refusal(Reason.NOT_ALLOWED)
    unit = unit_of(code.ids, order)
    line = line_for(
        ids_of(unit),
        code.ids,
        state=desk.state,
        order=order,
        mode=mode,
        product=code.sku if code.with_product else station.product,
        is_product_known=code.sku is not None or not code.with_product,
        is_blocked=desk.cache.is_blocked,
    )
    if type(line) is Reason:
        raise Refusal(line)
    if code.with_product and mode is Flow.DISTRIBUTION and station.product != code.sku:
        desk.emit(Selected, order=order.id, what=What.PRODUCT, value=code.sku)
    return _done(desk, [desk.accept(line, unit, 1)])


# -- taking out --------------------------------------------------------------------------------------------------


def remove(desk: Desk, code: UnitScan | Product) -> Reply:
    """REMOVE's next scan: take a unit or a product's pieces out. REMOVE is over, taken or refused."""
    if isinstance(code, Product):
        _remove_product(desk, code.sku)
    else:
        _remove_unit(desk, code)
    desk.dissolve_if_empty()
    return Reply(signal=Signal.REMOVED)


def _remove_unit(desk: Desk, code: UnitScan) -> None:
    order = desk.order
    ids = ids_of(unit_of(code.ids, order))
    found = next((one for one in ids if one in order.counted), None)
    if found is None:
        raise Refusal(Reason.NOT_IN_BOX)
    box = _reached(desk, order.boxes[order.counted[found]])
    entry = box.entry_of(found)
    if entry is None or entry.unit is None:
        raise Refusal(Reason.NOT_IN_BOX)
    desk.void(box, entry, 1)


def _remove_product(desk: Desk, sku: str) -> None:
    order = desk.order
    if order.is_serialized(sku):
        raise Refusal(Reason.NOT_ALLOWED)
    wanted = desk.station.quantity or 1
    box = order.box
    if box is None or box.quantity_of(sku) < wanted:
        candidates = (order.boxes[one] for one in reversed(order.confirmed))
        box = next((one for one in candidates if one.quantity_of(sku) >= wanted), None)
    if box is None:
        raise Refusal(Reason.NOT_IN_BOX)
    box = _reached(desk, box)
    for entry in reversed(box.entries):
        if entry.unit is None and same_case(entry.sku) == same_case(sku) and wanted:
            taken = min(wanted, entry.quantity)
            desk.void(box, entry, taken)
            wanted -= taken


def _reached(desk: Desk, box: Box) -> Box:
    """The box to take from, open: a confirmed one is opened again if no other has anything in it."""
    order = desk.order
    if box.id == order.open_box:
        return box
    if order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    desk.emit_box(BoxReopened, box, state=Reopened.SCANNING)
    return desk.order.boxes[box.id]
