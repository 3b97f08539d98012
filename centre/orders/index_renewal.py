"""Keeping the order index up with the orders.

The index is no part of the transactions that change orders: a part may have 256 KiB, and kiosks read it only when they
connect. It follows the orders' `changed` numbers instead, so it takes one step for whatever has happened since the
last one. Until then a kiosk that connects may take a brand-new order as withdrawn, for a moment.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from agent.contract.order_index import part_of
from agent.contract.schemas import MAX_REVISION
from centre.orders.index_parts import by_part, index_payload, next_part, read_part, same_entries
from centre.orders.order_topics import index_topic
from centre.store.index_rows import (
    IndexedOrder,
    changed_orders,
    closed_orders,
    follow_through,
    followed_through,
    indexed_through,
)
from centre.store.message_rows import RetainedMessage, load_message, save_messages
from centre.store.order_event_rows import seen_revisions
from centre.store.reference_rows import ReferenceRow, parts_of_reference, save_reference
from centre.store.site_rows import all_sites

__all__ = ["IndexPlan", "plan_index", "renew_index", "write_index"]

MANY_CHANGES = 500
"""After this many changes that concern no part, the progress is written, so that they are not read again."""


class IndexPlan(Struct, frozen=True, kw_only=True):
    """What must be written for the index of a site to take up some changes of orders."""

    site: str
    after: int
    """The last change that it has taken up before."""
    through: int
    """The last one that it takes up now."""
    parts: list[tuple[ReferenceRow, RetainedMessage]]
    changes: int

    @property
    def is_worth_writing(self) -> bool:
        return bool(self.parts) or self.changes >= MANY_CHANGES


def renew_index(connection: Connection, now: str) -> bool:
    """Write the parts of the index, of all sites, that must change; return whether there were any."""
    return write_index(connection, plan_index(connection, now))


def plan_index(connection: Connection, now: str) -> list[IndexPlan]:
    """Return what must be written. It may have a transaction of its own, since it takes longer than writing."""
    plans = [_plan_site(connection, site, now) for site in all_sites(connection)]
    return [plan for plan in plans if plan is not None and plan.is_worth_writing]


def write_index(connection: Connection, plans: Iterable[IndexPlan]) -> bool:
    """Write what was planned; return whether any part has changed. A plan that has been overtaken is left."""
    has_changed = False
    for plan in plans:
        present = followed_through(connection, plan.site)
        known = parts_of_reference(connection, plan.site, "orders") if plan.parts else {}
        is_overtaken = present != plan.after or any(
            known[row.part].revision >= row.revision for row, _ in plan.parts if row.part in known
        )
        if is_overtaken:
            continue
        for row, _ in plan.parts:
            save_reference(connection, row)
        save_messages(connection, [message for _, message in plan.parts])
        follow_through(connection, plan.site, plan.through)
        has_changed = has_changed or bool(plan.parts)
    return has_changed


def _plan_site(connection: Connection, site: str, now: str) -> IndexPlan | None:
    through = indexed_through(connection, site)
    changed = _with_revisions(connection, changed_orders(connection, through))
    if not changed:
        return None
    known = parts_of_reference(connection, site, "orders")

    @cache
    def everything() -> Mapping[str, list[IndexedOrder]]:
        return by_part(_with_revisions(connection, changed_orders(connection, 0)))

    @cache
    def closed() -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in closed_orders(connection):
            found.setdefault(part_of(name), []).append(name)
        return found

    parts = []
    for part, orders in by_part(changed).items():
        topic = index_topic(site, part)
        present = load_message(connection, topic)
        before = read_part(present.payload) if present is not None and present.payload else None
        revision = known[part].revision + 1 if part in known else 1
        after = next_part(before, orders if before is not None else everything()[part], site, revision)
        if same_entries(before, after) or revision > MAX_REVISION:
            continue
        payload = index_payload(after, ()) or index_payload(after, closed().get(part, ()))
        if present is not None and payload == present.payload:
            continue
        row = ReferenceRow(site=site, kind="orders", part=part, revision=revision, document="", changed_at=now)
        parts.append((row, RetainedMessage(topic=topic, payload=payload, site=site)))
    return IndexPlan(site=site, after=through, through=changed[-1].changed, parts=parts, changes=len(changed))


def _with_revisions(connection: Connection, orders: list[IndexedOrder]) -> list[IndexedOrder]:
    """Return the orders; those that are open and known by events alone get the revision that kiosks work on.

    The index must name them: a kiosk would take an order that is missing as withdrawn.
    """
    alone = [order.name for order in orders if order.revision is None and order.status in ("open", "in_progress")]
    if not alone:
        return orders
    seen = seen_revisions(connection, alone)
    names = set(alone)
    return [replace(order, revision=seen.get(order.name, 0)) if order.name in names else order for order in orders]
