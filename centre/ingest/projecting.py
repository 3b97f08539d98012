"""Read boxes and orders, apply events to them, and write them: one step of the transaction that stores a batch."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from agent.contract.events import PackingConfirmed
from centre.ingest.reception import event_in
from centre.projection.projected_order import ProjectedOrder
from centre.projection.projector import Fact, Projector, boxes_needed, orders_needed, units_named
from centre.store import event_rows, projection_rows
from centre.store.order_rows import lock_orders

__all__ = ["Projected", "Renew", "project", "project_late", "unit_event_rows"]

Renew: TypeAlias = Callable[[Connection, Collection[str], str], None]
"""Writes the retained messages about orders: `centre.orders.renewal.renew_messages`."""


class Projected(NamedTuple):
    """The orders that a projection has changed, and those whose retained messages were renewed."""

    orders: frozenset[str] = frozenset()
    renewed: frozenset[str] = frozenset()

    def __or__(self, other: "Projected") -> "Projected":
        return Projected(self.orders | other.orders, self.renewed | other.renewed)


def unit_event_rows(facts: Collection[Fact]) -> list[tuple[str, int]]:
    """Return the rows that let a device's history be found."""
    return [(key, fact.position) for fact in facts for key in units_named(fact.event)]


def project(
    connection: Connection, facts: Sequence[Fact], *, now: str, renew: Renew, shown: Collection[str] = ()
) -> Projected:
    """Project events that count now, in order.

    `shown` are more orders of which something else has changed: whether they are complete.
    """
    names = orders_needed(facts)
    names.update(shown)
    if not names:
        return Projected()
    numbers = lock_orders(connection, len(names))
    orders = _load_orders(connection, names, facts)
    projector = Projector(projection_rows.load_boxes(connection, boxes_needed(facts)), orders)
    for fact in facts:
        projector.apply(fact)
    return _write(connection, projector, numbers, now, renew, shown)


def project_late(connection: Connection, late: Sequence[Fact], *, now: str, renew: Renew) -> Projected:
    """Project facts that belong before others that were counted earlier: each into its place.

    All events of the order in that run are projected again, which are few. Boxes keep their rows. Where documents are
    forgotten (`events_days`), the late facts are added to what is there.
    """
    by_order: dict[tuple[int, str], list[Fact]] = {}
    for fact in late:
        order = getattr(fact.event, "order", None)
        if order is not None:
            by_order.setdefault((fact.journal_id, order), []).append(fact)
    projected = Projected()
    for (journal_id, order), some in sorted(by_order.items()):
        numbers = lock_orders(connection, 1)
        boxes = projection_rows.load_boxes_of_order(connection, journal_id, order)
        facts = _facts_of(connection, journal_id, order)
        if facts is None:
            facts = some
        else:
            for box in boxes.values():
                box.clear()
                box.forget()
        projector = Projector(boxes, _load_orders(connection, {order}, facts))
        for fact in facts:
            projector.apply(fact)
        projector.to_renew.add(order)
        projected |= _write(connection, projector, numbers, now, renew, {order})
    return projected


def _facts_of(connection: Connection, journal_id: int, order: str) -> list[Fact] | None:
    """Return all that counts of one order in one run, in order; None if some of its documents are forgotten."""
    documents = event_rows.of_order(connection, journal_id, order)
    if not all(document.document for document in documents):
        return None
    return [
        Fact(journal_id, document.position, document.time, event)
        for document in documents
        if (event := event_in(document.document, order)) is not None
    ]


def _load_orders(connection: Connection, names: set[str], facts: Sequence[Fact]) -> dict[str, ProjectedOrder]:
    orders = projection_rows.load_projected_orders(connection, names)
    packed = {fact.event.order for fact in facts if isinstance(fact.event, PackingConfirmed)}
    if packed:
        for name, revision in projection_rows.reopened_at(connection, packed).items():
            orders[name].reopen = revision
    return orders


def _write(
    connection: Connection,
    projector: Projector,
    numbers: Sequence[int],
    now: str,
    renew: Renew,
    shown: Collection[str],
) -> Projected:
    projection_rows.write_boxes(connection, projector.boxes.values())
    changed = projector.changed.union(shown)
    projection_rows.write_orders(connection, [projector.orders[name] for name in changed], numbers, now)
    if projector.to_renew:
        renew(connection, projector.to_renew, now)
    return Projected(frozenset(changed), frozenset(projector.to_renew))
