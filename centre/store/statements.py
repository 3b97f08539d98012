"""Statements that SQLite and PostgreSQL write differently: insert-or-update, and inserting many rows fast."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

__all__ = ["chunks", "insert_rows", "replace_rows", "upsert"]

CHUNK = 1000

T = TypeVar("T")

Row: TypeAlias = tuple[Any, ...]


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's database, with `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def replace_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, keep: Sequence[str] = ()
) -> None:
    """Insert rows, or replace those with the same primary key. All rows have the same columns.

    Columns named in `keep` are written only where a row is new.
    """
    if rows:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.execute(_replacing(is_sqlite, table, tuple(rows[0]), tuple(keep)), list(rows))


@cache  # building a statement takes longer than running it
def _replacing(is_sqlite: bool, table: Table, columns: tuple[str, ...], keep: tuple[str, ...]) -> Any:
    statement = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys and name not in keep}
    if changed:
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)
    return statement.on_conflict_do_nothing(index_elements=keys)


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows. Each row has a value for each of the columns.

    SQLAlchemy's own way for many rows takes about three times as long: it builds a dictionary for each row. PostgreSQL
    gets the rows by COPY, its fastest way in.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert(table.name, columns), list(rows))
        return
    driver: Any = connection.connection.driver_connection
    dbapi: Any = connection.dialect.dbapi
    statement = _copy(table.name, columns)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except dbapi.Error as exc:
        raise DBAPIError.instance(statement, None, exc, dbapi.Error, dialect=connection.dialect) from exc


@cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})"


@cache
def _copy(table: str, columns: tuple[str, ...]) -> str:
    return f"COPY {table} ({', '.join(columns)}) FROM STDIN"


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Yield the items in pieces that fit into one statement's parameters."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
