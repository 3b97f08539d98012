"""What a centre takes in from a broker: nothing that is retained is lost, and what is its own goes out again."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection

from agent.contract.messages import operators_of, order_index_of
from agent.contract.order_index import part_of
from centre.orders.adoption import AdoptionReport, adopt
from centre.orders.index_renewal import renew_index
from centre.orders.manifest_intake import put
from centre.orders.operator_list import put_operators, read_operators
from centre.orders.order_lifecycle import cancel, withdraw
from centre.orders.reference_lists import put_blocked, put_boxes, read_blocked, read_boxes
from centre.store.database import Database
from centre.store.message_rows import load_message
from centre.store.order_rows import OrderRow, load_orders
from centre.store.retained_rows import note_sent, sent_digests
from centre.store.site_rows import add_sites
from tests.centre.orders.scene import NOW, add_box, add_event, manifest, phones, published, set_order

ROOT = "kiosk/v1/rtm1"
TOPIC = f"{ROOT}/order/SO-1"
IMEI = "490154203237518"
M = {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}


@pytest.fixture
def one_site(database: Database) -> Database:
    with database.writing() as connection:
        add_sites(connection, ["rtm1"], NOW)
    return database


def find(database: Database, found: Mapping[str, Any]) -> AdoptionReport:
    """Adopt messages; None stands for an empty one."""
    payloads = {
        topic: content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        for topic, content in found.items()
    }
    with database.writing() as connection:
        return adopt(connection, "broker:1883", payloads, NOW)


def order(database: Database, name: str = "SO-1") -> OrderRow | None:
    with database.reading() as connection:
        return load_orders(connection, [name]).get(name)


def do_put(database: Database, **more: Any) -> None:
    with database.writing() as connection:
        put(connection, "SO-1", manifest(**more), site=None, actor="token:oms", now=NOW)


def note_all_sent(connection: Connection) -> None:
    message = load_message(connection, TOPIC)
    assert message is not None
    note_sent(connection, "broker:1883", {TOPIC: hashlib.sha256(message.payload).digest()}, NOW)


def goes_out_again(database: Database) -> bool:
    """Whether the publisher has to send the order's message, though it had done so."""
    with database.reading() as connection:
        message = load_message(connection, TOPIC)
        digest = sent_digests(connection, "broker:1883").get(TOPIC)
    return message is not None and digest != hashlib.sha256(message.payload).digest()


# -- manifests -----------------------------------------------------------------------------------------------------


def test_an_empty_centre_adopts_and_writes_nothing(one_site: Database) -> None:
    report = find(one_site, {TOPIC: manifest(revision=7), f"{ROOT}/order/SO-2": manifest(order="SO-2", revision=1)})
    assert (report.orders, report.refused) == (2, ())
    row = order(one_site)
    assert row is not None
    assert (row.source, row.revision, row.status, row.site) == ("broker", 7, "open", None)
    assert published(one_site) == {}


def test_the_next_revision_exceeds_what_was_found(one_site: Database) -> None:
    find(one_site, {TOPIC: manifest(revision=7)})
    do_put(one_site, barcodes=["X"])
    assert published(one_site)["rtm1/order/SO-1"] == manifest(barcodes=["X"], revision=8)


def test_the_same_content_put_later_is_no_new_revision(one_site: Database) -> None:
    find(one_site, {TOPIC: manifest(revision=7)})
    do_put(one_site)
    row = order(one_site)
    assert row is not None
    assert (row.source, row.revision) == ("centre", 7)
    assert published(one_site)["rtm1/order/SO-1"] == manifest(revision=7)


def test_another_systems_order_follows_it(one_site: Database) -> None:
    find(one_site, {TOPIC: manifest(revision=7)})
    find(one_site, {TOPIC: manifest(revision=6, barcodes=["old"])})
    assert "old" not in str(order(one_site))
    find(one_site, {TOPIC: manifest(revision=8, barcodes=["new"])})
    assert "new" in str(order(one_site))
    find(one_site, {TOPIC: {"order": "SO-1", "revision": 9, "status": "cancelled"}})
    row = order(one_site)
    assert row is not None
    assert (row.status, row.revision) == ("cancelled", 9)
    find(one_site, {TOPIC: None})
    assert order(one_site).status == "withdrawn"  # type: ignore[union-attr]
    find(one_site, {TOPIC: manifest(revision=2)})
    row = order(one_site)
    assert row is not None
    assert (row.status, row.revision, row.source) == ("open", 2, "broker")
    assert published(one_site) == {}


