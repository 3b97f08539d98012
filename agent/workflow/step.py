"""One step: a scan goes in, events and one signal come out. Pure: state, time and numbers are passed in.

`take` decides about a scan. It makes the checks below in their order; a scan that passes them does an act of the state
table.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agent.contract.printed_codes import Verb
from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal
from agent.scan import Frame
from agent.workflow import boxes, counting, orders, packing, roles, sign_in, taking_out
from agent.workflow.badge_guesses import count_guess, is_locked_out
from agent.workflow.classify import classify
from agent.workflow.context import StepContext
from agent.workflow.rejections import reject
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import (
    Ambiguous,
    BadArgument,
    Badge,
    BoxLabel,
    CommandScan,
    OrderBarcode,
    Product,
    Recognised,
    ScanClass,
    UnitScan,
    UnknownBadge,
    Unreadable,
)
from agent.workflow.state import Phase, StationState
from agent.workflow.table import REFUSED_ON_CLOSED, TABLE, Act, Input
from agent.workflow.timeouts import note_remove
from agent.workflow.transient_state import LastRead

__all__ = ["ACTS", "FIRST_FAILURE_WINS", "Check", "take"]


class Check(Struct, frozen=True):
    """One check of a scan, or several that cannot fail together. `function` makes it, in `module`."""

    names: tuple[str, ...]
    module: str
    function: str


FIRST_FAILURE_WINS = (
    Check(("fault",), "agent.daemon.scan_path", "ScanPath._scan"),
    Check(("unreadable",), "agent.workflow.step", "_decide"),
    Check(("bounce",), "agent.workflow.step", "_bounced"),
    Check(("not_signed_in",), "agent.workflow.step", "_decide"),
    Check(("badge_unknown", "ambiguous", "bad_argument"), "agent.workflow.step", "_decide"),
    Check(("state table",), "agent.workflow.table", "TABLE"),
    Check(("REMOVE pending",), "agent.workflow.taking_out", "take_out"),
    Check(("held",), "agent.workflow.holds", "check_not_held"),
    Check(("order_closed",), "agent.workflow.counting", "count"),
    Check(("operator_unassigned",), "agent.workflow.roles", "check_required_roles"),
    Check(("mode_required",), "agent.workflow.counting", "count"),
    Check(("wrong_kind",), "agent.workflow.counting", "_count_unit"),
    # The checks of a unit:
    Check(("bad_check_digit",), "agent.workflow.line_choice", "line_for"),
    Check(("already_counted",), "agent.workflow.line_choice", "line_for"),
    Check(("held unit removed",), "agent.workflow.line_choice", "line_for"),
    Check(("counted_elsewhere",), "agent.workflow.line_choice", "line_for"),
    Check(("not_on_order",), "agent.workflow.line_choice", "line_for"),
    Check(("product_required", "wrong_product"), "agent.workflow.line_choice", "_line_that_takes"),
    Check(("over_quantity", "several products"), "agent.workflow.line_choice", "_line_that_takes"),
    Check(("box_full",), "agent.workflow.counting", "_accept"),
)
"""The checks of a scan, in the order in which they are made (`workflow.md#first-failure-wins`).

