"""Events fed to the centre's transactions from memory, and the rows that they leave written by the driver alone."""

import gc
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Table, select

from bench.centre_bench.kiosk_load import Message
from bench.centre_bench.stores import opened
from centre.ingest.ingest import BATCH
from centre.ingest.transaction import store_batch
from centre.link.received import Received
from centre.moments import moment, utc_now
from centre.orders.renewal import renew_messages
from centre.store.database import Database
from centre.store.schema import metadata

__all__ = ["TableRows", "batches_of", "feed", "new_rows", "write_bare"]

_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536")
"""Those of the centre's connections."""


class TableRows(NamedTuple):
    """Rows of one table."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def batches_of(messages: Sequence[Message]) -> list[list[Received]]:
    """Return events as the ingest takes them behind a backlog: in full batches."""
    now = moment(utc_now())
    received = [Received("127.0.0.1:1883", one.topic, one.payload, False, now) for one in messages]
    return [received[first : first + BATCH] for first in range(0, len(received), BATCH)]


def feed(database: Database, batches: Sequence[Sequence[Received]]) -> float:
    """Store batches, one transaction each; return events a second."""
    with _earlier_objects_left_out():
        began = time.monotonic()
        for batch in batches:
            stored = store_batch(database, batch, now=moment(utc_now()), renew=renew_messages)
            if stored.events != len(batch):
                raise RuntimeError(f"{stored.events} of {len(batch)} events were stored")
        return sum(map(len, batches)) / (time.monotonic() - began)


@contextmanager
def _earlier_objects_left_out() -> Iterator[None]:
    """Have the garbage collector leave out what was made before: the centre does not have it in memory."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


# -- the reference ---------------------------------------------------------------------------------------------------


def new_rows(before: Database, after: Database) -> list[TableRows]:
    """Return the rows of `after` that are not in `before`, in an order in which they can be inserted."""
    found = []
    for table in metadata.sorted_tables:
        known = set(_rows(before, table))
        rows = [row for row in _rows(after, table) if row not in known]
        if rows:
            found.append(TableRows(table.name, tuple(column.name for column in table.columns), rows))
    return found


def _rows(database: Database, table: Table) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]


def write_bare(url: str, tables: Sequence[TableRows], batches: int) -> float:
    """Write rows into an empty database in a number of transactions; return the seconds that it takes."""
    with opened(url) as database:
        is_sqlite = database.is_sqlite
    parts = _parts(tables, batches)
    with _earlier_objects_left_out():
        return _insert(url, parts) if is_sqlite else _copy(url, parts)


def _parts(tables: Sequence[TableRows], batches: int) -> list[list[TableRows]]:
    """Return what each transaction writes: an equal share of each table.

    The shares of boxes are one transaction ahead, so that each box is there before what lies in it.
    """
    parts: list[list[TableRows]] = [[] for _ in range(batches)]
    for name, columns, rows in tables:
        ahead = {"kiosk": batches, "journal": batches, "box": 1}.get(name, 0)
        ends = [len(rows) * min(batches, number + ahead) // batches for number in range(1, batches + 1)]
        for part, (first, end) in zip(parts, pairwise([0, *ends]), strict=True):
            if first < end:
                part.append(TableRows(name, columns, rows[first:end]))
    return parts


def _insert(url: str, parts: Sequence[Sequence[TableRows]]) -> float:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("DELETE FROM counter")  # written by making the tables
    connection.execute("DELETE FROM site")

    def write(part: TableRows) -> None:
        marks = ", ".join("?" for _ in part.columns)
        connection.executemany(f"INSERT INTO {part.table} ({', '.join(part.columns)}) VALUES ({marks})", part.rows)

    began = time.monotonic()
    for some in parts:
        connection.execute("BEGIN IMMEDIATE")
        _each(some, write)
        connection.execute("COMMIT")
    took_s = time.monotonic() - began
    connection.close()
    return took_s


def _copy(url: str, parts: Sequence[Sequence[TableRows]]) -> float:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DELETE FROM counter")
        connection.execute("DELETE FROM site")

        def write(part: TableRows) -> None:
            statement = f"COPY {part.table} ({', '.join(part.columns)}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                for row in part.rows:
                    copy.write_row(row)

        began = time.monotonic()
        for some in parts:
            with connection.transaction():
                _each(some, write)
        return time.monotonic() - began


def _each(parts: Sequence[TableRows], write: Callable[[TableRows], None]) -> None:
    for part in parts:
        write(part)
