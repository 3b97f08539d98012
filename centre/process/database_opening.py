"""Opens the database that the settings name: for the running centre, and for commands beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from centre.centre_errors import Refused
from centre.configuration.centre_settings import CentreSettings
from centre.configuration.secret_files import secret_in
from centre.process.file_locks import make_data_dir
from centre.store.database import Database
from centre.store.migration import check_schema, schema_of, upgrade_schema

__all__ = ["connected_database", "open_for_command", "sqlite_file"]


def sqlite_file(settings: CentreSettings) -> Path | None:
    """Return the file of an SQLite database; None for PostgreSQL."""
    start = "sqlite:///"
    return Path(settings.database_url.removeprefix(start)) if settings.database_url.startswith(start) else None


@contextmanager
def connected_database(settings: CentreSettings, *, may_create: bool) -> Iterator[Database]:
    """Give the database, whatever is in it; close it at the end.

    An SQLite file that is not there is made if it `may_create`; else Refused is raised.
    """
    file = sqlite_file(settings)
    if file is not None and not file.exists():
        if not may_create:
            raise Refused(f"there is no database {file}: start the centre in this folder, or name its --config")
        make_data_dir(file.parent)
        # Passwords and tokens are in it as hashes only, but that is nobody's business either.
        file.touch(mode=0o600, exist_ok=True)
    database = Database(settings.database_url, password=_password(settings))
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def open_for_command(settings: CentreSettings, *, may_create: bool) -> Iterator[Database]:
    """Give a database of the present schema. Raises DatabaseRefused for an older one.

    An empty database gets its tables, so that tokens and orders can be there before the first start. `may_create` is as
    for `connected_database`: without a configuration this might just be the wrong folder.
    """
    with connected_database(settings, may_create=may_create) as database:
        if schema_of(database) is None:
            upgrade_schema(database)
        check_schema(database)
        yield database


def _password(settings: CentreSettings) -> str | None:
    file = settings.database.password_file
    if file is None:
        return None
    try:
        return secret_in(file)
    except (OSError, ValueError) as exc:
        raise Refused(f"the password of the database cannot be read from {file}: {exc}") from exc
