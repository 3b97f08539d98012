"""The order index follows the orders, part by part."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.contract.messages import order_index_of
from agent.contract.order_index import part_of
from centre.orders.index_parts import MAX_INDEX_BYTES, IndexPart, index_payload, read_part
from centre.orders.index_renewal import plan_index, renew_index, write_index
from centre.orders.manifest_intake import put
from centre.orders.order_lifecycle import withdraw
from centre.orders.order_topics import index_topic
from centre.store.database import Database
from centre.store.message_rows import load_message
from tests.centre.orders.scene import NOW, add_event, manifest, set_order


def index(database: Database, site: str = "rtm1") -> dict[str, Any]:
    """Return what the parts name, each with its revision."""
    found = {}
    with database.reading() as connection:
        for part in "0123456789abcdef":
            message = load_message(connection, index_topic(site, part))
            if message is not None:
                one = order_index_of(message.payload, topic=message.topic, part=part)
                found[part] = (one.revision, dict(one.orders))
    return found


def renew(database: Database) -> bool:
    with database.writing() as connection:
        return renew_index(connection, NOW)


def do_put(database: Database, *orders: str, **more: Any) -> None:
    with database.writing() as connection:
        for order in orders:
            put(connection, order, manifest(order=order, **more), site=None, actor="token:oms", now=NOW)


def test_each_order_is_named_with_its_revision(sited: Database) -> None:
    assert not renew(sited)
    names = [f"SO-{number}" for number in range(40)]
    do_put(sited, *names)
    assert renew(sited)
    assert not renew(sited)
    expected: dict[str, Any] = {}
    for name in names:
        expected.setdefault(part_of(name), (1, {}))[1][name] = 1
    assert index(sited) == index(sited, "ams1") == expected
    with sited.reading() as connection:
        assert plan_index(connection, NOW) == []


def test_only_the_parts_that_change_get_a_revision(sited: Database) -> None:
    names = [f"SO-{number}" for number in range(40)]
    do_put(sited, *names)
    renew(sited)
    before = index(sited)
    do_put(sited, "SO-7", barcodes=["X"])
    with sited.writing() as connection:
        set_order(connection, "SO-9", status="in_progress")  # no new revision
    assert renew(sited)
    part = part_of("SO-7")
    assert index(sited) == {**before, part: (2, {**before[part][1], "SO-7": 2})}


def test_a_tombstone_stays_and_a_withdrawn_order_goes(sited: Database) -> None:
    do_put(sited, "SO-1", "SO-2")
    renew(sited)
    with sited.writing() as connection:
        set_order(connection, "SO-1", status="packed", packed_at=NOW)
        withdraw(connection, "SO-2", actor="user:ann", now=NOW)
    renew(sited)
    found = index(sited)
    assert found[part_of("SO-1")] == (2, {"SO-1": 2})
    assert found[part_of("SO-2")] == (2, {})


def test_an_order_of_another_site_is_not_named(sited: Database) -> None:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(), site="ams1", actor="token:oms", now=NOW)
    renew(sited)
    assert index(sited) == {}
    assert index(sited, "ams1") == {part_of("SO-1"): (1, {"SO-1": 1})}


def test_an_order_known_by_events_alone_is_not_withdrawn(sited: Database) -> None:
    do_put(sited, "SO-1")
    with sited.writing() as connection:
        add_event(connection, "kiosk.order.opened.v1", {"revision": 7})
        set_order(connection, "SO-1", source="kiosk", manifest=None, revision=None, status="in_progress")
    renew(sited)
    assert index(sited)[part_of("SO-1")] == (1, {"SO-1": 7})


def test_a_part_that_is_too_large_leaves_closed_orders_out(monkeypatch: Any, sited: Database) -> None:
    names = [name for name in (f"SO-{number}" for number in range(1000, 1200)) if part_of(name) == "a"]
    do_put(sited, *names)
    with sited.writing() as connection:
        for name in names[:4]:
            set_order(connection, name, status="packed", packed_at=NOW)
    room = len(json.dumps({"revision": 1, "orders": dict.fromkeys(names, 1), "foreign": []}, separators=(",", ":")))
    monkeypatch.setattr("centre.orders.index_parts.MAX_INDEX_BYTES", room - 20)
    renew(sited)
    assert index(sited)["a"][1] == {name: 2 if name in names[:4] else 1 for name in names[2:]}
    monkeypatch.setattr("centre.orders.index_parts.MAX_INDEX_BYTES", 40)
    do_put(sited, names[-1], barcodes=["X"])
    renew(sited)
    with sited.reading() as connection:
        message = load_message(connection, index_topic("rtm1", "a"))
        assert message is not None
        assert message.payload == b""
    monkeypatch.setattr("centre.orders.index_parts.MAX_INDEX_BYTES", MAX_INDEX_BYTES)
    do_put(sited, names[-1], barcodes=["Y"])
    renew(sited)
    assert index(sited)["a"] == (3, {name: 2 if name in names[:4] else 1 for name in names} | {names[-1]: 3})


def test_a_plan_that_was_overtaken_is_left(sited: Database) -> None:
    do_put(sited, "SO-1")
    with sited.reading() as connection:
        plans = plan_index(connection, NOW)
    do_put(sited, "SO-2")
    assert renew(sited)
    with sited.writing() as connection:
        assert not write_index(connection, plans)
    assert {name for _, orders in index(sited).values() for name in orders} == {"SO-1", "SO-2"}


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.integers(0, 99), max_size=40), st.integers(0, 400), st.data())
def test_a_part_fits_or_is_empty(entries: dict[str, int], limit: int, data: st.DataObject) -> None:
    import centre.orders.index_parts as module

    names = sorted(entries)
    closed = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    foreign = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    before, module.MAX_INDEX_BYTES = module.MAX_INDEX_BYTES, limit
    try:
        payload = index_payload(IndexPart(revision=1, orders=entries, foreign=tuple(foreign)), closed)
    finally:
        module.MAX_INDEX_BYTES = before
    assert len(payload) <= limit
    if payload:
        part = read_part(payload)
        assert {name: entries[name] for name in part.orders} == part.orders
        assert set(entries) - set(part.orders) <= set(closed)
        assert part.foreign == tuple(name for name in foreign if name in part.orders)
