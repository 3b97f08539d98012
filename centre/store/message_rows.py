"""The messages that brokers should retain: the table `retained`."""

from collections.abc import Collection, Iterable

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, select

from centre.store.counter_rows import advance
from centre.store.schema import retained
from centre.store.statements import chunks, replace_rows

__all__ = ["RetainedMessage", "due_messages", "load_message", "messages_of_orders", "save_messages"]


class RetainedMessage(Struct, frozen=True, kw_only=True):
    """What every broker of a site should retain on a topic; an empty payload: nothing."""

    topic: str
    payload: bytes
    site: str
    order_name: str | None = None
    clear_at: str | None = None


_COLUMNS = [retained.c[name] for name in RetainedMessage.__struct_fields__]


def load_message(connection: Connection, topic: str) -> RetainedMessage | None:
    """Return the message for a topic."""
    row = connection.execute(select(*_COLUMNS).where(retained.c.topic == topic)).first()
    return None if row is None else RetainedMessage(**row._mapping)


def messages_of_orders(connection: Connection, names: Collection[str]) -> dict[str, list[RetainedMessage]]:
    """Return the messages about these orders, by order; each list is sorted by topic."""
    found: dict[str, list[RetainedMessage]] = {name: [] for name in names}
    for piece in chunks(list(names)):
        statement = select(*_COLUMNS).where(retained.c.order_name.in_(piece)).order_by(retained.c.topic)
        for row in connection.execute(statement):
            found[row.order_name].append(RetainedMessage(**row._mapping))
    return found


def due_messages(connection: Connection, now: str, limit: int) -> list[RetainedMessage]:
    """Return messages that are to be cleared by now."""
    statement = select(*_COLUMNS).where(retained.c.clear_at <= now).order_by(retained.c.clear_at).limit(limit)
    return [RetainedMessage(**row._mapping) for row in connection.execute(statement)]


def save_messages(connection: Connection, messages: Iterable[RetainedMessage]) -> None:
    """Insert or replace messages. Each gets a place in the order of all changes, which publishers follow."""
    rows = [asdict(message) for message in messages]
    if rows:
        first = advance(connection, "retained.change", by=len(rows)) - len(rows) + 1
        replace_rows(connection, retained, [row | {"change": first + place} for place, row in enumerate(rows)])
