"""Keeping the order index up with the orders.

The index is no part of the transactions that change orders: a part may have 256 KiB, and kiosks read it only when they
connect. It follows the orders' `changed` numbers instead, so it takes one step for whatever has happened since the
last one. Until then a kiosk that connects may take a brand-new order as withdrawn, for a moment.
"""

from collections.abc import Mapping
from functools import cache

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
    is_behind,
)
from centre.store.message_rows import RetainedMessage, load_message, save_messages
from centre.store.order_event_rows import seen_revisions
from centre.store.reference_rows import ReferenceRow, parts_of_reference, save_reference
from centre.store.site_rows import all_sites

__all__ = ["is_index_behind", "renew_index"]


def is_index_behind(connection: Connection) -> bool:
    """Return whether orders have changed since the last `renew_index`."""
    return any(is_behind(connection, site) for site in all_sites(connection))


def renew_index(connection: Connection, now: str) -> bool:
    """Write the parts of the index, of all sites, that must change; return whether there were any."""
    renewed = [_renew_site(connection, site, now) for site in all_sites(connection)]
    return any(renewed)


def _renew_site(connection: Connection, site: str, now: str) -> bool:
    through = followed_through(connection, site)
    changed = _with_revisions(connection, changed_orders(connection, through))
    if not changed:
        return False
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

    messages = []
    for part, orders in by_part(changed).items():
        topic = index_topic(site, part)
        present = load_message(connection, topic)
        before = read_part(present.payload) if present is not None and present.payload else None
        revision = min(known[part].revision + 1 if part in known else 1, MAX_REVISION)
        after = next_part(before, orders if before is not None else everything()[part], site, revision)
        if same_entries(before, after):
            continue
        payload = index_payload(after, ()) or index_payload(after, closed().get(part, ()))
        if present is not None and payload == present.payload:
            continue
        save_reference(
            connection,
            ReferenceRow(site=site, kind="orders", part=part, revision=revision, document="", changed_at=now),
        )
        messages.append(RetainedMessage(topic=topic, payload=payload, site=site))
    save_messages(connection, messages)
    follow_through(connection, site, changed[-1].changed)
    return bool(messages)


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
