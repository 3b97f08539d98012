"""Cancelling, withdrawing and reopening orders, and what kiosks are told."""

import pytest

from centre.orders.manifest_intake import put
from centre.orders.order_lifecycle import OrderNotKnown, OrderNotReopened, cancel, reopen, withdraw
from centre.store.database import Database
from centre.store.message_rows import messages_of_orders
from centre.store.order_rows import load_orders
from tests.centre.orders.scene import NOW, add_box, add_event, manifest, published, set_order

TOPIC = "rtm1/order/SO-1"


@pytest.fixture
def ordered(sited: Database) -> Database:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(barcodes=["X"]), site=None, actor="token:oms", now=NOW)
    return sited


def status(database: Database) -> tuple[str, int | None]:
    with database.reading() as connection:
        row = load_orders(connection, ["SO-1"])["SO-1"]
        return row.status, row.revision


@pytest.mark.parametrize("change", [cancel, withdraw, reopen])
def test_an_unknown_order_is_named(sited: Database, change: object) -> None:
    with pytest.raises(OrderNotKnown, match="SO-9"), sited.writing() as connection:
        change(connection, "SO-9", actor="user:ann", now=NOW)  # type: ignore[operator]


def test_a_cancelled_order_gets_a_tombstone(ordered: Database) -> None:
    for _ in range(2):
        with ordered.writing() as connection:
            row = cancel(connection, "SO-1", actor="user:ann", now=NOW)
        assert (row.status, row.revision, row.version) == ("cancelled", 2, 2)
    expected = {"order": "SO-1", "revision": 2, "status": "cancelled", "barcodes": ["X"]}
    assert published(ordered)[TOPIC] == expected
    with ordered.reading() as connection:
        assert {m.clear_at for m in messages_of_orders(connection, ["SO-1"])["SO-1"]} == {"2026-12-28T10:00:00.000Z"}


def test_a_packed_order_gets_a_tombstone_above_its_revision(ordered: Database) -> None:
    with ordered.writing() as connection:
        set_order(connection, status="packed", packed_at=NOW)
    assert status(ordered) == ("packed", 2)
    assert published(ordered)[TOPIC] == {"order": "SO-1", "revision": 2, "status": "packed", "barcodes": ["X"]}


def test_a_packed_order_stays_packed_until_it_is_reopened(ordered: Database) -> None:
    with ordered.writing() as connection:
        set_order(connection, status="packed", packed_at=NOW, opened_at=NOW)
        same = put(connection, "SO-1", manifest(barcodes=["X"]), site=None, actor="token:oms", now=NOW)
        assert (same.outcome, same.revision) == ("unchanged", 2)
        put(connection, "SO-1", manifest(barcodes=["Y"]), site=None, actor="token:oms", now=NOW)
    assert status(ordered) == ("packed", 3)
    with ordered.writing() as connection:
        row = reopen(connection, "SO-1", actor="user:ann", now=NOW)
    assert (row.status, row.revision, row.packed_at) == ("in_progress", 4, None)
    assert published(ordered)[TOPIC] == manifest(barcodes=["Y"], revision=4, reopen=4)
    with ordered.writing() as connection:
        put(connection, "SO-1", manifest(barcodes=["Z"]), site=None, actor="token:oms", now=NOW)
    assert published(ordered)[TOPIC] == manifest(barcodes=["Z"], revision=5, reopen=4)


def test_a_manifest_can_reopen(ordered: Database) -> None:
    with ordered.writing() as connection:
        set_order(connection, status="packed", packed_at=NOW)
        put(connection, "SO-1", manifest(revision=3, reopen=3), site=None, actor="token:oms", now=NOW)
    assert status(ordered) == ("open", 3)


def test_a_withdrawn_order_leaves_nothing(ordered: Database) -> None:
    with ordered.writing() as connection:
        add_box(connection, "B1", quantity=1)
        set_order(connection, status="in_progress")
        assert "counted" in "".join(m.topic for m in messages_of_orders(connection, ["SO-1"])["SO-1"])
        withdraw(connection, "SO-1", actor="user:ann", now=NOW)
    assert set(published(ordered).values()) == {None}
    with ordered.writing() as connection:
        put(connection, "SO-1", manifest(), site=None, actor="token:oms", now=NOW)
    assert published(ordered)[TOPIC] == manifest(revision=3)


def test_a_cancelled_order_comes_back_only_when_asked(ordered: Database) -> None:
    with ordered.writing() as connection:
        cancel(connection, "SO-1", actor="user:ann", now=NOW)
        silent = manifest(barcodes=["Y"])
        del silent["status"]
        put(connection, "SO-1", silent, site=None, actor="token:oms", now=NOW)
        assert load_orders(connection, ["SO-1"])["SO-1"].status == "cancelled"
        put(connection, "SO-1", manifest(barcodes=["Y"]), site=None, actor="token:oms", now=NOW)
        assert load_orders(connection, ["SO-1"])["SO-1"].status == "open"


def test_an_order_known_by_events_alone_can_be_cancelled(sited: Database) -> None:
    with sited.writing() as connection:
        add_event(connection, "kiosk.order.opened.v1", {"revision": 7})
        put(connection, "SO-2", manifest(order="SO-2"), site=None, actor="token:oms", now=NOW)
        row = load_orders(connection, ["SO-2"])["SO-2"]
    with sited.writing() as connection:
        from msgspec.structs import replace

        from centre.store.order_rows import save_orders

        alone = replace(row, name="SO-1", source="kiosk", manifest=None, revision=None, changed=0)
        save_orders(connection, [alone])
        assert cancel(connection, "SO-1", actor="user:ann", now=NOW).revision == 8
        assert published_tombstone(connection) == b'{"order":"SO-1","revision":8,"status":"cancelled"}'
        with pytest.raises(OrderNotReopened):
            reopen(connection, "SO-1", actor="user:ann", now=NOW)


def published_tombstone(connection: object) -> bytes:
    messages = messages_of_orders(connection, ["SO-1"])["SO-1"]  # type: ignore[arg-type]
    return messages[0].payload
