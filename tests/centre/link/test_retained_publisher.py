"""Keeping a broker's retained messages equal to the table `retained`, whatever happens to broker and database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from centre.centre_errors import DatabaseDown
from centre.link.broker_survey import SurveyBounds
from centre.link.retained_publisher import PublisherState
from centre.store.database import Database
from centre.store.schema import retained, sent
from harness.broker import Broker
from tests.centre.link.retained_rig import (
    COUNTED,
    ORDERS,
    REFERENCE,
    PublisherRig,
    publishing,
    put_retained,
    retained_at,
    want,
)
from tests.centre.link.rig import linked, run_async, settings_for, until
from tests.deploy.brokers import PASSWORDS, nats


def rows_left(database: Database) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the topics in `retained`, and (broker, topic) in `sent`."""
    with database.reading() as connection:
        topics = set(connection.execute(select(retained.c.topic)).scalars())
        return topics, {(row.broker, row.topic) for row in connection.execute(select(sent))}


def test_everything_is_published_and_each_change_follows(database: Database, broker: Broker, protocol: int) -> None:
    first = {ORDERS + f"SO-{number}": b"manifest %d" % number for number in range(1200)}
    first |= {REFERENCE + "operators": b"list", COUNTED + "SO-1/0": b"part"}
    want(database, first)

    async def test() -> None:
        async with publishing(database, broker.port, protocol=protocol) as rig:
            assert await retained_at(broker.port) == first
            await rig.want({ORDERS + "SO-1": b"changed", ORDERS + "SO-2": b"", ORDERS + "new": b"new"})
            after = first | {ORDERS + "SO-1": b"changed", ORDERS + "new": b"new"}
            del after[ORDERS + "SO-2"]
            await until(lambda: ORDERS + "SO-2" not in rows_left(database)[0], "the cleared row's end")
            await rig.is_in(PublisherState.PUBLISHED)
            assert await retained_at(broker.port) == after
            topics, taken = rows_left(database)
            assert topics == after.keys()
            assert taken == {(rig.link.name, topic) for topic in after}
            # What we publish is no discovery.
            await asyncio.sleep(0.2)
            assert rig.adopted == [{}]

    run_async(test())


def test_what_is_retained_is_adopted_before_anything_is_published(database: Database, broker: Broker) -> None:
    found = {ORDERS + "SO-1": b"of another centre", REFERENCE + "boxes": b"list"}
    want(database, {ORDERS + "SO-1": b"ours", ORDERS + "SO-2": b"ours too"})

    async def test() -> None:
        await put_retained(broker.port, found)
        async with publishing(database, broker.port, wait=False) as rig:
            rig.may_adopt.clear()
            await until(lambda: len(rig.adopted) == 1, "the adoption")
            assert rig.adopted == [found]
            assert await retained_at(broker.port) == found
            rig.may_adopt.set()
            await rig.is_in(PublisherState.PUBLISHED)
            after = found | {ORDERS + "SO-1": b"ours", ORDERS + "SO-2": b"ours too"}
            assert await retained_at(broker.port) == after

    run_async(test())


def test_a_broker_without_its_memory_gets_everything_again(database: Database, broker: Broker) -> None:
    messages = {ORDERS + f"SO-{number}": b"manifest" for number in range(50)}
    want(database, messages)

    async def test() -> None:
        async with publishing(database, broker.port) as rig:
            broker.kill()
            await rig.is_in(PublisherState.DOWN)
            await rig.want({ORDERS + "meanwhile": b"new"})
            broker.start()
            await rig.is_in(PublisherState.PUBLISHED)
            assert await retained_at(broker.port) == messages | {ORDERS + "meanwhile": b"new"}

    run_async(test())


def test_what_is_published_already_is_not_published_again(database: Database, tmp_path: Path) -> None:
    messages = {ORDERS + f"SO-{number}": b"manifest" for number in range(50)}
    want(database, messages)

    async def test() -> None:
        with Broker(tmp_path / "broker", persistent=True) as broker:
            async with publishing(database, broker.port):
                pass
            broker.stop()
            broker.start()
            async with linked(settings_for(broker.port), client_id="bystander") as other:
                await other.link.subscribe([ORDERS + "+"])
                await other.got(50)
                async with publishing(database, broker.port) as rig:
                    assert rig.adopted == [{}]  # our own messages are no discovery
                await asyncio.sleep(0.2)
                assert len(other.received) == 50

    run_async(test())


def test_a_manifest_of_another_system_is_adopted_when_it_comes(
    database: Database, broker: Broker, protocol: int
) -> None:
    want(database, {ORDERS + "ours": b"ours"})

    async def test() -> None:
        async with publishing(database, broker.port, protocol=protocol) as rig:
            await put_retained(broker.port, {ORDERS + "theirs": b"manifest"})
            await until(lambda: len(rig.adopted) == 2, "the second adoption")
            assert rig.adopted[1] == {ORDERS + "theirs": b"manifest"}

    run_async(test())


