"""The order index in 16 parts (`mqtt.md#order-index`). Pure.

A part names every order of a site that is not withdrawn, tombstones too, with its revision. It must stay below the
kiosk's limit of 256 KiB: that is room for about 10,000 orders with ids of 16 characters. Beyond it, packed and
cancelled orders are left out, those that changed longest ago first: a kiosk takes them as withdrawn, and they are
closed anyway. If the open orders alone are too many, the part is cleared: then kiosks do without it, and nothing is
withdrawn.

`foreign` names those orders of a part whose manifests another system writes. Kiosks ignore it. An empty centre knows
by it which of the manifests that it finds at a broker are a centre's own.
"""

from collections.abc import Collection, Iterable

import msgspec
from msgspec import Struct

from agent.contract.order_index import part_of
from centre.store.index_rows import IndexedOrder

__all__ = ["MAX_INDEX_BYTES", "IndexPart", "by_part", "index_payload", "next_part", "read_part", "same_entries"]

MAX_INDEX_BYTES = 255 * 1024


class IndexPart(Struct, frozen=True, kw_only=True):
    """One revision of a part."""

    revision: int
    orders: dict[str, int]
    foreign: tuple[str, ...] | None = None
    """None in a part that no centre wrote."""


_decoder = msgspec.json.Decoder(IndexPart)


def read_part(payload: bytes) -> IndexPart:
    """Return the part in a message. Raises what is in `UNREADABLE`."""
    return _decoder.decode(payload)


def by_part(orders: Iterable[IndexedOrder]) -> dict[str, list[IndexedOrder]]:
    """Return the orders by the part that they belong to."""
    found: dict[str, list[IndexedOrder]] = {}
    for order in orders:
        found.setdefault(part_of(order.name), []).append(order)
    return found


def next_part(before: IndexPart | None, changed: Iterable[IndexedOrder], site: str, revision: int) -> IndexPart:
    """Return a part after these orders have changed, under its next revision."""
    orders = {} if before is None else dict(before.orders)
    foreign = set() if before is None else set(before.foreign or ())
    for order in changed:
        orders.pop(order.name, None)
        foreign.discard(order.name)
        is_gone = order.status == "withdrawn" or order.is_cleared or order.site not in (None, site)
        if order.revision is None or is_gone:
            continue
        orders[order.name] = order.revision
        if order.source == "broker":
            foreign.add(order.name)
    return IndexPart(revision=revision, orders=orders, foreign=tuple(sorted(foreign)))


def same_entries(one: IndexPart | None, other: IndexPart) -> bool:
    """Return whether two revisions of a part say the same."""
    if one is None:
        return not other.orders
    return one.orders == other.orders and one.foreign == other.foreign


def index_payload(part: IndexPart, closed: Collection[str]) -> bytes:
    """Return the message of a part; empty if the open orders alone are too many.

    `closed` are the part's packed and cancelled orders, the one that changed longest ago first.
    """
    payload = msgspec.json.encode(part)
    excess = len(payload) - MAX_INDEX_BYTES
    if excess <= 0:
        return payload
    left = dict(part.orders)
    for name in closed:
        if excess <= 0:
            break
        if name in left:
            excess -= len(msgspec.json.encode({name: left.pop(name)})) - 1
    if excess > 0:
        return b""
    foreign = tuple(name for name in part.foreign or () if name in left)
    return msgspec.json.encode(IndexPart(revision=part.revision, orders=left, foreign=foreign))
