"""The table `counter`: numbers that only rise, in the transaction that uses them."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from centre.store.schema import counter

__all__ = ["advance", "value"]


def advance(connection: Connection, name: str, by: int = 1) -> int:
    """Raise a counter and return its new value.

    PostgreSQL keeps the counter's row locked until the transaction ends. So transactions that raise the same counter
    are committed in the order of its values.
    """
    statement = _advancing(connection.dialect.name == "sqlite")
    return int(connection.execute(statement, {"name": name, "value": by}).scalar_one())


@cache  # every transaction of the ingest raises four counters
def _advancing(is_sqlite: bool) -> Any:
    statement = sqlite.insert(counter) if is_sqlite else postgresql.insert(counter)
    return statement.on_conflict_do_update(
        index_elements=[counter.c.name], set_={"value": counter.c.value + statement.excluded.value}
    ).returning(counter.c.value)


def value(connection: Connection, name: str) -> int:
    """Return the value of a counter; 0 if it was never raised."""
    return connection.execute(select(counter.c.value).where(counter.c.name == name)).scalar() or 0
