"""The schema of a database: which one it has, and bringing it to the present one.

Every database of ours has a table `centre_schema` with the number of its newest migration. All migrations of an upgrade
are one transaction, on SQLite too.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from centre.centre_errors import DatabaseDown, DatabaseRefused
from centre.store.database import Database

__all__ = ["VERSION_TABLE", "alembic_config", "check_schema", "newest_schema", "schema_of", "upgrade_schema"]

VERSION_TABLE = "centre_schema"

_UPGRADE_LOCK = 0x6B696F736B  # any number that all centres agree on


def newest_schema() -> str:
    """Return the schema that this program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def schema_of(database: Database) -> str | None:
    """Return the schema of a database; None if it is empty. Raises DatabaseRefused if it is not ours, or is newer."""
    with _refused_if_no_database(), database.reading() as connection:
        return _schema_of(connection)


def check_schema(database: Database) -> None:
    """Raise DatabaseRefused unless the database has the schema that this program works with."""
    found = schema_of(database)
    if found is None:
        raise DatabaseRefused("the database is empty: run `kiosk-centre database upgrade`, or start the centre")
    if found != newest_schema():
        raise DatabaseRefused(
            f"the database has the older schema {found}, not {newest_schema()}: run `kiosk-centre database upgrade`, "
            "or start the centre"
        )


def upgrade_schema(database: Database) -> tuple[str | None, str]:
    """Bring a database to the newest schema. Return the schema before and after. Raises DatabaseRefused.

    Several processes may do so at once: the others wait, and find nothing left to do.
    """
    with _refused_if_no_database(), database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        before = _schema_of(connection)
        if before != newest_schema():
            command.upgrade(alembic_config(connection), "head")
        return before, newest_schema()


def alembic_config(connection: Connection) -> Config:
    """Return what Alembic's commands need to work on our migrations over this connection."""
    config = _config()
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    return config


def _config() -> Config:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _schema_of(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise DatabaseRefused(
                f"the database belongs to another program: it has a table {sorted(tables)[0]}, but no {VERSION_TABLE}. "
                "Give the centre a database of its own"
            )
        return None
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    if found is None:
        return None
    try:
        ScriptDirectory.from_config(_config()).get_revision(found)
    except CommandError as exc:
        raise DatabaseRefused(
            f"the database has the schema {found}, newer than this program's {newest_schema()}: install the newer "
            "kiosk-centre again, or restore a backup"
        ) from exc
    return found


@contextmanager
def _refused_if_no_database() -> Iterator[None]:
    try:
        yield
    except DatabaseError as exc:
        raise DatabaseRefused(f"the database cannot be used: {' '.join(str(exc.orig).split())}") from exc
    except DatabaseDown as exc:
        if type(exc.__cause__) is DatabaseError:  # SQLite's, for a file that is damaged, or was never a database
            raise DatabaseRefused(f"the database cannot be used: {exc}") from exc
        raise
