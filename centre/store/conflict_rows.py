"""The table `conflict`: what a person should know or decide."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.json import encode
from sqlalchemy import Connection, select

from centre.store.schema import conflict, kiosk

__all__ = ["ConflictRow", "conflict_page", "has_open", "open_conflict"]


class ConflictRow(NamedTuple):
    """One conflict between what kiosks did, or between a kiosk and the centre."""

    id: int
    kind: str
    state: str
    order: str | None
    unit: str | None
    site: str | None
    kiosk: str | None
    opened_at: str
    closed_at: str | None
    details: Mapping[str, Any]


def open_conflict(
    connection: Connection,
    kind: str,
    *,
    at: str,
    details: Mapping[str, object],
    kiosk_id: int | None = None,
    order: str | None = None,
    unit: str | None = None,
) -> int:
    """Record a conflict, and return its id."""
    statement = (
        conflict.insert()
        .values(
            kind=kind,
            kiosk_id=kiosk_id,
            order_name=order,
            unit=unit,
            state="open",
            opened_at=at,
            details=encode(details).decode(),
        )
        .returning(conflict.c.id)
    )
    return int(connection.execute(statement).scalar_one())


def has_open(connection: Connection, kind: str, kiosk_id: int) -> bool:
    """Return whether a conflict of this kind about a kiosk is not closed yet."""
    statement = select(conflict.c.id).where(
        conflict.c.kind == kind, conflict.c.kiosk_id == kiosk_id, conflict.c.state != "closed"
    )
    return connection.execute(statement.limit(1)).first() is not None


def conflict_page(
    connection: Connection, *, state: str | None = None, order: str | None = None, after: int = 0, limit: int
) -> list[ConflictRow]:
    """Return conflicts in the order in which they were found, those after one."""
    statement = (
        select(
            conflict.c.id,
            conflict.c.kind,
            conflict.c.state,
            conflict.c.order_name,
            conflict.c.unit,
            kiosk.c.site,
            kiosk.c.name,
            conflict.c.opened_at,
            conflict.c.closed_at,
            conflict.c.details,
        )
        .outerjoin(kiosk, kiosk.c.id == conflict.c.kiosk_id)
        .where(conflict.c.id > after)
        .order_by(conflict.c.id)
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(conflict.c.state == state)
    if order is not None:
        statement = statement.where(conflict.c.order_name == order)
    return [ConflictRow._make(row)._replace(details=json.loads(row.details)) for row in connection.execute(statement)]
