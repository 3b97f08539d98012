"""The fold: what each event makes of the state. Replaying a journal and taking a scan go through this one door.

`fold` holds no rules: an event says what has happened, whether or not today's rules would allow it.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from agent.contract.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    KindChosen,
    ModeChosen,
    OrderLeft,
    OrderOpened,
    OrderRevised,
    PackingConfirmed,
    PackingLeft,
    PackingStarted,
    Rejected,
    Released,
    RoleAsked,
    RoleAssigned,
    Selected,
    SignedIn,
    SignedOut,
    Voided,
)
from agent.workflow import fold_boxes, fold_orders
from agent.workflow.fold_steps import At
from agent.workflow.state import State

__all__ = ["At", "fold"]


def fold(state: State, event: Event, at: At) -> State:
    """The state after `event`. Pure; an event of a type without effect leaves the state as it is."""
    if at.journal not in state.journals:
        state = replace(state, journals=state.journals | {at.journal})
    handler = _FOLDS.get(type(event))
    if handler is not None:
        state = handler(state, event, at)
    return state


_FOLDS: dict[type[Event], Callable[[State, Any, At], State]] = {
    SignedIn: fold_orders.signed_in,
    SignedOut: fold_orders.signed_out,
    OrderOpened: fold_orders.opened,
    OrderLeft: fold_orders.left,
    RoleAsked: fold_orders.role_asked,
    RoleAssigned: fold_orders.role_assigned,
    ModeChosen: fold_orders.mode_chosen,
    KindChosen: fold_orders.kind_chosen,
    PackingStarted: fold_orders.packing_started,
    PackingLeft: fold_orders.packing_left,
    PackingConfirmed: fold_orders.packing_confirmed,
    OrderRevised: fold_orders.revised,
    Held: fold_orders.held,
    Released: fold_orders.released,
    Selected: fold_boxes.selected,
    Accepted: fold_boxes.accepted,
    Voided: fold_boxes.voided,
    Rejected: fold_boxes.rejected,
    BoxCreated: fold_boxes.box_created,
    BoxReopened: fold_boxes.box_reopened,
    BoxVoided: fold_boxes.box_voided,
    BoxSized: fold_boxes.box_sized,
    BoxConfirmed: fold_boxes.box_confirmed,
}
