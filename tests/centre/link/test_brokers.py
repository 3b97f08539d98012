"""Several brokers at once: each gets everything of its sites, and one that fails does not disturb the others."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from centre.centre_errors import DatabaseDown
from centre.changes import Change, Changes
from centre.configuration.centre_settings import (
    CentreSettings,
    DatabaseSettings,
    GeneralSettings,
    MqttBrokerSettings,
    RuleSettings,
    WebSettings,
)
from centre.link.broker_link import BrokerLink
from centre.link.brokers import Brokers
from centre.link.received import Received
from centre.link.retained_publisher import PublisherState
from centre.moments import utc_now
from centre.store.database import Database
from centre.store.retained_rows import note_sent
from centre.store.schema import sent
from harness.broker import Broker
from tests.centre.link.retained_rig import ORDERS, retained_at, want
from tests.centre.link.rig import QUICK, QUICK_RETAINED, linked, run_async, settings_for, until


class BrokersRig:
    """The brokers under test, and what they have handed over."""

    brokers: Brokers
    changes: Changes

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.greeted: list[str] = []
        self.adopted: list[tuple[str, Mapping[str, bytes]]] = []

    async def take(self, received: Received) -> None:
        self.received.append(received)

    async def greet(self, link: BrokerLink) -> None:
        self.greeted.append(link.name)

    async def adopt(self, link: BrokerLink, found: Mapping[str, bytes]) -> None:
        self.adopted.append((link.name, found))

    def states(self) -> list[PublisherState]:
        return [state.publisher for state in self.brokers.states()]

    async def all_published(self) -> None:
        await until(lambda: set(self.states()) == {PublisherState.PUBLISHED}, "everything published")


@asynccontextmanager
async def brokers_of(
    database: Database, *settings: MqttBrokerSettings, sites: tuple[str, ...]
) -> AsyncIterator[BrokersRig]:
    rig = BrokersRig()
    whole = CentreSettings(
        general=GeneralSettings(sites=sites),
        brokers=settings,
        database=DatabaseSettings(),
        web=WebSettings(),
        rules=RuleSettings(),
        webhooks=(),
    )
    changes = Changes(asyncio.get_running_loop())
    rig.brokers = Brokers(
        whole,
        client_id="centre-under-test",
        database=database,
        changes=changes,
        now=utc_now,
        take=rig.take,
        greet=rig.greet,
        adopt=rig.adopt,
        link_timing=QUICK,
        retained_timing=QUICK_RETAINED,
    )
    rig.changes = changes
    task = asyncio.create_task(rig.brokers.run())
    try:
        yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_both_brokers_get_everything_and_one_may_be_gone(database: Database, tmp_path: Path) -> None:
    want(database, {ORDERS + "SO-1": b"manifest"})

    async def test() -> None:
        with Broker(tmp_path / "a") as first, Broker(tmp_path / "b") as second:
            settings = [settings_for(first.port), settings_for(second.port, protocol=311)]
            async with brokers_of(database, *settings, sites=("rtm1",)) as rig:
                await rig.all_published()
                assert sorted(rig.greeted) == sorted(one.name for one in settings)
                second.kill()
                await until(lambda: rig.states()[1] == PublisherState.DOWN, "the loss")
                await asyncio.to_thread(want, database, {ORDERS + "SO-2": b"manifest"})
                rig.changes.tell(Change.RETAINED)
                while len(await retained_at(first.port)) < 2:
                    await asyncio.sleep(0.05)
                second.start()
                await rig.all_published()
                assert await retained_at(second.port) == {ORDERS + "SO-1": b"manifest", ORDERS + "SO-2": b"manifest"}
                assert [state.text for state in rig.brokers.states()] == ["connected", "connected"]

    run_async(test())


def test_a_broker_serves_its_own_sites_only(database: Database, tmp_path: Path) -> None:
    want(database, {ORDERS + "SO-1": b"manifest"})

    async def test() -> None:
        with Broker(tmp_path / "a") as first, Broker(tmp_path / "b") as second:
            settings = [settings_for(first.port), settings_for(second.port, sites=("ams2",))]
            async with brokers_of(database, *settings, sites=("rtm1", "ams2")) as rig:
                await rig.all_published()
                assert [link.name for link in rig.brokers.serving("rtm1")] == [settings[0].name]
                assert len(rig.brokers.serving("ams2")) == 2
                assert await retained_at(first.port) == {ORDERS + "SO-1": b"manifest"}
                assert await retained_at(second.port) == {}

    run_async(test())


def test_events_are_handed_over_and_answers_reach_the_one_who_asked(database: Database, broker: Broker) -> None:
    agent = "kiosk/v1/rtm1/agent/dock-3/"

    async def test() -> None:
        async with brokers_of(database, settings_for(broker.port), sites=("rtm1",)) as rig:
            await rig.all_published()
            async with linked(settings_for(broker.port), client_id="dock-3") as kiosk:
                await kiosk.link.subscribe([agent + "request/+"])

                def answer(received: Received) -> None:
                    if received.topic == agent + "request/identify":
                        transaction = json.loads(received.payload)["transaction"]
                        reply = kiosk.link.publish(f"{agent}response/{transaction}", b'{"ok":true}', retain=False)
                        replies.append(asyncio.create_task(reply))

                replies: list[asyncio.Task[None]] = []
                kiosk.hook = answer
                assert await rig.brokers.requests.send("rtm1", "dock-3", "identify") == {"ok": True}
                await kiosk.link.publish(agent + "event/scan", b"event", retain=False)
                await kiosk.link.publish(agent + "status", b"status", retain=True)
                await until(lambda: len(rig.received) == 3, "all messages")
                answered, *others = [one.topic for one in rig.received]
                assert answered.startswith(agent + "response/")
                assert others == [agent + "event/scan", agent + "status"]

    run_async(test())


def test_a_broker_that_is_no_longer_configured_is_forgotten(database: Database, broker: Broker) -> None:
    want(database, {ORDERS + "SO-1": b"manifest", ORDERS + "SO-2": b""})
    with database.writing() as connection:
        note_sent(connection, "gone:1883", {ORDERS + "SO-1": b"digest"}, "2026-11-28T12:00:00.000Z")

    async def test() -> None:
        async with brokers_of(database, settings_for(broker.port), sites=("rtm1",)) as rig:
            await rig.all_published()
            with database.reading() as connection:
                rows = {(row.broker, row.topic) for row in connection.execute(select(sent))}
            assert rows == {(f"127.0.0.1:{broker.port}", ORDERS + "SO-1")}

    run_async(test())


def test_a_database_that_is_down_at_the_start_is_waited_for(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(database, {ORDERS + "SO-1": b"manifest"})
    tries: list[object] = []
    writing = Database.writing

    def failing(self: Database) -> AbstractContextManager[Connection]:
        tries.append(None)
        if len(tries) < 3:
            raise DatabaseDown("the disk is full")
        return writing(self)

    async def test() -> None:
        monkeypatch.setattr(Database, "writing", failing)
        async with brokers_of(database, settings_for(broker.port), sites=("rtm1",)) as rig:
            await rig.all_published()
            assert await retained_at(broker.port) == {ORDERS + "SO-1": b"manifest"}

    run_async(test())
    assert len(tries) > 3
