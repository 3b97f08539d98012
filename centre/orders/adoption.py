"""Taking in what a broker retains, so that a new or restored centre destroys nothing.

`adopt` is called with everything that a broker retains, before anything is published there, and later with what other
systems publish. Of each topic:

| the broker has | the centre has | what happens |
|---|---|---|
| a manifest | no such order | it is adopted: `foreign`, unless a centre's index names it as a centre's own |
| a manifest of a higher revision | the order | it is adopted: the database may be an older copy |
| another one, as high | an order of its own | the centre's goes out again under a higher revision |
| a lower one, or none | an order of its own | the centre's goes out again |
| none any longer | another system's order | the order is withdrawn |
| a name in an index | no such order | the order is known by name, so that our index names it too |
| a list, a part | none, or a lower revision | it is adopted |
| a list, a part | another one, as high or higher | the centre's goes out again, under a higher revision where needed |
| counted boxes | other boxes | both are kept, until the events of this order say otherwise |

Nothing is ever cleared because the centre does not know it.
"""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection

from centre.orders.adopted_counts import adopt_counted
from centre.orders.adopted_index import adopt_index, names_in_index
from centre.orders.adopted_lists import adopt_blocked, adopt_boxes, adopt_operators
from centre.orders.adopted_orders import FoundOrder, adopt_orders
from centre.orders.order_topics import counted_place, order_of, site_of
from centre.orders.reference_lists import lock_reference
from centre.store.index_rows import followed_through
from centre.store.order_rows import lock_orders
from centre.store.site_rows import all_sites

__all__ = ["AdoptionReport", "adopt"]


class AdoptionReport(Struct, frozen=True, kw_only=True):
    """What came of it, for the log."""

    orders: int
    """Orders that were adopted, changed or withdrawn."""
    refused: tuple[str, ...]
    """A line for each message that cannot be read."""


def adopt(connection: Connection, broker: str, found: Mapping[str, bytes], now: str) -> AdoptionReport:
    """Take in what a broker retains, by topic; an empty payload says that a topic was cleared.

    `now` is moment text. The transaction that calls it must be committed before anything is published to the broker.
    """
    _lock(connection)
    refused: list[str] = []
    orders: dict[str, list[FoundOrder]] = {}
    for topic, payload in found.items():
        order, site = order_of(topic), site_of(topic)
        if order is not None and site is not None:
            orders.setdefault(order, []).append(FoundOrder(topic=topic, site=site, payload=payload))
    names = names_in_index(found, refused)
    changed = adopt_orders(connection, broker, orders, names, now, refused)
    for topic, payload in found.items():
        place, site = counted_place(topic), site_of(topic)
        if site is None:
            continue
        if place is not None:
            adopt_counted(connection, broker, topic, place, payload, now, refused)
        elif topic.endswith("/reference/operators"):
            adopt_operators(connection, broker, site, payload, now, refused)
        elif topic.endswith("/reference/boxes"):
            adopt_boxes(connection, broker, site, payload, now, refused)
        elif "/reference/blocked/" in topic:
            adopt_blocked(connection, broker, site, topic.rpartition("/")[2], payload, now, refused)
        elif "/reference/orders/" in topic:
            adopt_index(connection, broker, site, topic.rpartition("/")[2], payload, now)
    return AdoptionReport(orders=changed, refused=tuple(refused))


def _lock(connection: Connection) -> None:
    """Take all locks at once, in an order in which nobody else takes two of them."""
    lock_reference(connection)
    for site in all_sites(connection):
        followed_through(connection, site)
    lock_orders(connection, 0)
