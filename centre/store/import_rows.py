"""Imports that are accepted and not yet written to their end."""

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from centre.store.schema import accepted_import

__all__ = ["AcceptedImport", "add_import", "applied_of_import", "end_import", "load_imports", "note_applied"]


class AcceptedImport(Struct, frozen=True, kw_only=True):
    """One import. The columns are described in `centre.store.schema`."""

    id: int
    actor: str
    manifests: bytes


def add_import(connection: Connection, *, actor: str, manifests: bytes, now: str) -> int:
    """Store an import, and return its id."""
    statement = insert(accepted_import).values(accepted_at=now, actor=actor, manifests=manifests, applied=0)
    return int(connection.execute(statement.returning(accepted_import.c.id)).scalar_one())


def load_imports(connection: Connection) -> list[AcceptedImport]:
    """Return the imports that are not yet written to their end, oldest first."""
    columns = (accepted_import.c.id, accepted_import.c.actor, accepted_import.c.manifests)
    rows = connection.execute(select(*columns).order_by(accepted_import.c.id))
    return [AcceptedImport(**row._mapping) for row in rows]


def applied_of_import(connection: Connection, id: int) -> int | None:
    """Return how many orders of an import are written; None if it has ended."""
    return connection.execute(select(accepted_import.c.applied).where(accepted_import.c.id == id)).scalar()


def note_applied(connection: Connection, id: int, applied: int) -> None:
    """Store how many orders are written."""
    connection.execute(update(accepted_import).where(accepted_import.c.id == id).values(applied=applied))


def end_import(connection: Connection, id: int) -> None:
    """Forget an import: all of its orders are written."""
    connection.execute(delete(accepted_import).where(accepted_import.c.id == id))
