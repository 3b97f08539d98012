"""One step: a frame in, events and one signal out. Pure: state, memory, time and sequence are handed in.

`take` is the whole decision about a scan, in SPEC 3's order: unreadable, bounce, not signed in, unknown badge,
ambiguous, bad argument, the table, and then what the act behind the table's cell finds.
"""

import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from agent.contract.events import Cause, Event, Selected, What
from agent.contract.operators import Operator
from agent.contract.printed_codes import Command, Verb
from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal
from agent.scan import Frame
from agent.workflow import boxes, counting, orders
from agent.workflow.classify import (
    Ambiguous,
    BadArgument,
    Badge,
    BoxLabel,
    Code,
    CommandScan,
    OrderBarcode,
    Product,
    Recognised,
    Text,
    UnitScan,
    Unreadable,
    classify,
)
from agent.workflow.context import Desk, Refusal, Settings
from agent.workflow.memory import REFUSALS, REFUSALS_S, REMOVE_S, Bounce, Burst, Memory, Reply
from agent.workflow.state import Phase, State, Station
from agent.workflow.table import REFUSED_ON_CLOSED, TABLE, Act, Input

__all__ = ["Decision", "expire", "is_due", "take"]


class Decision(Struct, frozen=True, kw_only=True):
    """What a step comes to: if there are events, they must be committed before state and signal count for anything."""

    state: State
    memory: Memory
    events: tuple[Event, ...]
    reply: Reply | None


_AGAIN = Reply(signal=Signal.AGAIN)
_REPEATABLE = frozenset((CommandScan, BadArgument, Product))
_COUNTED = frozenset((UnitScan, Product))
_LABELLED = frozenset((Phase.SCANNING, Phase.BOXING))
_EVERYWHERE = frozenset((Verb.REPEAT, Verb.WHERE))
_QUANTITY = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_SIZE_CODE = re.compile(r"[A-Z0-9]{1,32}", re.ASCII)


def take(desk: Desk, frame: Frame, memory: Memory) -> Decision:
    """Decide about one scan. `desk` is fresh: this scan's station, scanner, time and state."""
    scanner = desk.scanner or ""
    desk.data = frame.data
    memory = replace(memory, idle_since=frame.at)
    if not frame.intact:
        return _refuse(desk, frame, memory, Refusal(Reason.UNREADABLE), Unreadable())
    bounce = memory.bounces.get(scanner)
    if bounce is not None and bounce.data == frame.data and frame.at - bounce.at <= desk.settings.bounce_s > 0:
        memory.bounces = memory.bounces.set(scanner, replace(bounce, at=frame.at))
        memory.last = bounce.reply
        return Decision(state=desk.state, memory=memory, events=(), reply=bounce.reply)
    order = desk.state.orders.get(desk.station.order or "")
    label_awaited = desk.station.phase in _LABELLED
    reading = classify(frame.data, order=order, label_awaited=label_awaited, lookup=desk.cache)
    code, desk.symbology, desk.data = reading.code, reading.symbology, reading.data
    if type(code) is Unreadable:
        return _refuse(desk, frame, memory, Refusal(Reason.UNREADABLE), code)
    try:
        reply = _decide(desk, code, memory)
    except Refusal as refusal:
        desk.undo()
        decision = _refuse(desk, frame, memory, refusal, code)
    else:
        if memory.cancel_since != frame.at:
            memory.cancel_since = None
        _conclude(desk, memory, reply)
        decision = Decision(state=desk.state, memory=memory, events=tuple(desk.events), reply=reply)
    _remember(memory, scanner, frame, code, decision.reply)
    return decision


def _conclude(desk: Desk, memory: Memory, reply: Reply) -> None:
    """What of the reply is remembered; REMOVE's time runs from the scan that asked for it last, or from the first one
    after a start."""
    memory.last = reply
    if not desk.station.remove:
        memory.remove_since = None
    elif memory.remove_since is None or any(
        isinstance(event, Selected) and event.what is What.REMOVE for event in desk.events
    ):
        memory.remove_since = desk.now


def _remember(memory: Memory, scanner: str, frame: Frame, code: Code, reply: Reply | None) -> None:
    """Remember what the scanner has just read, and how its repetition is answered."""
    if reply is None or type(code) in _REPEATABLE:
        reply = _AGAIN
    memory.bounces = memory.bounces.set(scanner, Bounce(data=frame.data, at=frame.at, reply=reply))


# -- refusing ----------------------------------------------------------------------------------------------------


def _clears(desk: Desk, code: Code) -> tuple[str, ...]:
    """The pending steps that a refused scan uses up: REMOVE is for one scan, a QTY for one product."""
    station = desk.station
    if station.phase is not Phase.SCANNING:
        return ()
    if isinstance(code, OrderBarcode | BoxLabel | Recognised | Text | UnitScan | Product) and station.remove:
        return ("remove", "quantity") if station.quantity is not None else ("remove",)
    is_product = isinstance(code, Product) or (isinstance(code, UnitScan) and code.with_product)
    return ("quantity",) if is_product and station.quantity is not None else ()


