"""Who changed what, and when. A row is written in the transaction of the change."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from centre.store.schema import audit

__all__ = ["AuditRow", "add_audit", "audit_page"]


class AuditRow(NamedTuple):
    """One change by a person, a token or a command."""

    id: int
    at: str
    actor: str
    """`user:NAME`, `token:NAME` or `command`."""
    action: str
    """As `order.cancel`."""
    subject: str
    """What was changed: the id of an order, the name of a user."""
    details: Mapping[str, object]


def add_audit(
    connection: Connection, at: str, actor: str, action: str, subject: str, details: Mapping[str, object] | None = None
) -> None:
    """Write one row. `details` is a JSON object without secrets."""
    text = json.dumps(details or {}, ensure_ascii=False, separators=(",", ":"))
    connection.execute(insert(audit).values(at=at, actor=actor, action=action, subject=subject, details=text))


def audit_page(connection: Connection, *, before: int | None = None, limit: int) -> list[AuditRow]:
    """Return the newest rows, newest first; with `before`, those that are older than the row of this id."""
    statement = select(
        audit.c.id, audit.c.at, audit.c.actor, audit.c.action, audit.c.subject, audit.c.details
    ).order_by(audit.c.id.desc())  # fmt: skip
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return [AuditRow(*row[:-1], details=json.loads(row[-1])) for row in connection.execute(statement.limit(limit))]
