"""Apply events, in the order of their journals, to the boxes and orders that they are about."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from agent.contract.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    OrderOpened,
    OrderRevised,
    PackingConfirmed,
    Released,
    Reopened,
    RoleAssigned,
    Voided,
)
from agent.contract.manifest import unit_key
from centre.projection.projected_box import BoxStage, Piece, ProjectedBox
from centre.projection.projected_order import ProjectedOrder

__all__ = ["BoxKey", "Fact", "Projector", "boxes_needed", "orders_needed", "units_named"]

BoxKey: TypeAlias = tuple[int, str]
"""(the journal's id in the database, the box's name)"""


class Fact(NamedTuple):
    """An understood event that counts."""

    journal_id: int
    """In the database."""
    position: int
    time: str
    event: Event


def boxes_needed(facts: Iterable[Fact]) -> dict[BoxKey, bool]:
    """Return the boxes that facts are about; with each, whether its stored pieces are needed too.

    A scan only adds to a box, so nothing of what is in it needs to be read.
    """
    needed: dict[BoxKey, bool] = {}
    for fact in facts:
        name = getattr(fact.event, "box", None)
        if name is not None:
            key = (fact.journal_id, name)
            needed[key] = needed.get(key, False) or not isinstance(fact.event, Accepted)
    return needed


def orders_needed(facts: Iterable[Fact]) -> set[str]:
    """Return the orders that facts change."""
    return {fact.event.order for fact in facts if type(fact.event) in _APPLY}  # type: ignore[attr-defined]


def units_named(event: Event) -> set[str]:
    """Return the keys of the device that an event is about, as `unit_key` gives them."""
    match event:
        case Accepted(unit=unit) | Voided(unit=unit) if unit is not None:
            return {unit_key(identifier) for identifier in (unit.id, *unit.aliases)}
        case Held(unit=str(identifier)) | Released(unit=str(identifier)):
            return {unit_key(identifier)}
        case _:
            return set()


class Projector:
    """Boxes and orders in memory, as they were before the first fact. `apply` changes them.

    `boxes` need not have those that are new. `orders` has all that `orders_needed` names.
    """

    def __init__(self, boxes: dict[BoxKey, ProjectedBox], orders: Mapping[str, ProjectedOrder]) -> None:
        self.boxes = boxes
        self.orders = orders
        self.changed: set[str] = set()
        """The orders of which anything is different that their resource shows."""
        self.to_renew: set[str] = set()
        """The orders of which the retained messages may be different."""

    def apply(self, fact: Fact) -> None:
        """Apply the next fact. Facts of one journal come in the order of their sequences."""
        act = _APPLY.get(type(fact.event))
        if act is not None:
            self.changed.add(fact.event.order)  # type: ignore[attr-defined]
            act(self, fact, fact.event)

    def _box(self, fact: Fact, name: str, order: str) -> ProjectedBox | None:
        """Return a box; None if it belongs to another order, so that no kiosk has written this event."""
        key = (fact.journal_id, name)
        box = self.boxes.get(key)
        if box is None:
            box = self.boxes[key] = ProjectedBox(fact.journal_id, name, order)
        return box if box.order == order else None

    # -- scans -------------------------------------------------------------------------------------------------------

    def _accepted(self, fact: Fact, event: Accepted) -> None:
        box = self._box(fact, event.box, event.order)
        if box is None:
            return
        self.orders[event.order].begin()
        if box.state == BoxStage.VOIDED or box.mode != event.mode:
            box.enter(BoxStage.OPEN if box.state == BoxStage.VOIDED else box.state, event.mode)
        unit = event.unit
        box.add(
            Piece(
                line=event.line,
                sku=event.sku,
                quantity=event.quantity,
                unit=None if unit is None else unit.id,
                key=None if unit is None else unit_key(unit.id),
                position=fact.position,
            )
        )

    def _voided(self, fact: Fact, event: Voided) -> None:
        box = self._box(fact, event.box, event.order)
        if box is not None:
            key = None if event.unit is None else unit_key(event.unit.id)
            box.remove(event.line, key, event.quantity)

    # -- boxes -------------------------------------------------------------------------------------------------------

    def _box_created(self, fact: Fact, event: BoxCreated) -> None:
        self._told(fact, event, BoxStage.CREATED)

    def _box_reopened(self, fact: Fact, event: BoxReopened) -> None:
        box = self._told(fact, event, BoxStage.CREATED if event.state == Reopened.BOXING else BoxStage.OPEN)
        if box is not None:
            box.set_confirmed(None)
        self.to_renew.add(event.order)

    def _box_confirmed(self, fact: Fact, event: BoxConfirmed) -> None:
        box = self._told(fact, event, BoxStage.CONFIRMED)
        if box is not None:
            box.set_size(None if event.size is None else event.size.code, event.size, event.label)
            box.set_confirmed(fact.time)
        self.to_renew.add(event.order)

    def _box_voided(self, fact: Fact, event: BoxVoided) -> None:
        box = self._box(fact, event.box, event.order)
        if box is not None:
            box.enter(BoxStage.VOIDED, event.mode)
            box.clear()
        self.to_renew.add(event.order)

    def _box_sized(self, fact: Fact, event: BoxSized) -> None:
        box = self._box(fact, event.box, event.order)
        if box is not None:
            box.set_size(event.size, None, event.label)

    def _told(self, fact: Fact, event: BoxCreated | BoxReopened | BoxConfirmed, state: BoxStage) -> ProjectedBox | None:
        """A box event tells the state and contents of its box: what it tells is right."""
        box = self._box(fact, event.box, event.order)
        if box is not None:
            box.enter(state, event.mode)
            box.correct(event.contents)
        return box

    # -- orders ------------------------------------------------------------------------------------------------------

    def _opened(self, fact: Fact, event: OrderOpened) -> None:
        self.orders[event.order].open(fact.time)

    def _assigned(self, _fact: Fact, event: RoleAssigned) -> None:
        self.orders[event.order].operators[event.role] = event.operator

    def _packed(self, fact: Fact, event: PackingConfirmed) -> None:
        order = self.orders[event.order]
        order.operators.update({role: operator for role, operator in event.operators.items() if operator is not None})
        if order.pack(fact.time, event.revision):
            self.to_renew.add(event.order)

    def _only_shown(self, _fact: Fact, _event: Event) -> None:
        """Nothing of these events is kept but the documents."""


_APPLY: dict[type[Event], Callable[[Projector, Fact, Any], None]] = {
    Accepted: Projector._accepted,
    Voided: Projector._voided,
    BoxCreated: Projector._box_created,
    BoxReopened: Projector._box_reopened,
    BoxConfirmed: Projector._box_confirmed,
    BoxVoided: Projector._box_voided,
    BoxSized: Projector._box_sized,
    OrderOpened: Projector._opened,
    RoleAssigned: Projector._assigned,
    PackingConfirmed: Projector._packed,
    OrderRevised: Projector._only_shown,
    Held: Projector._only_shown,
    Released: Projector._only_shown,
}
"""Events of other types change nothing that an order shows."""
