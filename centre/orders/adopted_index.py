"""Taking in the order index that a broker retains: see `centre.orders.adoption`."""

from collections.abc import Mapping

from msgspec.structs import replace
from sqlalchemy import Connection

from agent.contract.messages import order_index_of
from agent.contract.order_index import PARTS
from agent.contract.refused import MessageRefused
from agent.contract.schemas import MAX_REVISION
from centre.orders.adopted_orders import NamedOrder
from centre.orders.index_parts import IndexPart, index_payload, read_part
from centre.orders.order_topics import site_of
from centre.orders.publish_again import publish_again
from centre.store.message_rows import load_message, save_messages
from centre.store.reference_rows import ReferenceRow, load_reference, save_reference
from centre.unreadable import UNREADABLE

__all__ = ["adopt_index", "names_in_index"]


def names_in_index(found: Mapping[str, bytes], refused: list[str]) -> dict[str, NamedOrder]:
    """Return the orders that the found indexes name, in one message or in parts."""
    named: dict[str, NamedOrder] = {}
    for topic, payload in found.items():
        head, _, part = topic.partition("/reference/orders")
        site = site_of(topic)
        if head == topic or site is None or not payload:
            continue
        try:
            index = order_index_of(payload, topic=topic, part=part.removeprefix("/") or None)
        except MessageRefused as exc:
            refused.append(str(exc))
            continue
        foreign = _foreign(payload)
        for name, revision in index.orders.items():
            before = named.get(name)
            sites = frozenset([site]) if before is None else before.sites | {site}
            named[name] = NamedOrder(
                revision=revision if before is None else max(revision, before.revision),
                sites=sites,
                is_ours=(foreign is not None and name not in foreign) or (before is not None and before.is_ours),
            )
    return named


def _foreign(payload: bytes) -> tuple[str, ...] | None:
    """Return whose manifests another system writes, by a part that a centre wrote; None for another part."""
    try:
        return read_part(payload).foreign
    except UNREADABLE:
        return None


def adopt_index(connection: Connection, broker: str, site: str, part: str, payload: bytes, now: str) -> None:
    """Let the centre's next revision of a part exceed the one that was found.

    If the centre has published the part already, that goes out again, under a higher revision where needed.
    """
    topic = f"kiosk/v1/{site}/reference/orders/{part}"
    if len(part) != 1 or part not in PARTS:
        return
    present = load_reference(connection, site, "orders", part)
    message = load_message(connection, topic)
    found = _revision(payload)
    if message is not None and message.payload == payload:
        return
    if found is None or (present is not None and found < present.revision):
        publish_again(connection, broker, topic)
        return
    ours = read_part(message.payload) if message is not None and message.payload else None
    revision = found if ours is None else min(found + 1, MAX_REVISION)
    save_reference(
        connection,
        ReferenceRow(site=site, kind="orders", part=part, revision=revision, document="", changed_at=now),
    )
    if ours is not None and message is not None:
        again = IndexPart(revision=revision, orders=ours.orders, foreign=ours.foreign)
        save_messages(connection, [replace(message, payload=index_payload(again, ()))])


def _revision(payload: bytes) -> int | None:
    try:
        return read_part(payload).revision
    except UNREADABLE:
        return None
