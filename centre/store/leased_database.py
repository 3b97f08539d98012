"""A database as one holder of leases may use it: each of its writing transactions checks the leases first."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from centre.store.database import Database
from centre.store.lease_rows import require_leases

__all__ = ["LeasedDatabase"]


class LeasedDatabase(Database):
    """The same connections as those of another `Database`, which opens and closes them.

    `epochs` are those of the leases, by site; without any it is like the other one.
    """

    def __init__(self, database: Database, epochs: Mapping[str, int]) -> None:
        # Not the base class's: that opens connections of its own.
        self.__dict__.update(vars(database))
        self._epochs = epochs

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As `Database.writing`. Raises LeaseLost too: then nothing is changed."""
        with super().writing() as connection:
            require_leases(connection, self._epochs)
            yield connection
