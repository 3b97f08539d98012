"""Upgrading the schema at a start, with a way back: an SQLite file is copied first.

PostgreSQL undoes a failed migration by itself, and its backups belong to whoever runs the server.
"""

from pathlib import Path
from typing import NamedTuple

from centre.configuration.centre_settings import CentreSettings
from centre.process.database_opening import sqlite_file
from centre.store.database import Database
from centre.store.database_backup import back_up
from centre.store.migration import newest_schema, schema_of, upgrade_schema

__all__ = ["SchemaUpgrade", "upgrade_with_copy"]


class SchemaUpgrade(NamedTuple):
    """What was done."""

    before: str | None
    """The schema before; None: the database was empty."""
    after: str
    copy: Path | None
    """The copy of the SQLite file as it was."""


def upgrade_with_copy(database: Database, settings: CentreSettings) -> SchemaUpgrade:
    """Upgrade the database. Raises DatabaseRefused; Refused if the copy cannot be written."""
    before, file = schema_of(database), sqlite_file(settings)
    copy = None
    if before is not None and before != newest_schema() and file is not None:
        copy = file.with_name(f"{file.name}.before-{newest_schema()}")
        copy.unlink(missing_ok=True)  # of an upgrade that failed
        back_up(database, copy)
    return SchemaUpgrade(*upgrade_schema(database), copy)
