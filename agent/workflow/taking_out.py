"""Taking things out of boxes: UNDO, REMOVE, CANCEL."""

from agent.contract.events import Reopened, Selected, Voided, What
from agent.contract.manifest import same_case
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.boxes import dissolve_if_empty, filled_box, reopen
from agent.workflow.context import StepContext
from agent.workflow.holds import end_holds
from agent.workflow.line_choice import device_of
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import CommandScan, Product, UnitScan
from agent.workflow.state import Box, Entry

__all__ = ["CANCEL_TWICE_S", "ask_remove", "cancel", "take_out", "undo"]

CANCEL_TWICE_S = 5.0
"""A second CANCEL within this many seconds voids the open box."""


def _void(context: StepContext, box: Box, entry: Entry, quantity: int) -> None:
    """Take `quantity` pieces of an entry out of its box, by one event (`workflow.md#nothing-is-erased`)."""
    order = context.order
    context.emit(
        Voided,
        sequence=f"{entry.sequence:012d}",
        order=order.id,
        line=entry.line,
        sku=entry.sku,
        mode=box.mode,
        unit=entry.unit,
        quantity=quantity,
        box=box.id,
        scanner=context.scanner,
        symbology=context.symbology,
        line_scanned=order.scanned_on(entry.line) - quantity,
        line_pending=order.pending_on(entry.line) + quantity,
        order_scanned=order.total_scanned - quantity,
        order_pending=order.total_pending + quantity,
    )
    if entry.unit is not None:
        end_holds(context, order, entry.unit)


# -- UNDO --------------------------------------------------------------------------------------------------------


def undo(context: StepContext, scan: CommandScan) -> Reply:
    """Void all that the newest scan counted into the open box; if it is empty, reopen the last confirmed box
    (`workflow.md#undo`).
    """
    order, box = context.order, context.order.box
    if box is not None and box.entries:
        newest = box.entries[-1].scan
        for entry in reversed(box.entries):
            if entry.scan == newest:
                _void(context, box, entry, entry.quantity)
        dissolve_if_empty(context)
    elif order.confirmed:
        reopen(context, order.boxes[order.confirmed[-1]], Reopened.BOXING)
    else:
        raise Refusal(Reason.BOX_EMPTY)
    return Reply(signal=Signal.REMOVED)


# -- REMOVE ------------------------------------------------------------------------------------------------------


def ask_remove(context: StepContext, scan: CommandScan) -> Reply:
    """Take out the next device or product that is scanned (`workflow.md#remove-a-unit`)."""
    context.emit(Selected, order=context.order.id, what=What.REMOVE, value=None)
    return Reply(signal=Signal.PROMPT)


def take_out(context: StepContext, scan: UnitScan | Product) -> Reply:
    """Take out the device or product scanned after REMOVE. REMOVE is over then (`workflow.md#end-of-remove`)."""
    if isinstance(scan, Product):
        _take_out_product(context, scan)
    else:
        _take_out_unit(context, scan)
    dissolve_if_empty(context)
    return Reply(signal=Signal.REMOVED)


def _take_out_unit(context: StepContext, scan: UnitScan) -> None:
    """Void the entry of a device (`workflow.md#remove-a-unit`)."""
    order = context.order
    if scan.quantity is not None:
        raise Refusal(Reason.NOT_ALLOWED)
    ids = device_of(scan.ids, order).forms
    found = next((one for one in ids if one in order.counted), None)
    if found is None:
        raise Refusal(Reason.NOT_IN_BOX)
    box = _opened(context, order.boxes[order.counted[found]])
    entry = box.entry_of(found)
    if entry is None:
        raise Refusal(Reason.NOT_IN_BOX)
    _void(context, box, entry, 1)


def _take_out_product(context: StepContext, scan: Product) -> None:
    """Void pieces of a non-serialized product, the newest first (`workflow.md#remove-a-product`)."""
    order, sku = context.order, scan.sku
    if order.is_serialized(sku) or (scan.quantity is not None and context.station.quantity is not None):
        raise Refusal(Reason.NOT_ALLOWED)
    wanted = scan.quantity or context.station.quantity or 1
    box = order.box
    if box is None or box.quantity_of(sku) < wanted:
        newest_first = (order.boxes[one] for one in reversed(order.confirmed))
        box = next((one for one in newest_first if one.quantity_of(sku) >= wanted), None)
    if box is None:
        raise Refusal(Reason.NOT_IN_BOX)
    box = _opened(context, box)
    for entry in reversed(box.entries):
        if entry.unit is None and same_case(entry.sku) == same_case(sku) and wanted:
            taken = min(wanted, entry.quantity)
            _void(context, box, entry, taken)
            wanted -= taken


def _opened(context: StepContext, box: Box) -> Box:
    """Return the box, opened again if it is confirmed (`workflow.md#remove-from-a-confirmed-box`)."""
    order = context.order
    if box.id == order.open_box:
        return box
    if order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    reopen(context, box, Reopened.SCANNING)
    return context.order.boxes[box.id]


# -- CANCEL ------------------------------------------------------------------------------------------------------


def cancel(context: StepContext, scan: CommandScan) -> Reply:
    """CANCEL in scanning: drop the pending step, else the selected product, else, twice in a row, void the open box
    (`workflow.md#cancel`).
    """
    station = context.station
    if station.remove or station.quantity is not None or station.product is not None:
        context.emit(Selected, order=context.order.id, what=What.NONE, value=None)
        return Reply(signal=Signal.OK)
    box = filled_box(context)
    if context.first_cancel_at is None or context.now - context.first_cancel_at > CANCEL_TWICE_S:
        context.transient.cancel_since = context.now
        return Reply(signal=Signal.PROMPT)
    for entry in reversed(box.entries):
        _void(context, box, entry, entry.quantity)
    dissolve_if_empty(context)
    return Reply(signal=Signal.REMOVED)
