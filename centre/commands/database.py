"""`kiosk-centre database upgrade|check` and `kiosk-centre backup`: the database as a whole."""

from pathlib import Path
from typing import TextIO

from centre.configuration.centre_settings import CentreSettings
from centre.process.database_opening import connected_database, open_for_command
from centre.process.schema_upgrade import upgrade_with_copy
from centre.store.database_backup import back_up
from centre.store.migration import check_schema, newest_schema

__all__ = ["backup", "check", "upgrade"]


def upgrade(settings: CentreSettings, out: TextIO) -> int:
    """Bring the database to the schema of this program. Raises DatabaseRefused."""
    with connected_database(settings, may_create=True) as database:
        done = upgrade_with_copy(database, settings)
    if done.before == done.after:
        out.write(f"the schema {done.after} is the newest: nothing to do\n")
    else:
        out.write(f"upgraded from {f'schema {done.before}' if done.before else 'empty'} to schema {done.after}\n")
    if done.copy is not None:
        out.write(f"the database as it was before: {done.copy}\n")
    return 0


def check(settings: CentreSettings, out: TextIO) -> int:
    """Tell whether the database can be used by this program. Raises DatabaseRefused."""
    with connected_database(settings, may_create=False) as database:
        check_schema(database)
    out.write(f"ok: schema {newest_schema()}\n")
    return 0


def backup(settings: CentreSettings, file: Path, out: TextIO) -> int:
    """Write a copy of the database, also while the centre runs. Raises Refused."""
    with open_for_command(settings, may_create=False) as database:
        back_up(database, file)
    out.write(f"wrote {file}, {file.stat().st_size:,} bytes\n")
    return 0
