"""Leases: one holder at a time, by the database's clock, and nobody takes over in the middle of a transaction."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from centre.centre_errors import LeaseLost
from centre.moments import moment
from centre.store.database import Database
from centre.store.lease_rows import database_moment, release_lease, require_leases, take_lease

LONG = timedelta(seconds=60)
OVER = timedelta(seconds=-1)


def take(database: Database, holder: str, lasts: timedelta = LONG, site: str = "s") -> int | None:
    with database.writing() as connection:
        return take_lease(connection, site, holder, lasts)


def test_the_clock_of_the_database(database: Database) -> None:
    with database.reading() as connection:
        found = database_moment(connection)
    now = datetime.now(UTC)
    assert moment(now - timedelta(seconds=60)) < found < moment(now + timedelta(seconds=60))


def test_one_holder_at_a_time(database: Database) -> None:
    assert take(database, "a") == 1
    assert take(database, "b") is None
    assert take(database, "a") == 1
    assert take(database, "b", site="t") == 1


def test_an_expired_lease_is_taken_over(database: Database) -> None:
    assert take(database, "a", OVER) == 1
    assert take(database, "a", OVER) == 1
    assert take(database, "b") == 2
    assert take(database, "a") is None


def test_a_released_lease_is_taken_over_at_once(database: Database) -> None:
    take(database, "a")
    with database.writing() as connection:
        release_lease(connection, "s", "b")
    assert take(database, "b") is None
    with database.writing() as connection:
        release_lease(connection, "s", "a")
    assert take(database, "b") == 2


def test_a_transaction_needs_the_present_epoch(database: Database) -> None:
    take(database, "a", OVER)
    with database.writing() as connection:
        require_leases(connection, {"s": 1})
        require_leases(connection, {})
    take(database, "b")
    for epochs in ({"s": 1}, {"s": 2, "unknown": 1}):
        with pytest.raises(LeaseLost), database.writing() as connection:
            require_leases(connection, epochs)


def test_a_take_over_waits_for_the_transaction_of_the_holder(database: Database) -> None:
    take(database, "a", OVER)
    taken: list[int | None] = []
    other = threading.Thread(target=lambda: taken.append(take(database, "b")))
    with database.writing() as connection:
        require_leases(connection, {"s": 1})
        other.start()
        other.join(0.3)
        assert not taken
    other.join()
    assert taken == [2]
