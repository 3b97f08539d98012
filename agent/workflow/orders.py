"""Operators and orders: signing in, opening, assigning, choosing mode and kind, packing, leaving (rules 1 to 4, 8)."""

from agent.contract.events import (
    Cause,
    Kind,
    KindChosen,
    ModeChosen,
    OrderOpened,
    PackingConfirmed,
    PackingLeft,
    PackingRefused,
    PackingStarted,
    RoleAsked,
    RoleAssigned,
    SignedIn,
    SignedOut,
)
from agent.contract.manifest import Flow, Role
from agent.contract.operators import Operator
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import LINES_BYTES, Desk, Refusal, line_bytes, line_counts
from agent.workflow.fold_steps import adopted
from agent.workflow.memory import Reply

__all__ = [
    "KIND_ARGUMENTS",
    "MODE_ARGUMENTS",
    "ROLE_ARGUMENTS",
    "ask_role",
    "assign",
    "choose_kind",
    "choose_mode",
    "confirm_packing",
    "drop_role",
    "leave",
    "leave_packing",
    "open_another",
    "open_order",
    "sign_in",
    "sign_out",
    "start_packing",
    "take_over",
]

ROLE_ARGUMENTS = {"PICK": Role.PICKING, "PACK": Role.PACKING, "SHIP": Role.SHIPPING}
MODE_ARGUMENTS = {"USED": Flow.USED, "DIST": Flow.DISTRIBUTION, "POS": Flow.POS}
KIND_ARGUMENTS = {"SERIAL": Kind.SERIAL, "SKU": Kind.SKU, "AUTO": Kind.AUTO}
ALL = "all"
_ORDER_EVENT_BYTES = 24_000
"""Room for box ids in `order.packing_confirmed`, where the lines leave so much."""


# -- operators ---------------------------------------------------------------------------------------------------


def sign_in(desk: Desk, operator: Operator) -> Reply:
    desk.record(SignedIn(station=desk.station_id, by=operator.id, operator=operator.id, cause=Cause.BADGE))
    return Reply(signal=Signal.OK)


def take_over(desk: Desk, operator: Operator) -> Reply:
    sign_out(desk, Cause.TAKEOVER)
    return sign_in(desk, operator)


def sign_out(desk: Desk, cause: Cause = Cause.COMMAND) -> Reply:
    """Order, mode, product, box and phase stay; a pending role, QTY and REMOVE are dropped (by the fold)."""
    operator = desk.station.operator
    if operator is not None:
        desk.emit(SignedOut, operator=operator, cause=cause)
    return Reply(signal=Signal.OK)


# -- opening and leaving -----------------------------------------------------------------------------------------


def open_order(desk: Desk, order_id: str) -> Reply:
    """Open an order here; one open at a signed-out station passes over with its box."""
    order = desk.state.orders.get(order_id)
    manifest = order.manifest if order is not None else desk.cache.manifest(order_id)
    if manifest is None:
        raise Refusal(Reason.ORDER_UNKNOWN)
    fresh = order if order is not None else adopted(desk.state, None, manifest)
    if not fresh.is_open:
        raise Refusal(Reason.ORDER_CLOSED)
    elsewhere = desk.state.station_with(order_id)
    if elsewhere is not None and desk.state.station(elsewhere).operator is not None:
        raise Refusal(Reason.ORDER_IN_USE)
    if elsewhere is not None:
        desk.leave_order(elsewhere)
    desk.leave_order()
    desk.emit(
        OrderOpened,
        order=order_id,
        revision=manifest.revision,
        mode=desk.mode_of(fresh),
        manifest=None if order_id in desk.state.orders else manifest.source,
    )
    if desk.order.holds:
        return Reply(signal=Signal.ALARM, reason=Reason.HELD)
    return Reply(signal=Signal.OK)


def open_another(desk: Desk, order_id: str) -> Reply:
    """Open another order while one is open: only if the open box is empty."""
    if desk.order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    return open_order(desk, order_id)


def leave(desk: Desk) -> Reply:
    desk.leave_order()
    return Reply(signal=Signal.OK)


# -- roles -------------------------------------------------------------------------------------------------------


def ask_role(desk: Desk, argument: str) -> Reply:
    role = ALL if argument == "ALL" else ROLE_ARGUMENTS[argument].value
    desk.emit(RoleAsked, order=desk.order.id, role=role)
    return Reply(signal=Signal.PROMPT)


