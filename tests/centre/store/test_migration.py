"""Migrations: they give the schema of `schema.py`, on both databases, and no database of somebody else is touched."""

import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from centre.centre_errors import DatabaseRefused
from centre.store.database import Database
from centre.store.migration import VERSION_TABLE, check_schema, newest_schema, schema_of, upgrade_schema
from centre.store.schema import metadata


@pytest.fixture
def empty(database_url: str) -> Any:
    database = Database(database_url)
    yield database
    database.dispose()


def structure(database: Database) -> dict[str, Any]:
    """Everything that the database says about its tables."""
    found: dict[str, Any] = {}
    with database.reading() as connection:
        inspector = inspect(connection)
        for table in inspector.get_table_names():
            if table == VERSION_TABLE:
                continue
            found[table] = {
                "columns": [{**one, "type": repr(one["type"])} for one in inspector.get_columns(table)],
                "primary key": inspector.get_pk_constraint(table),
                "foreign keys": by_name(inspector.get_foreign_keys(table)),
                "unique": by_name(inspector.get_unique_constraints(table)),
                "check": by_name(inspector.get_check_constraints(table)),
                "indexes": by_name(inspector.get_indexes(table)),
                "comment": None if database.is_sqlite else inspector.get_table_comment(table),
            }
    return found


def by_name(parts: Any) -> dict[str, str]:
    """Each part as text. The WHERE of an index would show as an object with an address."""
    return {
        part["name"]: repr(
            {**part, "dialect_options": [f"{key}={one}" for key, one in part.get("dialect_options", {}).items()]}
        )
        for part in parts
    }


def test_the_migrations_give_the_schema(empty: Database) -> None:
    upgrade_schema(empty)
    migrated = structure(empty)
    with empty.writing() as connection:
        difference = compare_metadata(
            MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True}),
            metadata,
        )
        assert not difference, "schema.py and the migrations differ: python -m scripts.migration --help"
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert structure(empty) == migrated


def test_an_upgrade_is_done_once(empty: Database) -> None:
    assert schema_of(empty) is None
    with pytest.raises(DatabaseRefused, match="the database is empty: run"):
        check_schema(empty)
    assert upgrade_schema(empty) == (None, newest_schema())
    assert upgrade_schema(empty) == (newest_schema(), newest_schema())
    check_schema(empty)


def test_two_upgrades_at_once(empty: Database, database_url: str) -> None:
    other = Database(database_url)
    found: list[tuple[str | None, str]] = []
    threads = [threading.Thread(target=lambda one=one: found.append(upgrade_schema(one))) for one in (empty, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.dispose()
    assert sorted(found, key=str) == [(newest_schema(), newest_schema()), (None, newest_schema())]


def test_a_newer_schema_is_refused(empty: Database) -> None:
    upgrade_schema(empty)
    with empty.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    for use in (check_schema, upgrade_schema, schema_of):
        with pytest.raises(DatabaseRefused, match="the schema 9999, newer than this program's"):
            use(empty)


def test_a_database_of_another_program_is_refused(empty: Database) -> None:
    with empty.writing() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
    for use in (check_schema, upgrade_schema):
        with pytest.raises(DatabaseRefused, match="belongs to another program: it has a table alembic_version"):
            use(empty)
    with empty.reading() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_a_migration_that_fails_leaves_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: MetaData, *_: Any, **__: Any) -> None:
        raise RuntimeError("in the middle")

    # Alembic writes the version after the tables.
    monkeypatch.setattr(MigrationContext, "_ensure_version_table", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        upgrade_schema(empty)
    monkeypatch.undo()
    assert structure(empty) == {}


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("To whom it may concern: this is a letter, not a database.\n" * 100)
    with pytest.raises(DatabaseRefused, match="the database cannot be used: file is not a database"):
        upgrade_schema(Database(f"sqlite:///{tmp_path}/file"))
