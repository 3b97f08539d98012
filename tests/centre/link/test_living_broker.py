"""A new or restored centre on a broker that is in use: what is retained there is adopted, and nothing is lost."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from centre.link.mqtt_link import MqttLink
from centre.link.retained_publisher import PublisherState
from centre.orders.adoption import adopt
from centre.orders.index_renewal import renew_index
from centre.orders.manifest_intake import put
from centre.store.database import Database
from centre.store.order_rows import load_orders
from centre.store.schema import metadata
from centre.store.site_rows import add_sites
from harness.broker import Broker
from tests.centre.link.retained_rig import ORDERS, REFERENCE, publishing, put_retained, retained_at
from tests.centre.link.rig import SITE, run_async
from tests.centre.orders.scene import NOW, manifest


@contextmanager
def centre_database(file: Path, orders: Mapping[str, Mapping[str, Any]]) -> Iterator[Database]:
    """A database with these orders; the values are passed to `manifest`."""
    database = Database(f"sqlite:///{file}")
    with database.writing() as connection:
        metadata.create_all(connection)
        add_sites(connection, [SITE], NOW)
        for name, content in orders.items():
            put(connection, name, manifest(order=name, **content), site=None, actor="token:oms", now=NOW)
        renew_index(connection, NOW)
    yield database
    database.dispose()


async def work_on(database: Database, broker: Broker) -> None:
    """Have a centre with this database publish everything to the broker, and end."""

    def adopt_all(link: MqttLink, found: Mapping[str, bytes]) -> None:
        with database.writing() as connection:
            adopt(connection, link.name, found, NOW)
            renew_index(connection, NOW)

    async with publishing(database, broker.port, wait=False) as rig:

        async def adopting(link: Any, found: Mapping[str, bytes]) -> None:
            await asyncio.to_thread(adopt_all, link, found)

        rig.publisher._adopt = adopting
        await rig.is_in(PublisherState.PUBLISHED)


def manifests(retained: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        topic.removeprefix(ORDERS): json.loads(payload)
        for topic, payload in retained.items()
        if topic.startswith(ORDERS)
    }


def indexed(retained: Mapping[str, bytes]) -> dict[str, int]:
    parts = [json.loads(payload) for topic, payload in retained.items() if topic.startswith(REFERENCE + "orders")]
    return {order: revision for part in parts for order, revision in part["orders"].items()}


def test_a_new_and_empty_centre_destroys_nothing(broker: Broker, tmp_path: Path) -> None:
    async def test() -> None:
        with centre_database(tmp_path / "old", {"SO-1": {}, "SO-2": {}}) as old:
            await work_on(old, broker)
        before = await retained_at(broker.port)
        assert manifests(before).keys() == {"SO-1", "SO-2"}
        with centre_database(tmp_path / "new", {}) as new:
            await work_on(new, broker)
            after = await retained_at(broker.port)
            assert manifests(after) == manifests(before)
            assert indexed(after).keys() == {"SO-1", "SO-2"}
            with new.reading() as connection:
                assert load_orders(connection, ["SO-1", "SO-2"]).keys() == {"SO-1", "SO-2"}

    run_async(test())


def test_a_restored_centre_takes_the_newer_manifest(broker: Broker, tmp_path: Path) -> None:
    async def test() -> None:
        with centre_database(tmp_path / "newer", {"SO-1": {"revision": 7}}) as newer:
            await work_on(newer, broker)
        before = manifests(await retained_at(broker.port))
        with centre_database(tmp_path / "older", {"SO-1": {"revision": 3}}) as older:
            await work_on(older, broker)
            with older.reading() as connection:
                assert load_orders(connection, ["SO-1"])["SO-1"].revision == 7
        assert manifests(await retained_at(broker.port)) == before

    run_async(test())


def test_the_manifest_of_another_system_is_never_written(broker: Broker, tmp_path: Path) -> None:
    async def test() -> None:
        theirs = json.dumps(manifest(order="SO-9", revision=4)).encode()
        await put_retained(broker.port, {ORDERS + "SO-9": theirs})
        with centre_database(tmp_path / "centre", {"SO-1": {}}) as database:
            await work_on(database, broker)
            after = await retained_at(broker.port)
            assert after[ORDERS + "SO-9"] == theirs
            assert indexed(after).keys() == {"SO-1", "SO-9"}
            with database.reading() as connection:
                assert load_orders(connection, ["SO-9"])["SO-9"].source == "broker"

    run_async(test())
