"""Operators by site. Their names are stored here and nowhere else, so that a person can be forgotten."""

import json
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from centre.store.schema import operator

__all__ = ["OperatorRow", "load_operators", "replace_operators"]


class OperatorRow(Struct, frozen=True, kw_only=True):
    """One operator."""

    operator: str
    name: str | None
    badges: tuple[str, ...]
    """Hashes, as `badge_key` gives them for the site's salt."""
    roles: tuple[str, ...] | None
    """None: all."""


def load_operators(connection: Connection, site: str) -> list[OperatorRow]:
    """Return the operators of a site, in the order of the list."""
    statement = select(operator).where(operator.c.site == site).order_by(operator.c.place)
    return [
        OperatorRow(
            operator=row.operator,
            name=row.name,
            badges=tuple(json.loads(row.badges)),
            roles=None if row.roles is None else tuple(json.loads(row.roles)),
        )
        for row in connection.execute(statement)
    ]


def replace_operators(connection: Connection, site: str, rows: Sequence[OperatorRow]) -> None:
    """Make these the operators of a site."""
    connection.execute(delete(operator).where(operator.c.site == site))
    values = [
        {
            "site": site,
            "operator": row.operator,
            "name": row.name,
            "badges": json.dumps(row.badges),
            "roles": None if row.roles is None else json.dumps(row.roles),
            "place": place,
        }
        for place, row in enumerate(rows)
    ]
    if values:
        connection.execute(insert(operator), values)
