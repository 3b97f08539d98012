"""What happens at a station when time passes: REMOVE ends, an idle operator is signed out, refusals are written."""

from msgspec.structs import replace

from agent.contract.events import Selected, What
from agent.workflow.context import StepContext, WorkflowRules
from agent.workflow.rejections import REFUSALS_S
from agent.workflow.sign_in import sign_out_idle
from agent.workflow.state import StationState
from agent.workflow.transient_state import TransientState

__all__ = ["REMOVE_S", "apply_timeouts", "is_due", "note_remove"]

REMOVE_S = 10.0
"""REMOVE ends by itself after this many seconds."""


def note_remove(context: StepContext) -> None:
    """Start the time of REMOVE when it is asked for, and stop it when REMOVE is over (`workflow.md#end-of-remove`).

    A REMOVE that was pending at a restart gets its time from the next scan or the next `apply_timeouts`.
    """
    transient = context.transient
    if not context.station.remove:
        transient.remove_since = None
    elif transient.remove_since is None or any(
        isinstance(event, Selected) and event.what is What.REMOVE for event in context.events
    ):
        transient.remove_since = context.now


def is_due(station: StationState, transient: TransientState, rules: WorkflowRules, now: float) -> bool:
    """Return whether `apply_timeouts` may have something to do."""
    return station.remove or bool(transient.bursts) or _is_idle(station, transient, rules, now)


def _is_idle(station: StationState, transient: TransientState, rules: WorkflowRules, now: float) -> bool:
    return station.operator is not None and now - transient.idle_since >= rules.idle_sign_out_s


def apply_timeouts(context: StepContext) -> None:
    """End REMOVE after 10 s (`workflow.md#end-of-remove`), sign out an idle operator (`workflow.md#sign-out`), and
    write refusals that were counted (`mqtt.md#counted-refusals`).
    """
    transient = context.transient = replace(context.transient)
    if context.station.remove:
        if transient.remove_since is None:
            transient.remove_since = context.now
        elif context.now - transient.remove_since >= REMOVE_S:
            context.emit(Selected, order=context.order.id, what=What.NONE, value=None)
    if _is_idle(context.station, transient, context.rules, context.now):
        sign_out_idle(context)
    for scanner, burst in transient.bursts.items():
        if context.now - burst.since >= REFUSALS_S:
            if burst.unwritten is not None:
                context.record(burst.unwritten)
            transient.bursts = transient.bursts.delete(scanner)
    if not context.station.remove:
        transient.remove_since = None
