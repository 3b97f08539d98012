"""What is cleared and forgotten in the end, and what a new site gets."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from centre.ingest.old_documents import forget_old_documents
from centre.moments import later
from centre.orders.index_renewal import renew_index
from centre.orders.manifest_intake import put
from centre.orders.order_lifecycle import cancel, reopen
from centre.orders.site_addition import serve_sites
from centre.orders.tombstones import clear_tombstones
from centre.store.database import Database
from centre.store.event_feed_rows import EventFilter, feed_page
from centre.store.order_rows import load_orders
from centre.store.schema import event
from tests.centre.orders.scene import NOW, add_box, add_event, manifest, published, set_order
from tests.centre.orders.test_index_renewal import index

MONTH = later(NOW, days=30)


def do_put(database: Database, *names: str) -> None:
    with database.writing() as connection:
        for name in names:
            put(connection, name, manifest(order=name), site=None, actor="token:oms", now=NOW)


def clear(database: Database, now: str) -> int:
    with database.writing() as connection:
        return clear_tombstones(connection, now)


def test_a_tombstone_is_cleared_after_30_days_with_the_counted_parts(sited: Database) -> None:
    do_put(sited, "SO-1", "SO-2")
    with sited.writing() as connection:
        add_box(connection, "B1", quantity=1)
        set_order(connection, status="in_progress", opened_at=NOW)
        set_order(connection, status="packed", packed_at=NOW)
        renew_index(connection, NOW)
    assert clear(sited, later(NOW, days=29)) == 0
    assert clear(sited, MONTH) == 4  # a tombstone and a part at each of two sites
    assert clear(sited, MONTH) == 0
    assert set(published(sited).values()) == {None}
    assert all(published(sited, "SO-2").values())
    with sited.writing() as connection:
        assert load_orders(connection, ["SO-1"])["SO-1"].status == "packed"
        renew_index(connection, MONTH)
    names = {name for _, orders in index(sited).values() for name in orders}
    assert names == {"SO-2"}


def test_a_reopened_order_is_not_cleared(sited: Database) -> None:
    do_put(sited, "SO-1")
    with sited.writing() as connection:
        cancel(connection, "SO-1", actor="user:ann", now=NOW)
        reopen(connection, "SO-1", actor="user:ann", now=NOW)
    assert clear(sited, MONTH) == 0
    assert published(sited)["rtm1/order/SO-1"] == manifest(revision=3, reopen=3)


def test_a_cleared_order_can_be_reopened(sited: Database) -> None:
    do_put(sited, "SO-1")
    with sited.writing() as connection:
        set_order(connection, status="packed", packed_at=NOW)
    clear(sited, MONTH)
    with sited.writing() as connection:
        same = put(connection, "SO-1", manifest(), site=None, actor="token:oms", now=MONTH)
        assert same.outcome == "unchanged"
    assert published(sited)["rtm1/order/SO-1"] is None
    with sited.writing() as connection:
        reopen(connection, "SO-1", actor="user:ann", now=MONTH)
    assert published(sited)["rtm1/order/SO-1"] == manifest(revision=3, reopen=3)


def test_old_documents_of_closed_orders_are_forgotten(sited: Database) -> None:
    do_put(sited, "SO-1", "SO-2")
    long_after = datetime.strptime(NOW, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) + timedelta(days=91)
    with sited.writing() as connection:
        set_order(connection, status="packed", packed_at=NOW)
        for name in ("SO-1", "SO-2", None):
            add_event(connection, "kiosk.scan.rejected.v1", {}, order=name)
        waiting = add_event(connection, "kiosk.scan.accepted.v1", {}, state="waiting")
    assert forget_old_documents(sited, 0, long_after) == 0
    assert forget_old_documents(sited, 90, long_after - timedelta(days=2)) == 0
    assert forget_old_documents(sited, 90, long_after) == 2
    assert forget_old_documents(sited, 90, long_after) == 0
    with sited.reading() as connection:
        assert len(connection.execute(select(event.c.position)).all()) == 4
        assert [one.position for one in feed_page(connection, EventFilter(), 9)] == [2, waiting]


def test_a_new_site_gets_the_orders_for_all_sites(sited: Database) -> None:
    do_put(sited, "SO-1")
    with sited.writing() as connection:
        put(connection, "SO-2", manifest(order="SO-2"), site="rtm1", actor="token:oms", now=NOW)
        assert serve_sites(connection, ["rtm1", "lon1"], NOW) == ["lon1"]
        assert serve_sites(connection, ["rtm1", "lon1"], NOW) == []
        assert renew_index(connection, NOW)
    assert published(sited)["lon1/order/SO-1"] == manifest(revision=1)
    assert set(published(sited, "SO-2")) == {"rtm1/order/SO-2"}
    assert {name for _, orders in index(sited, "lon1").values() for name in orders} == {"SO-1"}
