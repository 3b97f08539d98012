"""Databases of the measured centre: made once, with what every round begins with, and then copied for each round."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bench.centre_bench.kiosk_load import manifest_of
from bench.scratch import Scratch
from bench.world import SITE
from centre.moments import moment, utc_now
from centre.orders.manifest_check import checked_manifest
from centre.orders.manifest_intake import GivenManifest, put_all
from centre.orders.site_addition import serve_sites
from centre.store.database import Database
from centre.store.migration import upgrade_schema
from harness.postgres import PostgresServer

__all__ = ["Fill", "PostgresStore", "SqliteStore", "Store", "opened", "stores", "with_orders"]

Fill = Callable[[Database], None]
"""Writes what every round begins with."""

_AT_ONCE = 500
_POSTGRES = {"shared_buffers": "128MB"}  # as PostgreSQL comes; the harness makes small ones


class Store(Protocol):
    """A kind of database. Each method returns the URL of a new one."""

    name: str

    def new(self, fill: Fill) -> str:
        """Make a database with the centre's tables, and fill it."""
        ...

    def copy(self, url: str) -> str:
        """Copy a database that nobody uses."""
        ...


class SqliteStore:
    """Files in one folder."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def new(self, fill: Fill) -> str:
        url = f"sqlite:///{self._path()}"
        _make(url, fill)
        return url

    def copy(self, url: str) -> str:
        path = self._path()
        shutil.copyfile(url.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    def _path(self) -> Path:
        self._made += 1
        return self._folder / f"centre-{self._made}.sqlite"


class PostgresStore:
    """Databases of one server, which waits for the disk as an installed one does."""

    name = "PostgreSQL"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def new(self, fill: Fill) -> str:
        url = self._server.database()
        _make(url, fill)
        return url

    def copy(self, url: str) -> str:
        return self._server.database(template=url.rpartition("/")[2])


@contextmanager
def stores(scratch: Scratch) -> Iterator[list[Store]]:
    """Yield one store of each kind, on the measured disk."""
    with PostgresServer(durable=True, settings=_POSTGRES) as server:
        yield [SqliteStore(scratch.folder("sqlite")), PostgresStore(server)]


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database; close all its connections at the end."""
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def _make(url: str, fill: Fill) -> None:
    with opened(url) as database:
        upgrade_schema(database)
        with database.writing() as connection:
            serve_sites(connection, [SITE], moment(utc_now()))
        fill(database)


def with_orders(count: int) -> Fill:
    """Return what puts the manifests of the first `count` orders into a database."""

    def fill(database: Database) -> None:
        for first in range(0, count, _AT_ONCE):
            documents = map(manifest_of, range(first, min(count, first + _AT_ONCE)))
            given = [GivenManifest(manifest=checked_manifest(one["order"], one), site=None) for one in documents]
            with database.writing() as connection:
                put_all(connection, given, now=moment(utc_now()))

    return fill
