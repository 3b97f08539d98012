"""The roles of an order: asking for a badge, assigning it, and refusing scans while a role is vacant."""

from collections.abc import Iterable

from agent.contract.command_arguments import ALL_ROLES, ROLES
from agent.contract.events import RoleAsked, RoleAssigned
from agent.contract.manifest import Role
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.workflow.context import StepContext
from agent.workflow.reply import Refusal, Reply
from agent.workflow.scan_classes import Badge, CommandScan
from agent.workflow.state import Order

__all__ = ["ask_role", "assign_role", "check_required_roles", "drop_role"]

_ALL = "all"


def ask_role(context: StepContext, scan: CommandScan) -> Reply:
    """Await the badge for a role, or for all three (`workflow.md#assign-a-role`)."""
    role = _ALL if scan.argument == ALL_ROLES else ROLES[scan.argument].value
    context.emit(RoleAsked, order=context.order.id, role=role)
    return Reply(signal=Signal.PROMPT)


def drop_role(context: StepContext, scan: CommandScan) -> Reply:
    """Go back without assigning: CANCEL while a badge is awaited (`workflow.md#assign-a-role`)."""
    context.emit(RoleAsked, order=context.order.id, role=None)
    return Reply(signal=Signal.OK)


def assign_role(context: StepContext, scan: Badge) -> Reply:
    """Assign the pending role to the badge's operator, or all three, or none (`workflow.md#assign-a-role`)."""
    role = context.station.role or _ALL
    roles = tuple(Role) if role == _ALL else (Role(role),)
    if scan.operator.roles is not None and not scan.operator.roles.issuperset(roles):
        raise Refusal(Reason.ROLE_NOT_ALLOWED)
    order_id = context.order.id
    for one in roles:
        context.emit(RoleAssigned, order=order_id, role=one, operator=scan.operator.id)
    return Reply(signal=Signal.OK)


def check_required_roles(order: Order, required: Iterable[Role]) -> None:
    """Refuse a device or product while a required role is vacant (`workflow.md#required-roles`)."""
    for role in required:
        if role not in order.assigned and role not in order.manifest.operators:
            raise Refusal(Reason.OPERATOR_UNASSIGNED)
