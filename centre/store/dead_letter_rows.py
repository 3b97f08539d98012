"""The table `dead_letter`: messages that were refused, the newest 100,000."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from centre.store import counter_rows
from centre.store.schema import dead_letter
from centre.store.statements import insert_rows

__all__ = ["DROPPED", "LIMIT", "DeadLetter", "add", "count", "dropped", "letter", "page", "remove"]

LIMIT = 100_000
DROPPED = "dead_letters.dropped"
"""The counter of letters that were dropped because there were too many."""


class DeadLetter(NamedTuple):
    """One refused message."""

    id: int
    topic: str
    reason: str
    received_at: str
    payload: bytes


def add(connection: Connection, rows: Sequence[tuple[str, str, str, bytes]], *, limit: int = LIMIT) -> None:
    """Add letters: (topic, reason, received_at, payload) each. The oldest go where there are more than `limit`."""
    rows = rows[-limit:]
    insert_rows(connection, dead_letter, ("topic", "reason", "received_at", "payload"), rows)
    newest = connection.execute(select(func.max(dead_letter.c.id))).scalar_one()
    # Ids rise by one, so this keeps at most `limit`; fewer where some were taken in again.
    gone = connection.execute(dead_letter.delete().where(dead_letter.c.id <= newest - limit)).rowcount
    if gone > 0:
        counter_rows.advance(connection, DROPPED, gone)


def page(connection: Connection, *, after: int = 0, limit: int) -> list[DeadLetter]:
    """Return letters by id, those after one."""
    rows = connection.execute(
        select(dead_letter).where(dead_letter.c.id > after).order_by(dead_letter.c.id).limit(limit)
    )
    return [_letter(row) for row in rows]


def letter(connection: Connection, id: int) -> DeadLetter | None:
    """Return one letter; None if there is none."""
    row = connection.execute(select(dead_letter).where(dead_letter.c.id == id)).first()
    return None if row is None else _letter(row)


def _letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(row.id, row.topic, row.reason, row.received_at, bytes(row.payload))


def remove(connection: Connection, id: int) -> None:
    """Delete a letter that is taken in again."""
    connection.execute(dead_letter.delete().where(dead_letter.c.id == id))


def count(connection: Connection) -> int:
    """Return how many letters there are."""
    return connection.execute(select(func.count()).select_from(dead_letter)).scalar_one()


def dropped(connection: Connection) -> int:
    """Return how many letters were ever dropped because there were too many."""
    return counter_rows.value(connection, DROPPED)
