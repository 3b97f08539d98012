"""Transactions on both databases."""

import threading
from contextlib import ExitStack

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
