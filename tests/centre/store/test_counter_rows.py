"""Counters that only rise."""

from centre.store import counter_rows
from centre.store.database import Database


def test_a_counter_begins_at_zero_and_rises(database: Database) -> None:
    with database.writing() as connection:
        assert counter_rows.value(connection, "a") == 0
        assert counter_rows.advance(connection, "a") == 1
        assert counter_rows.advance(connection, "a", 5) == 6
        assert counter_rows.advance(connection, "b") == 1
        assert counter_rows.value(connection, "a") == 6
