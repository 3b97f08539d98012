"""The generated load is what kiosks write: the centre stores all of it, and every order ends packed."""

import gc
from datetime import UTC, datetime

from sqlalchemy import func, select

from agent.contract.manifest import unit_key
from bench.centre_bench.feeding import batches_of, feed
from bench.centre_bench.kiosk_load import DEVICES, Fleet, devices_of
from bench.centre_bench.stores import SqliteStore, opened, with_orders
from bench.scratch import Scratch
from centre.store.schema import dead_letter, event, orders

EVENTS = 400


def test_the_centre_stores_and_counts_all_of_it() -> None:
    fleet = Fleet(3, began=datetime(2026, 11, 22, tzinfo=UTC))
    batches = batches_of(fleet.messages(EVENTS))
    with Scratch() as scratch:
        url = SqliteStore(scratch.folder("sqlite")).new(with_orders(fleet.orders))
        with opened(url) as database:
            frozen = gc.get_freeze_count()
            assert feed(database, batches) > 0
            assert gc.get_freeze_count() == frozen
            with database.reading() as connection:
                states = {row[0] for row in connection.execute(select(event.c.state))}
                assert states == {"projected"}
                assert not connection.execute(select(func.count()).select_from(dead_letter)).scalar()
                statuses = list(connection.execute(select(orders.c.status)).scalars())
    assert len(statuses) == fleet.orders
    assert statuses.count("packed") + statuses.count("in_progress") == fleet.orders
    assert statuses.count("in_progress") <= 3


def test_no_two_phones_share_an_identifier() -> None:
    keys = [unit_key(name) for number in range(50) for unit in devices_of(number) for name in (unit.id, *unit.aliases)]
    assert len(keys) == len(set(keys)) == 50 * DEVICES * 2
