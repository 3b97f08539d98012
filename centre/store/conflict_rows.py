"""The table `conflict`: what a person should know or decide."""

from collections.abc import Mapping

from msgspec.json import encode
from sqlalchemy import Connection, select

from centre.store.schema import conflict

__all__ = ["has_open", "open_conflict"]


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