def _refuse(desk: Desk, frame: Frame, memory: Memory, refusal: Refusal, code: Code) -> Decision:
    """One `scan.rejected`, unless the scanner is flooding: then it waits to be counted in with others."""
    scanner = desk.scanner or ""
    clears = _clears(desk, code)
    burst = memory.bursts.get(scanner)
    if burst is not None and frame.at - burst.since >= REFUSALS_S:
        if burst.unwritten is not None:
            desk.record(burst.unwritten)
        burst = None
    rejected = desk.reject(refusal.reason, seen=refusal.seen, clears=clears)
    if burst is None:
        burst = Burst(since=frame.at, journaled=1)
    elif burst.journaled < REFUSALS or clears:
        burst = replace(burst, journaled=burst.journaled + 1)
    else:
        count = burst.unwritten.count + 1 if burst.unwritten is not None else 1
        burst = replace(burst, unwritten=replace(rejected, count=count))
        desk.undo()
    reply = Reply(signal=refusal.signal, reason=refusal.reason)
    memory.bursts = memory.bursts.set(scanner, burst)
    memory.cancel_since = None
    _conclude(desk, memory, reply)
    return Decision(state=desk.state, memory=memory, events=tuple(desk.events), reply=reply)


# -- deciding ----------------------------------------------------------------------------------------------------


def _decide(desk: Desk, code: Code, memory: Memory) -> Reply:
    # A struct's `isinstance` goes a long way, and no class of a code has heirs: here its type is asked.
    station = desk.station
    command = code.command if type(code) is CommandScan else None
    if command is not None and command.verb in _EVERYWHERE and not command.argument:
        return _tell(desk, command, memory)
    if station.operator is None and not _is_badge(code):
        raise Refusal(Reason.NOT_SIGNED_IN)
    if type(code) is Badge and code.operator is None:
        raise Refusal(Reason.BADGE_UNKNOWN)
    if type(code) is Ambiguous:
        raise Refusal(Reason.AMBIGUOUS)
    if type(code) is BadArgument or (command is not None and not _has_good_argument(command)):
        raise Refusal(Reason.BAD_ARGUMENT)
    if type(code) is Badge and station.operator is None:
        return orders.sign_in(desk, _operator(code))
    cell = TABLE[_input_of(station, code), station.phase]
    if type(cell) is Reason:
        raise Refusal(cell, seen=_seen(code))
    if cell in REFUSED_ON_CLOSED and not desk.order.is_open:
        raise Refusal(Reason.ORDER_CLOSED)
    if cell is Act.CANCEL:
        return boxes.cancel(desk, memory)
    return _ACTS[cell](desk, code)


def _is_badge(code: Code) -> bool:
    return isinstance(code, Badge) or (isinstance(code, Ambiguous) and code.is_badge)


def _seen(code: Code) -> Seen | None:
    return code.seen if isinstance(code, Recognised) else None


def _tell(desk: Desk, command: Command, memory: Memory) -> Reply:
    if command.verb is Verb.REPEAT:
        return memory.last or _AGAIN
    pending = desk.order.total_pending if desk.station.order is not None else 0
    return Reply(signal=Signal.WHERE, pending=pending)


def _has_good_argument(command: Command) -> bool:
    match command.verb:
        case Verb.MODE:
            return command.argument in orders.MODE_ARGUMENTS
        case Verb.KIND:
            return command.argument in orders.KIND_ARGUMENTS
        case Verb.ROLE:
            return command.argument == "ALL" or command.argument in orders.ROLE_ARGUMENTS
        case Verb.QTY:
            return _QUANTITY.fullmatch(command.argument) is not None
        case Verb.BOX:
            return _SIZE_CODE.fullmatch(command.argument) is not None
        case _:
            return command.argument == ""


def _input_of(station: Station, code: Code) -> Input:
    if type(code) in _COUNTED:
        return Input.PRODUCT_OR_UNIT
    match code:
        case CommandScan(command):
            return _INPUT_OF_VERB[command.verb]
        case Badge(operator):
            own = operator is not None and operator.id == station.operator
            return Input.OWN_BADGE if own else Input.OTHER_BADGE
        case OrderBarcode(order, is_open):
            return Input.OPEN_ORDER if is_open or order == station.order else Input.OTHER_ORDER
        case BoxLabel():
            return Input.LABEL
        case _:
            return Input.OTHER


_INPUT_OF_VERB = {
    Verb.SAVE: Input.SAVE,
    Verb.PACK: Input.PACK,
    Verb.CONFIRM: Input.CONFIRM,
    Verb.UNDO: Input.UNDO,
    Verb.REMOVE: Input.REMOVE,
    Verb.CANCEL: Input.CANCEL,
    Verb.MODE: Input.MODE,
    Verb.KIND: Input.KIND,
    Verb.ROLE: Input.ROLE,
    Verb.QTY: Input.QTY,
    Verb.BOX: Input.BOX,
    Verb.CLOSE: Input.CLOSE,
    Verb.OUT: Input.OUT,
}