The first one that fails gives the reason; no later one is made. This list is for readers: no code uses it. A test
proves it: for each two neighbours in the list, a scan that fails both checks gets the reason of the first.
"""

_AGAIN = Reply(signal=Signal.AGAIN)
_REPEATABLE = (CommandScan, BadArgument, Product)
"""What a person may scan several times: a bounce of it gets `again`."""


def take(context: StepContext, frame: Frame) -> Reply:
    """Decide about one scan and return its signal (`signals.md#one-signal-per-scan`).

    `context` is new: made for this scan, with the state before it. Afterwards it has the events, the state after them
    and the station's transient state. The caller commits the events before it shows the signal.
    """
    transient = context.transient = replace(context.transient, idle_since=frame.at)
    bounced = _bounced(context, frame)
    if bounced is not None:
        transient.last = bounced
        return bounced
    context.first_cancel_at, transient.cancel_since = transient.cancel_since, None
    scan = _read(context, frame)
    try:
        reply = _decide(context, scan)
    except Refusal as refusal:
        context.undo()
        count_guess(context, scan)
        reply = reject(context, refusal, scan)
    transient.last = reply
    note_remove(context)
    if not isinstance(scan, Unreadable):
        _remember(context, frame, scan, reply)
    return reply


def _bounced(context: StepContext, frame: Frame) -> Reply | None:
    """Return the answer to a bounce (`scanning.md#bounce`); None if the scan is not a bounce."""
    transient, scanner = context.transient, context.scanner or ""
    read = transient.last_read.get(scanner)
    if read is None or not frame.intact or read.data != frame.data:
        return None
    if not frame.at - read.at <= context.rules.bounce_s > 0:
        return None
    transient.last_read = transient.last_read.set(scanner, replace(read, at=frame.at))
    return read.reply


def _remember(context: StepContext, frame: Frame, scan: ScanClass, reply: Reply) -> None:
    """Remember what the scanner has read, and the answer to a bounce of it (`scanning.md#bounce`)."""
    if isinstance(scan, _REPEATABLE):
        reply = _AGAIN
    read = LastRead(data=frame.data, at=frame.at, reply=reply)
    context.transient.last_read = context.transient.last_read.set(context.scanner or "", read)


def _read(context: StepContext, frame: Frame) -> ScanClass:
    """Classify the scan and put what was read of it into the context."""
    if not frame.intact:
        context.data = frame.data
        return Unreadable()
    station = context.station
    reading = classify(
        frame.data,
        order=context.state.orders.get(station.order or ""),
        label_awaited=station.phase in (Phase.SCANNING, Phase.BOXING),
        sscc_awaited=station.phase is Phase.BOXING,
        no_read=frame.no_read,
        lookups=context.catalogue,
    )
    context.symbology, context.data = reading.symbology, reading.data
    return reading.scan


def _decide(context: StepContext, scan: ScanClass) -> Reply:
    """Make the checks before the table, then what the table says (`workflow.md#state-table`)."""
    if isinstance(scan, Unreadable):
        raise Refusal(Reason.UNREADABLE)
    if isinstance(scan, CommandScan) and scan.verb in (Verb.REPEAT, Verb.WHERE):
        return _repeat(context) if scan.verb is Verb.REPEAT else _where(context)
    station = context.station
    if station.operator is None and not _is_badge(scan):
        raise Refusal(Reason.NOT_SIGNED_IN)
    if isinstance(scan, UnknownBadge) or is_locked_out(context, scan):
        raise Refusal(Reason.BADGE_UNKNOWN)
    if isinstance(scan, Ambiguous):
        raise Refusal(Reason.AMBIGUOUS)
    if isinstance(scan, BadArgument):
        raise Refusal(Reason.BAD_ARGUMENT)
    if isinstance(scan, Badge) and station.operator is None:
        return sign_in.sign_in(context, scan)
    cell = TABLE[_row_of(station, scan), station.phase]
    if isinstance(cell, Reason):
        raise Refusal(cell, seen=_seen(scan))
    if cell in REFUSED_ON_CLOSED and not context.order.is_open:
        raise Refusal(Reason.ORDER_CLOSED)
    return ACTS[cell](context, scan)


def _again(context: StepContext, scan: ScanClass) -> Reply:
    return _AGAIN


ACTS: Mapping[Act, Callable[[StepContext, Any], Reply]] = {
    Act.AGAIN: _again,
    Act.TAKEOVER: sign_in.take_over,
    Act.ASSIGN: roles.assign_role,
    Act.OPEN: orders.open_order,
    Act.OPEN_ANOTHER: orders.open_another_order,
    Act.COUNT: counting.count,
    Act.SET_QUANTITY: counting.set_quantity,
    Act.ASK_REMOVE: taking_out.ask_remove,
    Act.UNDO: taking_out.undo,
    Act.CHOOSE_KIND: orders.choose_kind,
    Act.CHOOSE_MODE: orders.choose_mode,
    Act.CREATE_BOX: boxes.create_box,
    Act.CONFIRM_BOX: boxes.confirm_box,
    Act.SIZE_BOX: boxes.size_box,
    Act.LABEL_BOX: boxes.label_box,
    Act.REOPEN_BY_LABEL: boxes.reopen_by_label,
    Act.START_PACKING: packing.start_packing,
    Act.CONFIRM_PACKING: packing.confirm_packing,
    Act.ASK_ROLE: roles.ask_role,
    Act.DROP_ROLE: roles.drop_role,
    Act.CANCEL: taking_out.cancel,
    Act.LEAVE_BOXING: boxes.back_to_scanning,
    Act.LEAVE_PACKING: packing.leave_packing,
    Act.LEAVE_ORDER: orders.leave_order,
    Act.SIGN_OUT: sign_in.sign_out,
}
"""The function of each act. It gets the context and the scan, whose class follows from the row of the table.

It returns the signal, or raises Refusal. A test holds the class that a function takes to the rows it stands in.
"""


def _is_badge(scan: ScanClass) -> bool:
    """Return whether the scan is for a station where nobody is signed in (`workflow.md#signed-out`)."""
    return isinstance(scan, Badge | UnknownBadge) or (isinstance(scan, Ambiguous) and scan.is_badge)


def _seen(scan: ScanClass) -> Seen | None:
    return scan.seen if isinstance(scan, Recognised) else None


def _repeat(context: StepContext) -> Reply:
    """Return the last signal of the station (`workflow.md#signed-out`)."""
    return context.transient.last or _AGAIN


def _where(context: StepContext) -> Reply:
    """Return how much is pending in the whole order (`signals.md#where-am-i`)."""
    pending = context.order.total_pending if context.station.order is not None else 0
    return Reply(signal=Signal.WHERE, pending=pending)


def _row_of(station: StationState, scan: ScanClass) -> Input:
    """Return the row of the state table for a scan."""
    match scan:
        case UnitScan() | Product():
            return Input.ITEM
        case CommandScan(verb=verb):
            return Input[verb.name]
        case Badge(operator=operator):
            return Input.OWN_BADGE if operator.id == station.operator else Input.OTHER_BADGE
        case OrderBarcode(order=order, is_open=is_open):
            return Input.OPEN_ORDER if is_open or order == station.order else Input.OTHER_ORDER
        case BoxLabel():
            return Input.LABEL
        case Recognised():
            return Input.OTHER_BARCODE
        case _:
            return Input.TEXT
