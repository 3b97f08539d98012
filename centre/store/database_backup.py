"""Copies of a whole database, made while the centre runs."""

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from centre.centre_errors import DatabaseDown, Refused
from centre.store.database import Database

__all__ = ["back_up"]

_BUSY_S = 30.0
_STEP_PAGES = 1024


def back_up(database: Database, file: Path) -> None:
    """Write a copy of the database to a new file, readable by its owner alone. It is whole, or not there.

    SQLite: a database file. PostgreSQL: what `pg_dump --format=custom` writes, for `pg_restore`. Raises Refused if the
    file exists or cannot be written, or if pg_dump is missing or fails; DatabaseDown.
    """
    if file.exists():
        raise Refused(f"{file} exists: name a new file")
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if database.is_sqlite:
            _copy_sqlite(database, part)
        else:
            _dump_postgresql(database, part)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        os.link(part, file)  # unlike a rename, this fails if the file has appeared meanwhile
    except OSError as exc:
        raise Refused(f"cannot write {file}: {exc.strerror}") from exc
    finally:
        part.unlink(missing_ok=True)


def _copy_sqlite(database: Database, part: Path) -> None:
    source = database.engine.raw_connection()
    target = sqlite3.connect(part)
    try:
        target.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000:.0f}")
        driver = source.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.backup(target, pages=_STEP_PAGES)
        # A copy is one file: nobody should have to keep its -wal with it.
        target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as exc:
        raise DatabaseDown(f"the copy failed: {exc}") from exc
    finally:
        target.close()
        source.close()


def _dump_postgresql(database: Database, part: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise Refused("pg_dump is not installed: it comes with PostgreSQL's client programs (postgresql-client)")
    url = database.engine.url
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    password = database.password or url.password
    environment = {**os.environ, **({} if password is None else {"PGPASSWORD": password})}
    done = subprocess.run(
        [program, "--format=custom", "--no-password", f"--file={part}", f"--dbname={plain}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(f"pg_dump failed: {' '.join(done.stderr.split()) or f'exit code {done.returncode}'}")