def test_a_request_makes_it_the_centres_own(one_site: Database) -> None:
    find(one_site, {TOPIC: manifest(revision=7)})
    with one_site.writing() as connection:
        cancel(connection, "SO-1", actor="user:ann", now=NOW)
    assert published(one_site)["rtm1/order/SO-1"] == {"order": "SO-1", "revision": 8, "status": "cancelled"}
    with one_site.writing() as connection:
        withdraw(connection, "SO-1", actor="user:ann", now=NOW)
    assert published(one_site)["rtm1/order/SO-1"] is None


@pytest.mark.parametrize(
    ("found", "revision", "status"),
    [
        (manifest(revision=3, barcodes=["other"]), 4, "open"),  # as high: ours goes out above it
        (manifest(revision=9, barcodes=["other"]), 9, "open"),  # higher: the database is an older copy
        ({"order": "SO-1", "revision": 4, "status": "packed"}, 4, "packed"),
        ({"order": "SO-1", "revision": 4, "status": "cancelled"}, 4, "cancelled"),
        (manifest(revision=2, barcodes=["other"]), 3, "open"),  # lower: ours goes out again
        (manifest(revision=3), 3, "open"),
        (None, 3, "open"),
        (b"{", 3, "open"),
        ({"order": "SO-1", "revision": 5, "status": "open"}, 6, "open"),  # no kiosk takes it
    ],
)
def test_an_order_of_our_own(one_site: Database, found: Any, revision: int, status: str) -> None:
    do_put(one_site, revision=3)
    with one_site.writing() as connection:
        note_all_sent(connection)
    find(one_site, {TOPIC: found})
    row = order(one_site)
    assert row is not None
    assert (row.source, row.revision, row.status) == ("centre", revision, status)
    content = published(one_site)["rtm1/order/SO-1"]
    assert (content["revision"], content["status"]) == (revision, status)
    assert ("barcodes" in content) == (revision == 9)
    assert goes_out_again(one_site) or content == found


def test_what_was_withdrawn_stays_withdrawn(one_site: Database) -> None:
    do_put(one_site)
    with one_site.writing() as connection:
        withdraw(connection, "SO-1", actor="user:ann", now=NOW)
    find(one_site, {TOPIC: manifest(revision=1)})
    assert published(one_site)["rtm1/order/SO-1"] is None
    assert goes_out_again(one_site)
    assert order(one_site).status == "withdrawn"  # type: ignore[union-attr]


def test_a_packed_order_is_not_opened_by_a_manifest_that_is_found(one_site: Database) -> None:
    do_put(one_site)
    with one_site.writing() as connection:
        set_order(connection, status="packed", packed_at=NOW)
    find(one_site, {TOPIC: manifest(revision=5)})
    assert published(one_site)["rtm1/order/SO-1"] == {"order": "SO-1", "revision": 6, "status": "packed"}


def test_an_order_that_kiosks_told_of_first(one_site: Database) -> None:
    do_put(one_site)
    with one_site.writing() as connection:
        add_event(connection, "kiosk.order.opened.v1", {"revision": 7})
        set_order(connection, source="kiosk", manifest=None, revision=None, status="in_progress", opened_at=NOW)
    find(one_site, {TOPIC: manifest(revision=7)})
    row = order(one_site)
    assert row is not None
    assert (row.source, row.revision, row.status) == ("broker", 7, "in_progress")


def test_what_cannot_be_read_is_reported_and_stays_in_the_index(one_site: Database) -> None:
    report = find(one_site, {TOPIC: {"order": "SO-1", "revision": 4, "status": "open"}})
    assert "lines" in report.refused[0]
    assert index(one_site)["SO-1"] == 4


def test_sites_are_kept_apart_and_joined(sited: Database) -> None:
    find(sited, {TOPIC: manifest(revision=7)})
    assert order(sited).site == "rtm1"  # type: ignore[union-attr]
    find(sited, {TOPIC.replace("rtm1", "ams1"): manifest(revision=7)})
    assert order(sited).site is None  # type: ignore[union-attr]
    find(sited, {TOPIC: None})
    row = order(sited)
    assert row is not None
    assert (row.site, row.status) == ("ams1", "open")


