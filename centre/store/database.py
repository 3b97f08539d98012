"""One database: SQLite or PostgreSQL, by its URL. Opening it, and its transactions.

Every connection is used by one thread at a time. The centre works on the database in threads of the event loop's pool.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from centre.centre_errors import DatabaseDown
from centre.store.database_file import DatabaseFile

__all__ = ["Database"]

BUSY_S = 30
POOL_SIZE = 8

_SOCKET = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A server that has lost its power says nothing: without these, a transaction would wait for it for hours."""


class Database:
    """Transactions on one database. Any thread may use it.

    On SQLite there is one writer at a time: this process takes turns by a lock, and other processes (commands) wait at
    SQLite's own. A commit has reached the disk when `writing` returns.
    """

    def __init__(self, url: str, *, password: str | None = None) -> None:
        connect: dict[str, Any] = dict(_SOCKET)
        if password is not None:
            connect["password"] = password
        self.engine: Engine = create_engine(
            url,
            connect_args={"timeout": BUSY_S, "check_same_thread": False} if url.startswith("sqlite") else connect,
            poolclass=QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=8,
            pool_pre_ping=not url.startswith("sqlite"),
        )
        self.password = password
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = threading.Lock()
        self._file = DatabaseFile(self.engine.url.database if self.is_sqlite else None)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database and cannot change it. Raises DatabaseDown."""
        with _translated(), self.engine.connect() as connection:
            self._file.check()
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together at the end, or not at all. Raises DatabaseDown."""
        with _translated(), self._turn(), self.engine.connect() as connection:
            self._file.check()
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection
            self._file.check()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for this process's turn to write: on SQLite, and no longer than for SQLite's own lock."""
        if not self.is_sqlite:
            yield
        elif self._writer.acquire(timeout=BUSY_S):
            try:
                yield
            finally:
                self._writer.release()
        else:
            raise DatabaseDown("too many changes at once: none of them could be written in time")

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def ping(self) -> None:
        """Raise DatabaseDown if the database does not answer."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))


_OF_THE_STATEMENT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""Errors that come again with the same statement and the same values, however well the database works."""
_TOO_LARGE = "54"
"""PostgreSQL's class of errors for values that are too large for an index, among others: such an error too."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        if isinstance(exc, _OF_THE_STATEMENT) or (getattr(exc.orig, "sqlstate", None) or "").startswith(_TOO_LARGE):
            raise
        raise DatabaseDown(_words(exc)) from exc
    except PoolTimeout as exc:
        raise DatabaseDown("too many requests at once: no connection became free in time") from exc


def _words(exc: DBAPIError) -> str:
    return " ".join(str(exc.orig).split()) or type(exc.orig).__name__


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy begins the transactions, see `_begin_sqlite`; the driver must not.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a transaction that reads first and writes later could fail in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