# -- the acts ----------------------------------------------------------------------------------------------------


def _argument(code: Code) -> str:
    return code.command.argument if isinstance(code, CommandScan) else ""


def _operator(code: Code) -> Operator:
    if not isinstance(code, Badge) or code.operator is None:
        raise TypeError("no badge")
    return code.operator


def _order_id(code: Code) -> str:
    return code.order if isinstance(code, OrderBarcode) else ""


def _label(code: Code) -> str:
    return code.label if isinstance(code, BoxLabel) else ""


def _count(desk: Desk, code: Code) -> Reply:
    if type(code) is not UnitScan and type(code) is not Product:
        raise TypeError("neither a unit nor a product")
    return counting.remove(desk, code) if desk.station.remove else counting.count(desk, code)


def _no_order(desk: Desk, code: Code) -> Reply:
    raise Refusal(Reason.ORDER_UNKNOWN if isinstance(code, Text) else Reason.ORDER_REQUIRED, seen=_seen(code))


def _unwanted(desk: Desk, code: Code) -> Reply:
    raise Refusal(Reason.UNKNOWN_CODE if isinstance(code, Text) else Reason.WRONG_BARCODE, seen=_seen(code))


_ACTS: dict[Act, Callable[[Desk, Code], Reply]] = {
    Act.AGAIN: lambda desk, code: _AGAIN,
    Act.TAKEOVER: lambda desk, code: orders.take_over(desk, _operator(code)),
    Act.ASSIGN: lambda desk, code: orders.assign(desk, _operator(code)),
    Act.OPEN: lambda desk, code: orders.open_order(desk, _order_id(code)),
    Act.REPLACE: lambda desk, code: orders.open_another(desk, _order_id(code)),
    Act.COUNT: _count,
    Act.SET_QUANTITY: lambda desk, code: counting.set_quantity(desk, _argument(code)),
    Act.ASK_REMOVE: lambda desk, code: counting.ask_remove(desk),
    Act.UNDO: lambda desk, code: boxes.undo(desk),
    Act.CHOOSE_KIND: lambda desk, code: orders.choose_kind(desk, _argument(code)),
    Act.CHOOSE_MODE: lambda desk, code: orders.choose_mode(desk, _argument(code)),
    Act.CREATE_BOX: lambda desk, code: boxes.create_box(desk),
    Act.CONFIRM_BOX: lambda desk, code: boxes.confirm_box(desk),
    Act.SIZE_BOX: lambda desk, code: boxes.size_box(desk, _argument(code)),
    Act.LABEL_BOX: lambda desk, code: boxes.label_box(desk, _label(code)),
    Act.REOPEN_BY_LABEL: lambda desk, code: boxes.reopen_by_label(desk, _label(code)),
    Act.START_PACKING: lambda desk, code: orders.start_packing(desk),
    Act.CLOSE_PACKING: lambda desk, code: orders.confirm_packing(desk),
    Act.ASK_ROLE: lambda desk, code: orders.ask_role(desk, _argument(code)),
    Act.DROP_ROLE: lambda desk, code: orders.drop_role(desk),
    Act.BACK_TO_BOX: lambda desk, code: boxes.back_to_scanning(desk),
    Act.LEAVE_PACKING: lambda desk, code: orders.leave_packing(desk),
    Act.LEAVE: lambda desk, code: orders.leave(desk),
    Act.SIGN_OUT: lambda desk, code: orders.sign_out(desk),
    Act.NO_ORDER: _no_order,
    Act.UNWANTED: _unwanted,
}


# -- time --------------------------------------------------------------------------------------------------------


def _is_idle(station: Station, memory: Memory, settings: Settings, now: float) -> bool:
    return station.operator is not None and now - memory.idle_since >= settings.idle_sign_out_s


def is_due(station: Station, memory: Memory, settings: Settings, now: float) -> bool:
    """Whether `expire` may have something to do; asked before every scan, and nearly never so."""
    return station.remove or bool(memory.bursts) or _is_idle(station, memory, settings, now)


def expire(desk: Desk, memory: Memory) -> Decision:
    """What the passing of time does at a station: REMOVE ends, an idle operator is signed out, a flood is written."""
    station = desk.station
    memory = replace(memory)
    if station.remove and memory.remove_since is None:
        memory.remove_since = desk.now
    elif station.remove and memory.remove_since is not None and desk.now - memory.remove_since >= REMOVE_S:
        desk.emit(Selected, order=desk.order.id, what=What.NONE, value=None)
    if _is_idle(station, memory, desk.settings, desk.now):
        orders.sign_out(desk, Cause.IDLE)
    for scanner, burst in memory.bursts.items():
        if desk.now - burst.since >= REFUSALS_S:
            if burst.unwritten is not None:
                desk.record(burst.unwritten)
            memory.bursts = memory.bursts.delete(scanner)
    if not desk.station.remove:
        memory.remove_since = None
    return Decision(state=desk.state, memory=memory, events=tuple(desk.events), reply=None)
