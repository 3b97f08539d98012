"""Transactions on both databases."""

import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from centre.centre_errors import DatabaseDown
from centre.store.database import Database
from centre.store.schema import counter


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(counter)).scalar_one()


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(counter.insert().values(name="a", value=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert count(database) == 0


def test_a_reader_sees_one_state_while_a_writer_commits(database: Database) -> None:
    with database.reading() as reader:
        before = reader.execute(select(func.count()).select_from(counter)).scalar_one()
        with database.writing() as writer:
            writer.execute(counter.insert().values(name="a", value=1))
        again = reader.execute(select(func.count()).select_from(counter)).scalar_one()
    assert (before, again) == (0, 0)
    assert count(database) == 1


def test_a_reader_cannot_write(database: Database) -> None:
    def write() -> None:
        with database.reading() as connection:
            connection.execute(counter.insert().values(name="a", value=1))

    with pytest.raises((DBAPIError, DatabaseDown), match=r"read-?only"):
        write()
    assert count(database) == 0


def test_two_threads_write_one_after_the_other(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(counter.insert().values(name="a", value=0))

    def add() -> None:
        for _ in range(20):
            with database.writing() as connection:
                connection.execute(counter.update().values(value=counter.c.value + 1))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.execute(select(counter.c.value)).scalar_one() == 40


def test_a_database_that_is_not_there_is_down() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseDown, match="refused"):
        database.ping()


def test_too_many_at_once_wait_and_are_then_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.1)

    def open_many() -> None:
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(database.reading())

    with pytest.raises(DatabaseDown, match="at once"):
        open_many()
    assert count(database) == 0


def file_of(database: Database) -> Path:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL looks after its files itself")
    assert database.engine.url.database is not None
    return Path(database.engine.url.database)


def test_what_is_written_to_a_deleted_file_does_not_count(database: Database) -> None:
    file = file_of(database)
    aside = file.with_name("aside")
    assert count(database) == 0
    file.rename(aside)
    with pytest.raises(DatabaseDown, match="is gone"):
        database.ping()
    with pytest.raises(DatabaseDown, match="is gone"), database.writing():
        pass
    aside.rename(file)
    assert count(database) == 0


def test_a_file_that_goes_in_the_middle_of_a_transaction_is_seen(database: Database) -> None:
    file = file_of(database)

    def write() -> None:
        with database.writing() as connection:
            connection.execute(counter.insert().values(name="a", value=1))
            file.unlink()

    with pytest.raises(DatabaseDown, match="is gone"):
        write()


def test_a_replaced_file_needs_a_restart(database: Database) -> None:
    file = file_of(database)
    assert count(database) == 0
    other = file.with_name("other")
    sqlite3.connect(other).close()
    other.replace(file)
    with pytest.raises(DatabaseDown, match="was replaced"), database.writing():
        pass


def test_a_damaged_file_is_a_database_that_is_down(database: Database) -> None:
    file = file_of(database)
    database.dispose()  # else it would be read from the cache
    for log in file.parent.glob(f"{file.name}-*"):
        log.unlink()
    file.write_bytes(b"To whom it may concern: this is no database. " * 1000)
    with pytest.raises(DatabaseDown, match="not a database"):
        database.ping()


def test_a_writer_does_not_wait_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(database)
    monkeypatch.setattr("centre.store.database.BUSY_S", 0.05)
    with database.writing(), pytest.raises(DatabaseDown, match="at once"), database.writing():
        pass
