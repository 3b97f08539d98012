"""Taking in the counted parts that a broker retains: see `centre.orders.adoption`."""

import msgspec
from sqlalchemy import Connection

from agent.contract.counted import CountedPart
from agent.contract.messages import counted_of
from agent.contract.refused import MessageRefused
from centre.orders.order_topics import site_of
from centre.orders.publish_again import publish_again
from centre.orders.renewal import renew_messages
from centre.store.message_rows import RetainedMessage, load_message, save_messages
from centre.store.order_rows import lock_orders

__all__ = ["adopt_counted"]


def adopt_counted(
    connection: Connection,
    broker: str,
    topic: str,
    place: tuple[str, str],
    payload: bytes,
    now: str,
    refused: list[str],
) -> None:
    """Take in a part; `place` is its order and its name.

    A part as high as ours or higher takes its place. Then ours follows from the boxes that the centre knows, under a
    higher revision; boxes that it does not know stay.
    """
    order, part = place
    message = load_message(connection, topic)
    if message is not None and message.payload == payload:
        return
    found: CountedPart | None = None
    if payload:
        try:
            found = counted_of(order, part, payload, topic=topic)
        except MessageRefused as exc:
            refused.append(str(exc))
    ours = _revision(message.payload) if message is not None else -1
    if found is None or found.revision < ours:
        publish_again(connection, broker, topic)
        return
    lock_orders(connection, 0)
    message = RetainedMessage(
        topic=topic, payload=msgspec.json.encode(found), site=site_of(topic) or "", order_name=order
    )
    save_messages(connection, [message])
    renew_messages(connection, [order], now)


def _revision(payload: bytes) -> int:
    return msgspec.json.decode(payload, type=CountedPart).revision if payload else -1
