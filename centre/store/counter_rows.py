"""The table `counter`: numbers that only rise, in the transaction that uses them."""

from sqlalchemy import Connection, select

from centre.store.schema import counter
from centre.store.statements import upsert

__all__ = ["advance", "value"]


def advance(connection: Connection, name: str, by: int = 1) -> int:
    """Raise a counter and return its new value.

    PostgreSQL keeps the counter's row locked until the transaction ends. So transactions that raise the same counter
    are committed in the order of its values.
    """
    statement = upsert(connection, counter).values(name=name, value=by)
    statement = statement.on_conflict_do_update(
        index_elements=[counter.c.name], set_={"value": counter.c.value + statement.excluded.value}
    ).returning(counter.c.value)
    return int(connection.execute(statement).scalar_one())


def value(connection: Connection, name: str) -> int:
    """Return the value of a counter; 0 if it was never raised."""
    return connection.execute(select(counter.c.value).where(counter.c.name == name)).scalar() or 0
