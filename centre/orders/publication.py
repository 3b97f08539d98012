"""Whether the kiosks can have an order: whether every broker has taken what is to be retained of its manifest."""

import hashlib
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from centre.orders.order_topics import counted_place
from centre.store.message_rows import messages_of_orders
from centre.store.retained_rows import sent_to

__all__ = ["published_orders"]


def published_orders(
    connection: Connection, names: Collection[str], brokers_of: Mapping[str, Collection[str]]
) -> set[str]:
    """Return those orders whose manifest, or its end, every broker of their sites has taken.

    `brokers_of` has the brokers of each site that this centre serves; other sites are not looked at.
    """
    messages = {
        name: [one for one in found if counted_place(one.topic) is None and one.site in brokers_of]
        for name, found in messages_of_orders(connection, names).items()
    }
    taken = sent_to(connection, [message.topic for found in messages.values() for message in found])
    return {
        name
        for name, found in messages.items()
        if all(
            taken[message.topic].get(broker) == hashlib.sha256(message.payload).digest()
            for message in found
            for broker in brokers_of[message.site]
        )
    }
