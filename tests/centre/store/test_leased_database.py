"""Writing under leases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from centre.centre_errors import LeaseLost
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
