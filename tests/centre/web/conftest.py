"""The web application over an empty database and played kiosks, and clients who may do different things."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from msgspec import Struct
from starlette.testclient import TestClient

from centre.changes import Changes
from centre.configuration.centre_settings import (
    CentreSettings,
    DatabaseSettings,
    GeneralSettings,
    MqttBrokerSettings,
    RuleSettings,
    WebSettings,
)
from centre.moments import moment
from centre.store.database import Database
from centre.store.site_rows import add_sites
from centre.web import passwords
from centre.web.accounts import add_token, add_user
from centre.web.app import create_app
from centre.web.scopes import Scope, UserRole
from centre.web.services import Services
from centre.web.sessions import COOKIE, CSRF_HEADER, NewSession

PASSWORD = "correct horse battery"


class PlayedBroker:
    name = "127.0.0.1:1883"
    sites = ("main",)
    is_connected = True


class PlayedIngest:
    """An ingest that takes dead letters as `takes` says."""

    ready = True
    takes = True

    async def retry_letter(self, id: int) -> bool:
        return self.takes


class PlayedKiosks:
    """Kiosks that answer every request; an exception set as the answer is raised instead."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, Mapping[str, object]]] = []
        self.answer: Mapping[str, object] | Exception = {"ok": True}

    async def send(self, site: str, kiosk: str, name: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        self.sent.append((site, kiosk, name, fields))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class PlayedClock:
    """The present time, which passes only by `pass_by`."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def pass_by(self, **delta: float) -> None:
        self.time += timedelta(**delta)
        self.seconds += timedelta(**delta).total_seconds()


class Centre(Struct, frozen=True):
    """One centre's web side, with all that a test plays."""

    app: FastAPI
    services: Services
    database: Database
    clock: PlayedClock
    broker: PlayedBroker
    ingest: PlayedIngest
    kiosks: PlayedKiosks

    def client(self, headers: Mapping[str, str] | None = None) -> TestClient:
        return TestClient(
            self.app, base_url="http://127.0.0.1", headers=dict(headers or {}), raise_server_exceptions=True,
            client=("127.0.0.1", 50000),
        )  # fmt: skip

    def token(self, scope: Scope) -> str:
        with self.database.writing() as connection:
            return add_token(connection, f"a {scope} token", scope, actor="command", now=moment(self.clock.now()))

    def client_with_token(self, scope: Scope) -> TestClient:
        return self.client({"Authorization": f"Bearer {self.token(scope)}"})

    def add_user(self, name: str, role: UserRole) -> None:
        with self.database.writing() as connection:
            add_user(connection, name, role, PASSWORD, actor="command", now=moment(self.clock.now()))

    def signed_in(self, role: UserRole, *, csrf: bool = True) -> TestClient:
        """Return the client of a new user with this role. `csrf`: whether it sends the session's CSRF token."""
        name = f"{role}-{self.database.engine.url.database}-{csrf}"[-60:]
        self.add_user(name, role)
        session = self.app.state.access.sessions.sign_in(name, PASSWORD, "127.0.0.9")
        assert isinstance(session, NewSession)
        client = self.client({CSRF_HEADER: session.csrf} if csrf else {})
        client.cookies.set(COOKIE, session.secret)
        return client


def settings_with(web: WebSettings, brokers: tuple[MqttBrokerSettings, ...] = ()) -> CentreSettings:
    return CentreSettings(
        general=GeneralSettings(sites=("main", "rtm1")),
        brokers=brokers,
        database=DatabaseSettings(),
        web=web,
        rules=RuleSettings(),
        webhooks=(),
    )


MakeCentre = Callable[..., Centre]


@pytest.fixture(autouse=True, scope="session")
def _fast_passwords() -> Iterator[None]:
    """Hash passwords with little work: what protects them is not tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@contextmanager
def new_centre(database: Database, brokers: tuple[MqttBrokerSettings, ...] = (), **web: object) -> Iterator[Centre]:
    """Give the web side of a centre over a database with tables; `web` are keys of `[web]`."""
    loop = asyncio.new_event_loop()
    clock, broker, ingest, kiosks = PlayedClock(), PlayedBroker(), PlayedIngest(), PlayedKiosks()
    settings = settings_with(WebSettings(**web), brokers)  # type: ignore[arg-type]
    with database.writing() as connection:
        add_sites(connection, list(settings.general.sites), moment(clock.now()))
    services = Services(
        database=database,
        changes=Changes(loop),
        settings=settings,
        ingest=ingest,
        brokers=lambda: [broker],
        requests=kiosks,
        now=clock.now,
        monotonic=clock.monotonic,
    )
    yield Centre(create_app(services), services, database, clock, broker, ingest, kiosks)
    loop.close()


@pytest.fixture
def make_centre() -> Iterator[MakeCentre]:
    """`new_centre` for the time of a test."""
    with ExitStack() as stack:
        yield lambda database, brokers=(), **web: stack.enter_context(new_centre(database, brokers, **web))


@pytest.fixture
def centre(make_centre: MakeCentre, database: Database) -> Centre:
    """A centre that listens on the loopback, over an empty database; on SQLite and on PostgreSQL."""
    return make_centre(database)


@pytest.fixture
def sqlite_centre(make_centre: MakeCentre, sqlite_database: Database) -> Centre:
    """The same on SQLite alone, for tests that are not about the database."""
    return make_centre(sqlite_database)
