"""Centres with a filled database, and what tests need of their pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.testclient import TestClient

from centre.moments import moment
from centre.store.database import Database
from centre.store.schema import metadata
from centre.web.accounts import add_user
from centre.web.scopes import UserRole
from centre.web.sessions import COOKIE, CSRF_HEADER, NewSession, Sessions
from tests.centre.web.board.floor import Floor
from tests.centre.web.board.working_day import fill
from tests.centre.web.conftest import PASSWORD, Centre, MakeCentre, PlayedClock

SITES = ("main", "rtm1")


class Day(NamedTuple):
    """The database of a working day, and a supervisor's session in it."""

    file: Path
    session: NewSession


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The day is written once; each test gets a copy."""
    file = tmp_path_factory.mktemp("day") / "day.sqlite"
    clock = PlayedClock()
    database = Database(f"sqlite:///{file}")
    with database.writing() as connection:
        metadata.create_all(connection)
        add_user(connection, "Robin", UserRole.SUPERVISOR, PASSWORD, actor="command", now=moment(clock.now()))
    fill(Floor(database, clock.now(), sites=SITES))
    session = Sessions(database, clock.now, clock.monotonic).sign_in("Robin", PASSWORD, "127.0.0.9")
    assert isinstance(session, NewSession)
    database.dispose()
    return Day(file, session)


@pytest.fixture
def day_database(template: Day, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(template.file, tmp_path / "day.sqlite")
    database = Database(f"sqlite:///{tmp_path}/day.sqlite")
    yield database
    database.dispose()


@pytest.fixture
def day(make_centre: MakeCentre, day_database: Database) -> Centre:
    """A centre whose database tells of a working day."""
    return make_centre(day_database)


@pytest.fixture
def public_day(make_centre: MakeCentre, day_database: Database) -> Centre:
    """The same; strangers may read its pages."""
    return make_centre(day_database, public_read=True)


@pytest.fixture
def supervisor(day: Centre, template: Day) -> TestClient:
    """A supervisor who is signed in at `day`."""
    client = day.client({CSRF_HEADER: template.session.csrf})
    client.cookies.set(COOKIE, template.session.secret)
    return client


@pytest.fixture
def floor(sqlite_centre: Centre) -> Floor:
    """An empty floor of `sqlite_centre`."""
    return Floor(sqlite_centre.database, sqlite_centre.clock.now(), sites=SITES)


@pytest.fixture
def viewer(sqlite_centre: Centre) -> TestClient:
    """A viewer who is signed in at `sqlite_centre`."""
    return sqlite_centre.signed_in(UserRole.VIEWER)
