"""The whole way: from a link into the database and back, while brokers and databases come and go."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from centre.centre_errors import DatabaseDown, LinkDown
from centre.changes import Change, Changes
from centre.ingest.ingest import Ingest
from centre.ingest.transaction import store_batch
from centre.link.broker_link import PublishRefused
from centre.link.kiosk_requests import KioskRequests
from centre.link.received import Received
from centre.moments import utc_now
from centre.store import dead_letter_rows
from centre.store.database import Database
from centre.store.schema import conflict, event
from tests.centre.ingest.played import PlayedKiosk, changed, counted, opened, renew_nothing, rows, scanned


class PlayedLink:
    """A broker that remembers what was published."""

    def __init__(self, name: str = "a:1883", sites: tuple[str, ...] = ("rtm1",)) -> None:
        self.name = name
        self.sites = sites
        self.is_connected = True
        self.published: list[tuple[str, dict[str, Any], bool]] = []
        self.refuses = False

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if not self.is_connected:
            raise LinkDown(self.name)
        if self.refuses:
            raise PublishRefused("not authorized", code=0x87)
        await asyncio.sleep(0)
        self.published.append((topic, json.loads(payload), retain))

    def acks(self) -> list[tuple[str, int]]:
        return [
            (doc["journal"], int(doc["through"])) for topic, doc, retain in self.published if retain and "/ack" in topic
        ]

    def requests(self, name: str) -> list[dict[str, Any]]:
        return [doc for topic, doc, _ in self.published if topic.endswith(f"/request/{name}")]


class Centre:
    """An ingest at work, and its links."""

    def __init__(self, database: Database, links: tuple[PlayedLink, ...] = ()) -> None:
        self.database = database
        self.links = links or (PlayedLink(),)
        self.link = self.links[0]
        self.changes = Changes(asyncio.get_running_loop())
        self.requests = KioskRequests(lambda site: [link for link in self.links if site in link.sites])
        self.ingest = Ingest(database, self.changes, utc_now, self.links, requests=self.requests, renew=renew_nothing)

    async def take(self, *messages: Received | list[Received]) -> None:
        for message in messages:
            for one in [message] if isinstance(message, Received) else message:
                await self.ingest.take(one)


def run(database: Database, scene: Callable[[Centre], Awaitable[None]], links: tuple[PlayedLink, ...] = ()) -> None:
    """Play a scene while the ingest runs."""

    async def play() -> None:
        centre = Centre(database, links)
        work = asyncio.create_task(centre.ingest.run())
        try:
            async with asyncio.timeout(30):
                await scene(centre)
            assert not work.done() or work.exception() is None
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    asyncio.run(play())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_events_are_acknowledged_after_they_are_stored(database: Database) -> None:
    async def scene(centre: Centre) -> None:
        told = centre.changes.subscribe(Change.EVENTS, Change.ORDERS)
        await centre.take(PlayedKiosk().write(opened(), scanned("A")))
        await until(lambda: ("3F0C9A1B", 2) in centre.link.acks())
        assert len(counted(database)) == 1
        assert Change.EVENTS in await told.wait(5)
        assert centre.ingest.ready

    run(database, scene)


def test_every_broker_of_the_site_gets_the_acknowledgement(database: Database) -> None:
    links = (PlayedLink("a:1"), PlayedLink("b:1"), PlayedLink("c:1", ("ams1",)), PlayedLink("d:1"))
    links[3].refuses = True

    async def scene(centre: Centre) -> None:
        await centre.take(PlayedKiosk().write(opened()))
        await until(lambda: bool(links[0].acks() and links[1].acks()))
        assert links[2].acks() == []

    run(database, scene, links)


def test_a_broker_gets_all_acknowledgements_at_a_connect(database: Database) -> None:
    async def scene(centre: Centre) -> None:
        centre.link.is_connected = False
        await centre.take(PlayedKiosk().write(opened()), PlayedKiosk("dock-4").write(opened(), opened()))
        await until(lambda: centre.ingest.events == 3)
        centre.link.is_connected = True
        await centre.ingest.connected(centre.link)
        await until(lambda: {("3F0C9A1B", 1), ("3F0C9A1B", 2)} <= set(centre.link.acks()))

    run(database, scene)


def test_events_that_come_again_are_acknowledged_again(database: Database) -> None:
    async def scene(centre: Centre) -> None:
        messages = PlayedKiosk().write(opened(), scanned("A"))
        await centre.take(messages)
        await until(lambda: ("3F0C9A1B", 2) in centre.link.acks())
        before = len(centre.link.acks())
        await centre.take(messages[0])
        await until(lambda: len(centre.link.acks()) > before)
        assert centre.link.acks()[-1] == ("3F0C9A1B", 2)

    run(database, scene)


def test_while_the_database_is_down_nothing_is_acknowledged(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_down = True
    tries = 0

    def store_or_fail(*arguments: Any, **options: Any) -> Any:
        nonlocal tries
        tries += 1
        if is_down:
            raise DatabaseDown("the disk is full")
        return store_batch(*arguments, **options)

    monkeypatch.setattr("centre.ingest.ingest.store_batch", store_or_fail)
    monkeypatch.setattr("centre.ingest.ingest.RETRY_S", 0.01)

    async def scene(centre: Centre) -> None:
        nonlocal is_down
        await centre.take(PlayedKiosk().write(opened(), scanned("A")))
        await until(lambda: tries > 2)
        assert not centre.ingest.ready
        assert centre.link.acks() == []
        is_down = False
        await until(lambda: ("3F0C9A1B", 2) in centre.link.acks())
        assert centre.ingest.ready

    run(database, scene)


def test_a_full_queue_holds_the_link_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    is_down = True

    def store_or_fail(*arguments: Any, **options: Any) -> Any:
        if is_down:
            raise DatabaseDown("gone")
        return store_batch(*arguments, **options)

    monkeypatch.setattr("centre.ingest.ingest.store_batch", store_or_fail)
    monkeypatch.setattr("centre.ingest.ingest.RETRY_S", 0.01)

    async def scene(centre: Centre) -> None:
        nonlocal is_down
        kiosk = PlayedKiosk()
        messages = [message for _ in range(60) for message in kiosk.write(*[opened()] * 100)]
        feeding = asyncio.create_task(centre.take(messages))
        await asyncio.wait((feeding,), timeout=0.5)
        assert not feeding.done()
        is_down = False
        await feeding
        await until(lambda: ("3F0C9A1B", 6000) in centre.link.acks())

    run(database, scene)


def test_a_gap_is_asked_for_and_closed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centre.ingest.gap_watch.GAP_S", 0.05)
    monkeypatch.setattr("centre.ingest.ingest.LOOK_S", 0.02)

    async def scene(centre: Centre) -> None:
        kiosk = PlayedKiosk()
        messages = kiosk.write(*(scanned(f"U{number}") for number in range(9)))
        await centre.take(messages[0], messages[6:])
        await until(lambda: bool(centre.link.requests("resend")))
        request = centre.link.requests("resend")[0]
        assert {name: request[name] for name in ("journal", "from", "through")} == {
            "journal": "3F0C9A1B",
            "from": "000000000002",
            "through": "000000000006",
        }
        pruned = [{"from": "000000000002", "through": "000000000003"}]
        answer = {"request": "resend", "ok": True, "from": "000000000002", "through": "000000000006", "pruned": pruned}
        transaction = request["transaction"]
        await centre.take(kiosk.on(f"response/{transaction}", {"transaction": transaction, **answer}))
        await centre.take(messages[3:6])
        await until(lambda: ("3F0C9A1B", 9) in centre.link.acks())

    run(database, scene)


def test_an_empty_centre_asks_for_what_a_kiosk_has_delivered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centre.ingest.gap_watch.GAP_S", 0.05)
    monkeypatch.setattr("centre.ingest.ingest.LOOK_S", 0.02)
    uplink = {"last": "000000000009", "acked": "000000000008"}
    health = {"connection": 7, "uplink": uplink, "journal": {"id": "3F0C9A1B"}}

    async def scene(centre: Centre) -> None:
        await centre.take(PlayedKiosk().on("health", health, retained=True))
        await until(lambda: bool(centre.link.requests("resend")))
        request = centre.link.requests("resend")[0]
        assert (request["from"], request["through"]) == ("000000000001", "000000000008")

    run(database, scene)


def test_events_that_were_not_understood_are_tried_again_at_the_start(database: Database) -> None:
    first, second, third = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("centre.ingest.reception.typed_event", lambda *_: None)
        store_batch(database, [first, second, third], now="2026-11-22T18:00:00.000Z", renew=renew_nothing)
    assert counted(database) == []

    async def scene(_: Centre) -> None:
        await until(lambda: len(counted(database)) == 2)

    run(database, scene)
    assert set(rows(database, event, "state")) == {("projected",)}


def test_a_broker_that_refuses_requests_stops_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centre.ingest.gap_watch.GAP_S", 0.02)
    monkeypatch.setattr("centre.ingest.ingest.LOOK_S", 0.02)

    async def scene(centre: Centre) -> None:
        centre.link.refuses = True
        first, second, third = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))
        await centre.take(first, third)
        await asyncio.sleep(0.3)
        centre.link.refuses = False
        await centre.take(second)
        await until(lambda: ("3F0C9A1B", 3) in centre.link.acks())

    run(database, scene)


def test_a_dead_letter_is_taken_in_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = PlayedKiosk().write(scanned("A"))[0]
    bad = changed(scan, source="/kiosk/rtm1/dock-4")

    async def scene(centre: Centre) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("centre.ingest.reception.LARGEST_EVENT", 10)
            await centre.take(scan, bad)
            await until(lambda: letters() == [1, 2])
        assert await centre.ingest.retry_letter(2) is False
        assert await centre.ingest.retry_letter(3) is False
        assert letters() == [1, 2]

    def letters() -> list[int]:
        with database.reading() as connection:
            return [one.id for one in dead_letter_rows.page(connection, limit=9)]

    run(database, scene)

    async def second(centre: Centre) -> None:
        await centre.take(bad)
        await until(lambda: 3 in letters())
        with database.writing() as connection:
            dead_letter_rows.add(connection, [(scan.topic, "no_cloudevent", scan.received_at, scan.payload)])
        assert await centre.ingest.retry_letter(4) is True
        assert letters() == [1, 2, 3]
        await until(lambda: ("3F0C9A1B", 1) in centre.link.acks())

    run(database, second)
    assert rows(database, conflict, "kind") == []


def test_a_full_disk_is_no_readiness_though_reading_works(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    is_full = True

    def store_if_possible(*arguments: Any, **named: Any) -> Any:
        if is_full:
            raise DatabaseDown("the disk is full")
        return store_batch(*arguments, **named)

    monkeypatch.setattr("centre.ingest.ingest.store_batch", store_if_possible)
    monkeypatch.setattr("centre.ingest.ingest.LOOK_S", 0.01)

    async def scene(centre: Centre) -> None:
        nonlocal is_full
        await centre.take(PlayedKiosk().write(opened()))
        while centre.ingest.ready or not centre.ingest._failing:
            await asyncio.sleep(0.01)
        for _ in range(20):
            await asyncio.sleep(0.01)
            assert not centre.ingest.ready
        is_full = False
        while not centre.ingest.ready:
            await asyncio.sleep(0.01)

    run(database, scene)
