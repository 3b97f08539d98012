"""The order index in 16 parts (`mqtt.md#order-index`). Pure.

A part names every order of a site that is not withdrawn, tombstones too, with its revision. It must stay below the
kiosk's limit of 256 KiB: that is room for about 10,000 orders with ids of 16 characters. Beyond it, packed and
cancelled orders are left out, those that changed longest ago first: a kiosk takes them as withdrawn, and they are
closed anyway. If the open orders alone are too many, the part is cleared: then kiosks do without it, and nothing is
withdrawn.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec
from msgspec import Struct

from agent.contract.order_index import part_of
from centre.store.index_rows import IndexedOrder

__all__ = ["MAX_INDEX_BYTES", "by_part", "index_payload", "next_entries", "read_entries"]

MAX_INDEX_BYTES = 255 * 1024


class _Index(Struct):
    revision: int
    orders: dict[str, int]


_decoder = msgspec.json.Decoder(_Index)


def read_entries(payload: bytes) -> dict[str, int]:
    """Return the orders that a part names."""
    return _decoder.decode(payload).orders


def by_part(orders: Iterable[IndexedOrder]) -> dict[str, list[IndexedOrder]]:
    """Return the orders by the part that they belong to."""
    found: dict[str, list[IndexedOrder]] = {}
    for order in orders:
        found.setdefault(part_of(order.name), []).append(order)
    return found


def next_entries(entries: Mapping[str, int], changed: Iterable[IndexedOrder], site: str) -> dict[str, int]:
    """Return the entries of a part after these orders have changed."""
    found = dict(entries)
    for order in changed:
        revision = order.revision
        if revision is None or order.status == "withdrawn" or order.is_cleared or order.site not in (None, site):
            found.pop(order.name, None)
        else:
            found[order.name] = revision
    return found


def index_payload(revision: int, entries: Mapping[str, int], closed: Collection[str]) -> bytes:
    """Return the message of a part; empty if the open orders alone are too many.

    `closed` are the part's packed and cancelled orders, the one that changed longest ago first.
    """
    left = dict(entries)
    payload = _encoded(revision, left)
    excess = len(payload) - MAX_INDEX_BYTES
    if excess <= 0:
        return payload
    for name in closed:
        if excess <= 0:
            break
        if name in left:
            excess -= len(msgspec.json.encode({name: left.pop(name)})) - 1
    return _encoded(revision, left) if excess <= 0 else b""


def _encoded(revision: int, entries: Mapping[str, int]) -> bytes:
    return msgspec.json.encode({"revision": revision, "orders": entries})