def drop_role(desk: Desk) -> Reply:
    desk.emit(RoleAsked, order=desk.order.id, role=None)
    return Reply(signal=Signal.OK)


def assign(desk: Desk, operator: Operator) -> Reply:
    """The pending role, or all three or none, to the badge's operator. Never signs in."""
    role = desk.station.role or ALL
    roles = tuple(Role) if role == ALL else (Role(role),)
    if operator.roles is not None and not operator.roles.issuperset(roles):
        raise Refusal(Reason.ROLE_NOT_ALLOWED)
    order_id = desk.order.id
    for one in roles:
        desk.emit(RoleAssigned, order=order_id, role=one, operator=operator.id)
    return Reply(signal=Signal.OK)


# -- mode and kind -----------------------------------------------------------------------------------------------


def choose_mode(desk: Desk, argument: str) -> Reply:
    mode = MODE_ARGUMENTS[argument]
    if desk.station.mode is mode:
        return Reply(signal=Signal.AGAIN)
    if all(line.flow is not mode for line in desk.order.manifest.lines):
        raise Refusal(Reason.WRONG_MODE)
    if desk.order.box is not None:
        raise Refusal(Reason.BOX_OPEN)
    desk.emit(ModeChosen, order=desk.order.id, mode=mode)
    return Reply(signal=Signal.OK)


def choose_kind(desk: Desk, argument: str) -> Reply:
    kind = KIND_ARGUMENTS[argument]
    if desk.station.kind is kind:
        return Reply(signal=Signal.AGAIN)
    desk.emit(KindChosen, order=desk.order.id, kind=kind)
    return Reply(signal=Signal.OK)


# -- packing confirmation ----------------------------------------------------------------------------------------


def _packing_obstacle(desk: Desk) -> Reason | None:
    """Rule 8's checks, in its order."""
    order = desk.order
    if order.holds:
        return Reason.HELD
    if not order.is_open:
        return Reason.ORDER_CLOSED
    if order.box is not None:
        return Reason.BOX_OPEN
    return None if order.is_exact() else Reason.QUANTITY_MISMATCH


def _refuse_quantities(desk: Desk) -> Reply:
    order = desk.order
    desk.emit(PackingRefused, order=order.id, reason=Reason.QUANTITY_MISMATCH, lines=line_counts(order, order.lines()))
    return Reply(signal=Signal.REJECT, reason=Reason.QUANTITY_MISMATCH)


def start_packing(desk: Desk) -> Reply:
    obstacle = _packing_obstacle(desk)
    if obstacle is Reason.QUANTITY_MISMATCH:
        return _refuse_quantities(desk)
    if obstacle is not None:
        raise Refusal(obstacle)
    desk.emit(PackingStarted, order=desk.order.id)
    return Reply(signal=Signal.PROMPT)


def confirm_packing(desk: Desk) -> Reply:
    """All checks again: the manifest may have changed since PACK. Then the order is closed here at once."""
    order, station = desk.order, desk.station
    obstacle = _packing_obstacle(desk)
    if obstacle is not None:
        if obstacle is Reason.QUANTITY_MISMATCH:
            _refuse_quantities(desk)
        else:
            desk.reject(obstacle)
        desk.emit(PackingLeft, order=order.id)
        return Reply(signal=Signal.REJECT, reason=obstacle)
    if desk.settings.packer_confirms and order.role(Role.PACKING) != station.operator:
        raise Refusal(Reason.NOT_ASSIGNED)
    lines = line_counts(order, order.lines())
    room = min(_ORDER_EVENT_BYTES, LINES_BYTES - sum(line_bytes(count.line) for count in lines))
    boxes = order.confirmed[: min(1000, room // (len(order.confirmed[0]) + 3))] if order.confirmed else ()
    desk.emit(
        PackingConfirmed,
        order=order.id,
        revision=order.manifest.revision,
        lines=lines,
        boxes=boxes,
        operators={role.value: order.role(role) for role in Role},
    )
    return Reply(signal=Signal.CONFIRMED)


def leave_packing(desk: Desk) -> Reply:
    desk.emit(PackingLeft, order=desk.order.id)
    return Reply(signal=Signal.OK)