def test_a_cleared_topic_is_forgotten_when_both_brokers_have_cleared_it(database: Database, tmp_path: Path) -> None:
    async def test() -> None:
        with Broker(tmp_path / "a") as first, Broker(tmp_path / "b") as second:
            brokers = [f"127.0.0.1:{one.port}" for one in (first, second)]
            want(database, {ORDERS + "SO-1": b"manifest"})
            async with publishing(database, first.port, brokers=brokers) as one:
                async with publishing(database, second.port, brokers=brokers):
                    pass
                await one.want({ORDERS + "SO-1": b""})
                await one.is_in(PublisherState.PUBLISHED)
                await until_retained(first, {})
                assert await retained_at(second.port) == {ORDERS + "SO-1": b"manifest"}
                assert rows_left(database)[0] == {ORDERS + "SO-1"}
                async with publishing(database, second.port, brokers=brokers):
                    assert await retained_at(second.port) == {}
                    assert rows_left(database) == (set(), set())

    run_async(test())


async def until_retained(broker: Broker, messages: dict[str, bytes]) -> None:
    while await retained_at(broker.port) != messages:
        await asyncio.sleep(0.05)


def test_too_much_is_refused_in_words_and_nothing_is_published(
    database: Database, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    want(database, {ORDERS + "ours": b"ours"})
    theirs = {ORDERS + f"SO-{number}": b"x" * 100_000 for number in range(30)}

    async def test() -> None:
        await put_retained(broker.port, theirs)
        async with publishing(database, broker.port, bounds=SurveyBounds(bytes=1_000_000), wait=False) as rig:
            await rig.is_in(PublisherState.TOO_MUCH_RETAINED)
            assert rig.adopted == []
            assert await retained_at(broker.port) == theirs
            assert rig.link.is_connected

    run_async(test())
    assert "Nothing is published there" in caplog.text


def test_the_database_may_be_down_for_a_while(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(database, {ORDERS + "SO-1": b"manifest"})
    failures = 0

    async def test() -> None:
        async with publishing(database, broker.port, wait=False) as rig:
            adopt = PublisherRig._adopt

            async def down(self: PublisherRig, link: object, found: dict[str, bytes]) -> None:
                nonlocal failures
                failures += 1
                if failures < 3:
                    raise DatabaseDown("the disk is full")
                await adopt(self, link, found)

            rig.publisher._adopt = lambda link, found: down(rig, link, dict(found))
            await rig.is_in(PublisherState.PUBLISHED)
            assert failures == 3
            assert await retained_at(broker.port) == {ORDERS + "SO-1": b"manifest"}

    run_async(test())


def test_a_refused_publish_is_logged_and_tried_again(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """(`mqtt.md#refused-publish`)"""
    messages = {ORDERS + "SO-1": b"manifest", REFERENCE + "boxes": b"list"}
    want(database, messages)

    async def test() -> None:
        acl = f"topic readwrite kiosk/v1/rtm1/agent/#\ntopic readwrite {REFERENCE}#\ntopic read {ORDERS}#\n"
        with Broker(tmp_path / "broker", acl=acl) as broker:
            async with publishing(database, broker.port) as rig:
                assert await retained_at(broker.port) == {REFERENCE + "boxes": b"list"}
                broker.allow("topic readwrite #\n")
                await until_retained(broker, messages)
                assert rig.link.is_connected

    run_async(test())
    assert f"refuses {ORDERS}SO-1: Not authorized" in caplog.text


def test_nats_gets_everything_and_each_change(database: Database, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORDS["centre"])
    account: dict[str, Any] = {"protocol": 311, "username": "centre", "password_file": password}
    theirs = {ORDERS + f"T-{number}": b"theirs" for number in range(200)}
    ours = {ORDERS + f"SO-{number}": b"manifest %d" % number for number in range(300)}
    want(database, ours)

    async def test() -> None:
        with nats(tmp_path) as port:
            await put_retained(port, theirs, **account)
            async with publishing(database, port, **account) as rig:
                assert rig.adopted == [theirs]
                await rig.want({ORDERS + "SO-1": b"changed", ORDERS + "SO-2": b""})
                await until(lambda: ORDERS + "SO-2" not in rows_left(database)[0], "the cleared row's end")
            after = theirs | ours | {ORDERS + "SO-1": b"changed"}
            del after[ORDERS + "SO-2"]
            assert await retained_at(port, **account) == after
            async with publishing(database, port, **account) as rig:
                assert rig.adopted == [theirs]

    try:
        run_async(test())
    except FileNotFoundError as exc:
        pytest.skip(str(exc))
