"""The databases on which the centre's tests run: each test that takes `database` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from centre.store.database import Database
from centre.store.schema import metadata
from harness.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of a process."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """The URL of an empty database of PostgreSQL."""
    return postgres.database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/centre.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(scope="session")
def postgres_tables(postgres: PostgresServer) -> Iterator[Database]:
    """One database of PostgreSQL with the centre's tables, for all tests of a process: making one takes long."""
    database = Database(postgres.database())
    with database.writing() as connection:
        metadata.create_all(connection)
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the centre's tables, all empty."""
    if request.param == "postgresql":
        shared: Database = request.getfixturevalue("postgres_tables")
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        with shared.writing() as connection:
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        yield shared
        shared.dispose()
        return
    database = Database(f"sqlite:///{tmp_path}/centre.sqlite")
    with database.writing() as connection:
        metadata.create_all(connection)
    yield database
    database.dispose()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """The same on SQLite alone, for tests that are not about the database."""
    database = Database(f"sqlite:///{tmp_path}/only.sqlite")
    with database.writing() as connection:
        metadata.create_all(connection)
    yield database
    database.dispose()
