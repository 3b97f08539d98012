"""The fold: the state after an event (`workflow.md#restart-keeps-the-state`). Pure.

A scan and a replay of the journal both change the state by `fold` alone. The fold never refuses an event: the rules
decided when the event was recorded, and it is applied whether or not the rules of today would allow it. What an event
implies and does not say is worked out here, by code that must give the same result at every replay: that a sign-out
drops a pending role, that a box closes and the order's shared mode returns, that a manifest opens a packed order again.
"""

from collections.abc import Callable
from typing import Any

from immutables import Map
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
    OrderCounted,
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
from agent.workflow.state import State
from agent.workflow.state_changes import EventPosition

__all__ = ["fold"]


def fold(state: State, event: Event, at: EventPosition) -> State:
    """Return the state after an event at this position.

    Every event adds its journal id to `State.journals`. The first event under a new id forgets which verdicts were
    taken: they are taken again under the new id (`mqtt.md#verdicts`). Events that are not in `_FOLDS` change nothing
    else.
    Raise KeyError or ValueError if the event cannot follow on this state.
    """
    if at.journal not in state.journals:
        state = replace(state, journals=state.journals | {at.journal}, verdicts=Map(), older_verdicts=Map())
    handler = _FOLDS.get(type(event))
    if handler is not None:
        state = handler(state, event, at)
    return state


_FOLDS: dict[type[Event], Callable[[State, Any, EventPosition], State]] = {
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
    OrderCounted: fold_orders.counted,
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
