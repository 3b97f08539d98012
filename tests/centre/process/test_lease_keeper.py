"""Keeping leases: a stand-by takes over, a holder that is replaced notices, a database that is down ends nothing."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

import pytest

from centre.centre_errors import DatabaseDown
from centre.process.lease_keeper import LeaseKeeper, LeasePace, new_holder
from centre.store.database import Database

PACE = LeasePace(lasts=timedelta(seconds=0.3), renew_s=0.02)


class Seen:
    """What a keeper told, and a way to wait for it."""

    def __init__(self) -> None:
        self.epochs: Mapping[str, int] = {}

    async def take(self, epochs: Mapping[str, int]) -> None:
        self.epochs = epochs

    async def becomes(self, epochs: Mapping[str, int]) -> None:
        async with asyncio.timeout(5):
            while self.epochs != epochs:
                await asyncio.sleep(0.01)


def test_a_stand_by_takes_over_and_the_first_one_notices(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def go() -> None:
        first, second = LeaseKeeper(database, ["s"], "a", PACE), LeaseKeeper(database, ["s"], "b", PACE)
        by_first, by_second = Seen(), Seen()
        task = asyncio.create_task(first.run(by_first.take))
        await by_first.becomes({"s": 1})
        standby = asyncio.create_task(second.run(by_second.take))
        await asyncio.sleep(0.5)
        assert by_second.epochs == {}
        assert caplog.text.count("this one stands by") == 1
        task.cancel()  # it hangs
        await by_second.becomes({"s": 2})
        task = asyncio.create_task(first.run(by_first.take))  # it goes on
        await by_first.becomes({})
        second.release()
        standby.cancel()
        await by_first.becomes({"s": 3})
        task.cancel()

    asyncio.run(go())


def test_a_database_that_is_down_ends_no_lease(database: Database) -> None:
    async def go() -> None:
        keeper, seen = LeaseKeeper(database, ["s"], "a", PACE), Seen()
        task = asyncio.create_task(keeper.run(seen.take))
        await seen.becomes({"s": 1})

        def down() -> Mapping[str, int]:
            raise DatabaseDown("gone")

        keeper._take_all = down  # type: ignore[method-assign]
        await asyncio.sleep(0.1)
        assert keeper.epochs == seen.epochs == {"s": 1}
        task.cancel()

    asyncio.run(go())


def test_no_two_holders_have_one_name() -> None:
    assert new_holder() != new_holder()
