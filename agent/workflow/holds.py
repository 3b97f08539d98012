"""Holds: what a verdict of the centre does to an order, and what a held order refuses."""

from agent.contract.events import Held, Outcome, Released, Unit
from agent.contract.manifest import unit_forms, unit_key
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.contract.verdicts import Action, Verdict
from agent.workflow.context import StepContext
from agent.workflow.line_choice import device_of, forms_of
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.reply import Alarm, Refusal
from agent.workflow.scan_classes import Product, UnitScan
from agent.workflow.state import Order, State, ids_of

__all__ = ["check_not_held", "end_holds", "take_verdict"]

_HOLDS = 1000
"""The most holds on one order (`mqtt.md#bounded-memory`)."""


def check_not_held(order: Order, scan: UnitScan | Product) -> None:
    """Refuse every device and product on a held order (`workflow.md#held-orders`).

    The held device and counted ones have signals of their own, so that the held device can be found.
    """
    if not order.holds:
        return
    if isinstance(scan, UnitScan):
        ids = device_of(scan.ids, order).forms
        if order.held_units().intersection(ids):
            raise Refusal(Reason.HELD, signal=Signal.ALARM)
        if any(one in order.counted or one in order.elsewhere_units for one in ids):
            raise Refusal(Reason.ALREADY_COUNTED)
    raise Refusal(Reason.HELD)


def end_holds(context: StepContext, order: Order, unit: Unit) -> None:
    """Record the end of the holds on a device that was just taken out (`workflow.md#end-of-a-hold`)."""
    if not order.holds:
        return
    ids = forms_of(ids_of(unit))
    for verdict, hold in sorted(order.holds.items(), key=lambda item: item[0]):
        if hold.unit in ids:
            context.emit(
                Released,
                verdict=verdict,
                order=order.id,
                unit=unit.id,
                reason=hold.reason,
                outcome=Outcome.UNIT_REMOVED,
            )


def take_verdict(commit: PendingCommit, verdict: Verdict) -> list[Alarm]:
    """Record what a verdict does, once for each of its revisions and each journal id (`mqtt.md#verdicts`).

    Return the alarms to sound.
    """
    is_known_journal = commit.journal in commit.state.journals
    if is_known_journal and verdict.revision <= commit.state.verdict_revision(verdict.id):
        return []
    station = commit.state.station_with(verdict.order)
    is_hold = verdict.action is Action.HOLD
    outcome = _outcome_of_hold(commit.state, verdict) if is_hold else _outcome_of_release(commit.state, verdict)
    if outcome is None:
        if _is_full(commit.state.orders[verdict.order], verdict):
            return []  # nothing is remembered of it: the broker sends it again at the next connect
        commit.record(
            Held(
                station=station,
                verdict=verdict.id,
                order=verdict.order,
                unit=verdict.unit,
                reason=verdict.reason,
                revision=verdict.revision,
            )
        )
        return [Alarm(station=station, reason=Reason.HELD)] if station is not None else []
    commit.record(
        Released(
            station=station,
            verdict=verdict.id,
            order=verdict.order,
            unit=verdict.unit,
            reason=verdict.reason,
            outcome=outcome,
            revision=verdict.revision,
        )
    )
    return []


def _outcome_of_hold(state: State, verdict: Verdict) -> Outcome | None:
    """Return why the verdict cannot hold the order (`workflow.md#held-orders`); None if it can."""
    order = state.orders.get(verdict.order)
    if order is not None and (verdict.unit is None or _is_counted(verdict.unit, order)):
        return None if order.packed is None else Outcome.ALREADY_PACKED
    return Outcome.ALREADY_PACKED if verdict.order in state.packed else Outcome.NOT_HERE


def _is_full(order: Order, verdict: Verdict) -> bool:
    return len(order.holds) >= _HOLDS and verdict.id not in order.holds


def _is_counted(unit: str, order: Order) -> bool:
    return any(form in order.counted for form in unit_forms(unit_key(unit)))


def _outcome_of_release(state: State, verdict: Verdict) -> Outcome:
    """Return what the verdict releases (`workflow.md#end-of-a-hold`)."""
    order = state.orders.get(verdict.order)
    is_barred = any(verdict.id in verdicts for verdicts in state.barred.values())
    if is_barred or (order is not None and verdict.id in order.holds):
        return Outcome.RELEASED
    is_packed = verdict.order in state.packed or (order is not None and order.packed is not None)
    return Outcome.ALREADY_PACKED if is_packed else Outcome.NOT_HERE