# -- the index -----------------------------------------------------------------------------------------------------


def index(database: Database) -> dict[str, int]:
    with database.writing() as connection:
        renew_index(connection, NOW)
        found: dict[str, int] = {}
        for part in "0123456789abcdef":
            message = load_message(connection, f"{ROOT}/reference/orders/{part}")
            if message is not None:
                found.update(order_index_of(message.payload, topic="t", part=part).orders)
    return found


def part_message(database: Database, part: str) -> dict[str, Any]:
    with database.reading() as connection:
        message = load_message(connection, f"{ROOT}/reference/orders/{part}")
    assert message is not None
    content: dict[str, Any] = json.loads(message.payload)
    return content


def test_the_index_exceeds_the_one_found_and_drops_no_name(one_site: Database) -> None:
    part = part_of("SO-1")
    lost = next(name for name in (f"SO-{n}" for n in range(2, 99)) if part_of(name) == part)
    find(
        one_site,
        {
            TOPIC: manifest(revision=7),
            f"{ROOT}/reference/orders/{part}": {"revision": 40, "orders": {"SO-1": 7, lost: 2}},
            f"{ROOT}/reference/orders": {"revision": 3, "orders": {"whole": 5}},
        },
    )
    assert index(one_site) == {"SO-1": 7, lost: 2, "whole": 5}
    assert part_message(one_site, part)["revision"] == 41
    assert order(one_site, lost).source == "broker"  # type: ignore[union-attr]


def test_our_part_goes_out_above_another(one_site: Database) -> None:
    part = part_of("SO-1")
    do_put(one_site)
    index(one_site)
    find(one_site, {f"{ROOT}/reference/orders/{part}": {"revision": 40, "orders": {}}})
    assert part_message(one_site, part) == {"revision": 41, "orders": {"SO-1": 1}, "foreign": []}


def test_an_empty_centre_knows_its_own_orders_by_the_index(one_site: Database) -> None:
    part = part_of("SO-1")
    other = next(name for name in (f"SO-{n}" for n in range(2, 99)) if part_of(name) == part)
    entries = {"revision": 40, "orders": {"SO-1": 7, other: 2}, "foreign": [other]}
    own = b'{"order":"SO-1","revision":7,"status":"packed"}'
    find(
        one_site,
        {
            TOPIC: own,
            f"{ROOT}/order/{other}": manifest(order=other, revision=2),
            f"{ROOT}/reference/orders/{part}": entries,
        },
    )
    assert order(one_site).source == "centre"  # type: ignore[union-attr]
    assert order(one_site, other).source == "broker"  # type: ignore[union-attr]
    with one_site.reading() as connection:
        message = load_message(connection, TOPIC)
        assert message is not None
        assert (message.payload, message.clear_at) == (own, "2026-12-28T10:00:00.000Z")
    index(one_site)
    assert part_message(one_site, part) == {**entries, "revision": 41}


# -- counted parts -------------------------------------------------------------------------------------------------


def test_counted_boxes_stay_until_events_say_otherwise(one_site: Database) -> None:
    topic = f"{ROOT}/counted/SO-1/0"
    far = {"box": "FAR1", "kiosk": "dock-9", "contents": [{"line": "1", "quantity": 1, "units": [IMEI]}]}
    find(one_site, {TOPIC: manifest(phones(), revision=7)})
    find(one_site, {topic: {"order": "SO-1", "part": "0", "revision": 12, "boxes": [far]}})
    with one_site.writing() as connection:
        add_box(connection, "B1", ["356938035643809"])
        set_order(connection, status="in_progress")
    part = published(one_site)["rtm1/counted/SO-1/0"]
    assert (part["revision"], [box["box"] for box in part["boxes"]]) == (13, ["FAR1", "B1"])
    with one_site.writing() as connection:
        add_box(connection, "FAR1", state="open", at="dock-9")
        set_order(connection)
    part = published(one_site)["rtm1/counted/SO-1/0"]
    assert (part["revision"], [box["box"] for box in part["boxes"]]) == (14, ["B1"])
    find(one_site, {topic: {"order": "SO-1", "part": "0", "revision": 20, "boxes": []}})
    assert published(one_site)["rtm1/counted/SO-1/0"] == {**part, "revision": 21}
    report = find(one_site, {topic: {"order": "SO-2", "part": "0", "revision": 30, "boxes": []}})
    assert report.refused
    assert published(one_site)["rtm1/counted/SO-1/0"] == {**part, "revision": 21}


