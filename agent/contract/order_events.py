"""What happens to operators and orders: the events published on `event/operator` and `event/order`."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from agent.contract.counted import CountedBox
from agent.contract.event_values import AwaitedRole, Cause, Event, Kind, LineCount, Outcome
from agent.contract.manifest import Flow, Role, Status
from agent.contract.reasons import Reason

__all__ = [
    "Held",
    "KindChosen",
    "ModeChosen",
    "OrderCounted",
    "OrderLeft",
    "OrderOpened",
    "OrderRevised",
    "PackingConfirmed",
    "PackingLeft",
    "PackingRefused",
    "PackingStarted",
    "Released",
    "RoleAsked",
    "RoleAssigned",
    "SignedIn",
    "SignedOut",
]


class SignedIn(Event, frozen=True, kw_only=True):
    """An operator signed in (`workflow.md#sign-in`)."""

    type = "operator.signed_in"
    operator: str
    cause: Cause


class SignedOut(Event, frozen=True, kw_only=True):
    """An operator was signed out (`workflow.md#sign-out`)."""

    type = "operator.signed_out"
    operator: str
    cause: Cause


class OrderOpened(Event, frozen=True, kw_only=True):
    """An order was opened at a station (`workflow.md#open-an-order`)."""

    type = "order.opened"
    private = ("manifest",)
    order: str
    revision: int
    """The revision of its manifest."""
    mode: Flow | None
    """The scan mode, if all lines share one flow or a box came back with its mode."""
    manifest: str | None = None
    """The manifest's source, so that the order survives the loss of the cache; None if the journal has it already."""


class OrderLeft(Event, frozen=True, kw_only=True):
    """An order was put down; its open box stays as it is (`workflow.md#leave-an-order`)."""

    type = "order.left"
    order: str
    revision: int
    mode: Flow | None


class RoleAsked(Event, frozen=True, kw_only=True):
    """The badge for a role is awaited, or no longer (`workflow.md#assign-a-role`)."""

    type = "order.role_asked"
    order: str
    role: AwaitedRole | None
    """Null: the pending role was dropped."""


class RoleAssigned(Event, frozen=True, kw_only=True):
    """An operator was assigned to a role (`workflow.md#assign-a-role`)."""

    type = "order.assigned"
    order: str
    role: Role
    operator: str


class ModeChosen(Event, frozen=True, kw_only=True):
    """MODE chose the scan mode (`workflow.md#choose-a-mode`)."""

    type = "order.mode_chosen"
    order: str
    mode: Flow


class KindChosen(Event, frozen=True, kw_only=True):
    """KIND chose what is counted (`workflow.md#choose-a-kind`)."""

    type = "order.kind_chosen"
    order: str
    kind: Kind


class PackingStarted(Event, frozen=True, kw_only=True):
    """PACK: the packing is to be confirmed (`workflow.md#start-packing`)."""

    type = "order.packing_started"
    order: str


class PackingLeft(Event, frozen=True, kw_only=True):
    """The station went back from `packing` to `scanning`."""

    type = "order.packing_left"
    order: str


class PackingRefused(Event, frozen=True, kw_only=True):
    """PACK or CONFIRM was refused because ordered and scanned differ. Other refusals of them are `scan.rejected`."""

    type = "order.packing_refused"
    order: str
    reason: Reason
    """Always `quantity_mismatch`."""
    lines: tuple[LineCount, ...]
    """The order's lines; the first ones, if the event has no room for all."""


class PackingConfirmed(Event, frozen=True, kw_only=True):
    """The order is packed and closed (`workflow.md#confirm-packing`)."""

    type = "order.packing_confirmed"
    order: str
    revision: int
    lines: tuple[LineCount, ...]
    """The order's lines; the first ones, if the event has no room for all."""
    boxes: tuple[str, ...]
    """The ids of the order's boxes confirmed at this kiosk; at most 1,000."""
    operators: Annotated[
        Mapping[Annotated[str, Meta(pattern=f"^({'|'.join(Role)})$")], str | None],
        Meta(extra_json_schema={"propertyNames": {"enum": [*Role]}, "required": [*Role]}),
    ]
    """The operator assigned to each role."""


class OrderRevised(Event, frozen=True, kw_only=True):
    """The manifest of an order that was open or counted here has changed (`workflow.md#manifest-revisions`)."""

    type = "order.revised"
    private = ("manifest", "changes")
    order: str
    revision: int
    status: Status
    misfits: tuple[LineCount, ...]
    """The lines on which more is counted than ordered."""
    manifest: str | None = None
    """The manifest's source, if `changes` would not be shorter."""
    changes: tuple[tuple[int, int] | str, ...] = ()
    """What makes the manifest's source from that of the revision before (`workflow.md#size-of-a-revision`)."""


class OrderCounted(Event, frozen=True, kw_only=True):
    """What the centre says about boxes at other kiosks has changed (`workflow.md#counted-at-another-kiosk`)."""

    type = "order.counted"
    order: str
    added: tuple[CountedBox, ...]
    """Boxes that are new, or have other contents than before."""
    removed: tuple[str, ...]
    """The ids of boxes that are gone."""


class Held(Event, frozen=True, kw_only=True):
    """A verdict holds the order (`workflow.md#held-orders`)."""

    type = "order.held"
    private = ("revision",)
    verdict: str
    """The verdict's id."""
    order: str
    unit: str | None
    """The unit as the verdict names it; null: the whole order."""
    reason: str | None
    """Why, in the verdict's words."""
    outcome: None = None
    revision: int = 0
    """The verdict's."""


class Released(Event, frozen=True, kw_only=True):
    """A hold ended (`workflow.md#end-of-a-hold`)."""

    type = "order.released"
    private = ("revision",)
    verdict: str
    """The verdict's id."""
    order: str
    unit: str | None
    """The unit as the verdict names it; null: the whole order."""
    reason: str | None
    """Why it was held, in the verdict's words."""
    outcome: Outcome
    revision: int = 0
    """The verdict's, where one ended the hold; else 0."""
