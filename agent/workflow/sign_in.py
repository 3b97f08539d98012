"""Signing in and out, by an operator, by time, or because the operators list or the configuration changed."""

from collections.abc import Collection

from agent.contract.events import Cause, SignedIn, SignedOut
from agent.contract.signals import Signal
from agent.workflow.context import StepContext
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.reply import Reply
from agent.workflow.scan_classes import Badge, CommandScan

__all__ = ["sign_in", "sign_out", "sign_out_idle", "sign_out_removed_stations", "sign_out_unlisted", "take_over"]


def sign_in(context: StepContext, scan: Badge) -> Reply:
    """Sign an operator in (`workflow.md#sign-in`)."""
    operator = scan.operator.id
    context.record(SignedIn(station=context.station_id, by=operator, operator=operator, cause=Cause.BADGE))
    return Reply(signal=Signal.OK)


def take_over(context: StepContext, scan: Badge) -> Reply:
    """Sign the operator out and another one in (`workflow.md#takeover`)."""
    _sign_out(context, Cause.TAKEOVER)
    return sign_in(context, scan)


def sign_out(context: StepContext, scan: CommandScan) -> Reply:
    """Sign the operator out by OUT (`workflow.md#sign-out`)."""
    _sign_out(context, Cause.COMMAND)
    return Reply(signal=Signal.OK)


def sign_out_idle(context: StepContext) -> None:
    """Sign the operator out who has scanned nothing for `idle_sign_out_s` (`workflow.md#sign-out`)."""
    _sign_out(context, Cause.IDLE)


def _sign_out(context: StepContext, cause: Cause) -> None:
    context.emit(SignedOut, operator=context.station.operator, cause=cause)


def sign_out_unlisted(commit: PendingCommit, listed: frozenset[str]) -> None:
    """Sign out operators who are no longer on the operators list, at all stations (`workflow.md#sign-out`)."""
    for name in sorted(commit.state.stations):
        operator = commit.state.station(name).operator
        if operator is not None and operator not in listed:
            commit.record(SignedOut(station=name, by=operator, operator=operator, cause=Cause.DELISTED))


def sign_out_removed_stations(commit: PendingCommit, stations: Collection[str]) -> None:
    """Sign out at stations that the configuration does not have any more (`workflow.md#sign-out`).

    Nobody can sign out there, and an order left open there must be able to pass over to another station.
    """
    for name in sorted(commit.state.stations):
        operator = commit.state.station(name).operator
        if operator is not None and name not in stations:
            commit.record(SignedOut(station=name, by=operator, operator=operator, cause=Cause.IDLE))
