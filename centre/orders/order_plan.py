"""Which messages about an order the brokers should retain. Pure: rows in, changed rows and messages out.

- The manifest goes out on the order's topic at each of its sites. An order that is packed or cancelled gets a
  tombstone there, cleared `TOMBSTONE_DAYS` later. The topic of an order whose manifest another system writes is left
  alone.
- What kiosks have packed goes out in counted parts, until the order is closed. They are cleared with the tombstone.
- No message replaces another one under a revision that is not higher: `OrderPlan.row` has the revision raised then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agent.contract.counted import CountedPart
from centre.moments import later
from centre.orders.counted_boxes import counted_boxes, next_parts
from centre.orders.order_topics import counted_place, counted_topic, order_topic
from centre.orders.published_manifest import manifest_payload
from centre.store.box_rows import BoxRow
from centre.store.message_rows import RetainedMessage
from centre.store.order_rows import OrderRow

__all__ = ["TOMBSTONE_DAYS", "OrderPlan", "plan_order"]

TOMBSTONE_DAYS = 30


class OrderPlan(Struct, frozen=True):
    """What is to be written for one order."""

    row: OrderRow
    messages: list[RetainedMessage]
    """Those that differ from what is retained."""


class _Revision(Struct):
    revision: int


_revision_decoder = msgspec.json.Decoder(_Revision)
_part_decoder = msgspec.json.Decoder(CountedPart)


def plan_order(
    row: OrderRow,
    retained: Sequence[RetainedMessage],
    boxes: Sequence[BoxRow],
    *,
    sites: Collection[str],
    now: str,
) -> OrderPlan:
    """Return what must change for an order.

    `retained` are the present messages about it, `boxes` all its boxes, `sites` all sites of the centre.
    """
    wanted_sites = [row.site] if row.site is not None else sorted(sites)
    known = {message.topic: message for message in retained}
    parts = {topic: message for topic, message in known.items() if counted_place(topic) is not None}
    messages: list[RetainedMessage] = []
    if row.source == "centre":
        manifests = {topic: message for topic, message in known.items() if topic not in parts}
        row, messages = _plan_manifest(row, manifests, wanted_sites, now)
    if row.status == "withdrawn" or row.cleared_at is not None:
        messages += _cleared(parts.values())
    elif row.is_closed:
        messages += [replace(part, clear_at=_end(now)) for part in parts.values() if part.clear_at is None]
    else:
        messages += _plan_counted(row.name, parts, boxes, wanted_sites)
    return OrderPlan(row, messages)


def _end(now: str) -> str:
    return later(now, days=TOMBSTONE_DAYS)


def _cleared(messages: Collection[RetainedMessage]) -> Iterator[RetainedMessage]:
    for message in messages:
        if message.payload or message.clear_at is not None:
            yield replace(message, payload=b"", clear_at=None)


# -- manifests ---------------------------------------------------------------------------------------------------


def _plan_manifest(
    row: OrderRow, known: Mapping[str, RetainedMessage], sites: Sequence[str], now: str
) -> tuple[OrderRow, list[RetainedMessage]]:
    topics = {order_topic(site, row.name): site for site in sites}
    messages = list(_cleared([message for topic, message in known.items() if topic not in topics]))
    payload = manifest_payload(row)
    changed = [topic for topic in topics if topic not in known or not _says_the_same(known[topic].payload, payload)]
    if payload and row.revision is not None:
        highest = max((_revision_of(known[topic]) for topic in changed if topic in known), default=-1)
        if highest >= row.revision:
            row = replace(row, revision=highest + 1)
            payload = manifest_payload(row)
            changed = list(topics)
        if row.is_closed:  # one that was adopted may be as it should be already, but must end
            changed += [topic for topic in topics if topic not in changed and known[topic].clear_at is None]
    else:
        # Where nothing of ours is retained, another system's manifest may be: only a withdrawal ends that.
        changed = [topic for topic in changed if topic in known or row.status == "withdrawn"]
    for topic in changed:
        clear_at = None
        if payload and row.is_closed:
            before = known[topic].clear_at if topic in known else None
            clear_at = before or _end(now)
        messages.append(
            RetainedMessage(topic=topic, payload=payload, site=topics[topic], order_name=row.name, clear_at=clear_at)
        )
    return row, messages


def _says_the_same(one: bytes, other: bytes) -> bool:
    """Return whether two messages are equal. One that was adopted may be written with blanks, or in another order."""
    if one == other or not one or not other:
        return one == other
    return bool(msgspec.json.decode(one) == msgspec.json.decode(other))


def _revision_of(message: RetainedMessage) -> int:
    return _revision_decoder.decode(message.payload).revision if message.payload else -1


# -- counted parts -----------------------------------------------------------------------------------------------


def _plan_counted(
    order: str, known: Mapping[str, RetainedMessage], rows: Sequence[BoxRow], sites: Sequence[str]
) -> Iterator[RetainedMessage]:
    boxes = counted_boxes(rows)
    gone = {row.box for row in rows}.difference(boxes)
    yield from _cleared([message for message in known.values() if message.site not in sites])
    for site in sites:
        here = [message for message in known.values() if message.site == site]
        before = [_part_decoder.decode(message.payload) for message in here if message.payload]
        after = {part.part: part for part in next_parts(order, before, boxes, gone)}
        for name, part in after.items():
            yield RetainedMessage(
                topic=counted_topic(site, order, name),
                payload=msgspec.json.encode(part),
                site=site,
                order_name=order,
            )
        for message in here:
            place = counted_place(message.topic)
            if message.clear_at is not None and place is not None and place[1] not in after:
                yield replace(message, clear_at=None)
