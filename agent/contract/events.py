"""The events: every fact that the kiosk records, as frozen types (`mqtt.md#event-types`).

An event's fields are the `data` of its published document, with two exceptions: `station` and `by` are attributes of
the document, and `private` fields are kept in the journal and not published. `agent.contract.cloudevents` writes and
reads the documents.
"""

from agent.contract.event_values import (
    Cause,
    Content,
    Event,
    Kind,
    LineCount,
    Outcome,
    Reopened,
    Size,
    Unit,
    What,
)
from agent.contract.order_events import (
    Held,
    KindChosen,
    ModeChosen,
    OrderCounted,
    OrderLeft,
    OrderOpened,
    OrderRevised,
    PackingConfirmed,
    PackingLeft,
    PackingRefused,
    PackingStarted,
    Released,
    RoleAsked,
    RoleAssigned,
    SignedIn,
    SignedOut,
)
from agent.contract.scan_events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Rejected,
    Selected,
    Voided,
)

__all__ = [
    "EVENTS",
    "Accepted",
    "BoxConfirmed",
    "BoxCreated",
    "BoxReopened",
    "BoxSized",
    "BoxVoided",
    "Cause",
    "Content",
    "Event",
    "Held",
    "Kind",
    "KindChosen",
    "LineCount",
    "ModeChosen",
    "OrderCounted",
    "OrderLeft",
    "OrderOpened",
    "OrderRevised",
    "Outcome",
    "PackingConfirmed",
    "PackingLeft",
    "PackingRefused",
    "PackingStarted",
    "Rejected",
    "Released",
    "Reopened",
    "RoleAsked",
    "RoleAssigned",
    "Selected",
    "SignedIn",
    "SignedOut",
    "Size",
    "Unit",
    "Voided",
    "What",
]

EVENTS: dict[str, type[Event]] = {
    cls.type: cls
    for cls in (
        SignedIn, SignedOut, OrderOpened, OrderLeft, RoleAsked, RoleAssigned, ModeChosen, KindChosen,
        PackingStarted, PackingLeft, PackingRefused, PackingConfirmed, OrderRevised, OrderCounted, Held,
        Released, Selected, Accepted, Rejected, Voided, BoxCreated, BoxReopened, BoxVoided, BoxSized, BoxConfirmed,
    )
}  # fmt: skip
"""Every event type by its `type`."""