# -- reference lists -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "revision", "codes"),
    [
        ({"revision": 9, "items": []}, 9, []),
        ({"revision": 1, "items": []}, 2, ["M"]),
        ({"revision": 0, "items": []}, 1, ["M"]),
        ({"revision": 9, "items": [{"code": "m"}]}, 1, ["M"]),
        (None, 1, ["M"]),
    ],
)
def test_box_sizes(one_site: Database, found: Any, revision: int, codes: list[str]) -> None:
    with one_site.writing() as connection:
        put_boxes(connection, "rtm1", [M], actor="user:ann", now=NOW)
    find(one_site, {f"{ROOT}/reference/boxes": found})
    with one_site.reading() as connection:
        sizes = read_boxes(connection, "rtm1")
    assert (sizes["revision"], [size["code"] for size in sizes["items"]]) == (revision, codes)


def test_an_empty_centre_adopts_lists(one_site: Database) -> None:
    find(
        one_site,
        {
            f"{ROOT}/reference/boxes": {"revision": 4, "items": [M]},
            f"{ROOT}/reference/blocked/stolen": {"revision": 3, "items": [IMEI]},
        },
    )
    with one_site.writing() as connection:
        assert read_boxes(connection, "rtm1") == {"revision": 4, "items": [M]}
        assert read_blocked(connection, "rtm1", "stolen") == {"revision": 3, "items": [IMEI]}
        assert put_blocked(connection, "rtm1", "stolen", [], actor="user:ann", now=NOW).revision == 4


def test_badges_that_are_found_as_texts_are_hashed(one_site: Database) -> None:
    item = {"operator": "E7", "name": "Ann", "badges": ["A1"], "roles": ["packing"]}
    find(one_site, {f"{ROOT}/reference/operators": {"revision": 4, "items": [item]}})
    with one_site.reading() as connection:
        message = load_message(connection, f"{ROOT}/reference/operators")
        people = read_operators(connection, "rtm1")
    assert message is not None
    read = operators_of(message.payload, topic="t")
    assert (read.revision, read.salt is not None, read.find("a1") is not None) == (5, True, True)
    assert b"A1" not in message.payload
    assert people == {"revision": 5, "items": [{"operator": "E7", "name": "Ann", "roles": ("packing",)}]}


def test_operators_of_an_older_copy_keep_their_names(one_site: Database) -> None:
    with one_site.writing() as connection:
        put_operators(connection, "rtm1", [{"operator": "E7", "name": "Ann"}], actor="user:ann", now=NOW)
    hashed = [{"operator": "E7", "badges": ["a" * 64]}, {"operator": "E8", "badges": []}]
    find(one_site, {f"{ROOT}/reference/operators": {"revision": 6, "salt": "pepper", "items": hashed}})
    with one_site.reading() as connection:
        people = read_operators(connection, "rtm1")
        message = load_message(connection, f"{ROOT}/reference/operators")
    assert (people["revision"], [one["name"] for one in people["items"]]) == (6, ["Ann", None])
    assert message is not None
    assert json.loads(message.payload) == {"revision": 6, "salt": "pepper", "items": hashed}
    find(one_site, {f"{ROOT}/reference/operators": {"revision": 6, "items": []}})
    with one_site.reading() as connection:
        assert read_operators(connection, "rtm1")["revision"] == 7


DEEP = b"[" * 50_000 + b"]" * 50_000
UNREADABLE = [DEEP, b'{"revision":4,"orders":{"a":1},"x":' + DEEP + b"}", b'{"revision":4,"x":"\xff"}']
RETAINED = "order/SO-1 reference/orders reference/orders/a reference/operators reference/boxes reference/blocked/a"


@pytest.mark.parametrize("payload", UNREADABLE, ids=["deep", "deep in a part", "no text"])
@pytest.mark.parametrize("topic", [*RETAINED.split(), "counted/SO-1/a"])
def test_nothing_that_is_retained_stops_the_centre(one_site: Database, topic: str, payload: bytes) -> None:
    for _ in range(2):
        find(one_site, {f"{ROOT}/{topic}": payload})
