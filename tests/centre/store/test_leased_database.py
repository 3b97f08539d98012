"""Writing under leases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from centre.centre_errors import DatabaseDown, LeaseLost
from centre.store.database import Database
from centre.store.lease_rows import take_lease
from centre.store.leased_database import LeasedDatabase
from centre.store.schema import counter


def write(database: Database, name: str) -> None:
    with database.writing() as connection:
        connection.execute(counter.insert().values(name=name, value=1))


def test_nothing_is_written_after_a_take_over(database: Database) -> None:
    with database.writing() as connection:
        take_lease(connection, "s", "a", timedelta(0))
    leased = LeasedDatabase(database, {"s": 1})
    write(leased, "before")
    with database.writing() as connection:
        assert take_lease(connection, "s", "b", timedelta(seconds=60)) == 2
    with pytest.raises(LeaseLost):
        write(leased, "after")
    with leased.reading() as connection:
        assert connection.execute(select(func.count()).select_from(counter)).scalar_one() == 1


def test_without_leases_it_is_the_database(database: Database) -> None:
    write(LeasedDatabase(database, {}), "a")


def test_a_centre_that_hangs_in_a_transaction_keeps_nobody_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        pytest.skip("there is no second centre on SQLite")
    monkeypatch.setattr("centre.store.lease_rows.SILENT_S", 0.3)
    with database.writing() as connection:
        take_lease(connection, "s", "a", timedelta(0))

    def hang() -> None:
        with LeasedDatabase(database, {"s": 1}).writing() as connection:
            connection.execute(counter.insert().values(name="a", value=1))
            # Waits until the transaction of the one that hangs is ended.
            with database.writing() as other:
                assert take_lease(other, "s", "b", timedelta(seconds=60)) == 2

    with pytest.raises(DatabaseDown):
        hang()
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(counter)).scalar_one() == 0
