"""The resources of orders, boxes and devices."""

from centre.orders.manifest_intake import put
from centre.orders.order_reading import read_box, read_order, read_page
from centre.orders.order_status import line_statuses
from centre.orders.unit_status import read_unit
from centre.store.box_rows import BoxPiece, BoxRow
from centre.store.database import Database
from centre.store.order_pages import OrderFilter, count_orders
from centre.store.unit_rows import UnitMark, add_mark
from tests.centre.orders.scene import NOW, add_box, add_event, manifest, phones, set_box, set_order

IMEI, SECOND, OTHER = "490154203237518", "490154203237526", "356938035643809"


def test_an_order_shows_its_counts_boxes_and_manifest(sited: Database) -> None:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(phones(quantity=3)), site=None, actor="token:oms", now=NOW)
        add_box(connection, "B1", [IMEI])
        add_box(connection, "B2", [OTHER], state="open")
        add_box(connection, "B3", quantity=4, line="9", state="created")
        add_box(connection, "B4", state="voided")
        add_event(connection, "kiosk.new.thing.v2", {}, state="not_understood")
        set_order(connection, status="in_progress", opened_at=NOW)
    with sited.reading() as connection:
        found = read_order(connection, "SO-1")
        assert read_order(connection, "SO-2") is None
    assert found is not None
    assert found["lines"] == [
        {"line": "1", "sku": "P13", "ordered": 3, "scanned": 2, "pending": 1, "units": (IMEI, OTHER)},
        {"line": "9", "sku": "CASE-13", "ordered": 0, "scanned": 4, "pending": -4, "units": ()},
    ]
    assert [box["box"] for box in found["boxes"]] == ["B1", "B2", "B3"]
    first = found["boxes"][0]
    assert first["size"] == {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}
    assert (first["kiosk"], first["label"], first["confirmed"]) == ("dock-3", "ZLB1", True)
    assert first["contents"] == [{"line": "1", "sku": "P13", "quantity": 1, "units": (IMEI,)}]
    assert found["manifest"] == manifest(phones(quantity=3), revision=1)
    assert found["operators"] == {"picking": None, "packing": None, "shipping": None}
    assert (found["status"], found["revision"], found["incomplete"]) == ("in_progress", 1, True)
    assert found["conflicts"] == []


def test_a_box_that_was_begun_and_is_empty_again_is_not_shown(sited: Database) -> None:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(), site=None, actor="token:oms", now=NOW)
        add_box(connection, "B1", state="open")
        add_box(connection, "B2", state="confirmed")
    with sited.reading() as connection:
        found = read_order(connection, "SO-1")
    assert found is not None
    assert [box["box"] for box in found["boxes"]] == ["B2"]


def test_a_packed_order_of_which_only_the_tombstone_is_left_is_complete() -> None:
    pieces = (BoxPiece(line="1", sku="P13", quantity=4, unit=None),)
    box = BoxRow(
        id=1, order_name="SO-1", box="B1", site="rtm1", kiosk="dock-3", mode="used", state="confirmed",
        size=None, length_mm=None, width_mm=None, height_mm=None, label=None, confirmed_at=NOW, voided_by=None,
        pieces=pieces,
    )  # fmt: skip
    for status, ordered in (("packed", 4), ("cancelled", 0)):
        (line,) = line_statuses({"order": "SO-1", "revision": 2, "status": status}, [box])
        assert (line.ordered, line.scanned) == (ordered, 4)


def test_pages_are_filtered_and_stable(sited: Database) -> None:
    names = [f"SO-{number}" for number in range(1, 8)] + ["100%_x"]
    with sited.writing() as connection:
        for name in names:
            put(connection, name, manifest(order=name), site="rtm1", actor="token:oms", now=NOW)
    with sited.reading() as connection:
        seen, after = [], None
        while True:
            page = read_page(connection, OrderFilter(site="rtm1", after=after), 3)
            seen += [item["order"] for item in page.items]
            after = page.next
            if after is None:
                break
        assert seen == sorted(names)
        assert [item["order"] for item in read_page(connection, OrderFilter(text="%_X"), 9).items] == ["100%_x"]
        assert read_page(connection, OrderFilter(site="ams1"), 9).items == []
        changed = read_page(connection, OrderFilter(changed_after=6), 9)
        assert [item["order"] for item in changed.items] == names[6:]
        assert count_orders(connection, OrderFilter(status=("open",))) == 8
    with sited.writing() as connection:
        set_order(connection, "SO-1", status="packed", packed_at=NOW)
    with sited.reading() as connection:
        newest = read_page(connection, OrderFilter(changed_after=8), 9)
        assert [item["order"] for item in newest.items] == ["SO-1"]


def test_any_identifier_finds_a_device(sited: Database) -> None:
    unit = {"scheme": "imei", "id": IMEI, "aliases": [SECOND]}
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(phones()), site=None, actor="token:oms", now=NOW)
        key = add_box(connection, "B1", [IMEI])
        add_event(connection, "kiosk.scan.accepted.v1", {"box": "B1", "unit": unit}, units=[IMEI, SECOND])
        assert read_unit(connection, OTHER)["state"] == "unknown"
        for identifier in (IMEI, SECOND, f"S{SECOND}"):
            found = read_unit(connection, identifier)
            assert (found["state"], found["order"], found["box"]) == ("counted", "SO-1", "B1")
            (entry,) = found["history"]
            assert (entry["kiosk"], entry["station"], entry["operator"], entry["time"]) == ("dock-3", "1", "E7", NOW)
        set_order(connection, status="packed", packed_at=NOW)
        assert read_unit(connection, SECOND)["state"] == "packed"
        position = add_event(connection, "kiosk.order.held.v1", {"unit": SECOND}, units=[SECOND])
        assert read_unit(connection, IMEI)["state"] == "held"
        add_event(connection, "kiosk.order.released.v1", {"unit": SECOND}, units=[SECOND])
        assert read_unit(connection, IMEI)["state"] == "packed"
        set_box(connection, key, state="voided")
        assert read_unit(connection, IMEI)["state"] == "voided"
        add_mark(connection, SECOND, UnitMark(mark="returned", at=NOW, by="user:ann", position=position))
        assert read_unit(connection, IMEI)["state"] == "returned"
        add_event(connection, "kiosk.scan.accepted.v1", {"box": "B9", "unit": unit}, units=[IMEI, SECOND])
        assert read_unit(connection, IMEI)["state"] == "voided"


def test_a_box_is_found_by_its_id(sited: Database) -> None:
    with sited.writing() as connection:
        add_box(connection, "B1", [IMEI])
        found = read_box(connection, "B1")
        assert found is not None
        assert (found["order"], found["kiosk"], found["state"]) == ("SO-1", "dock-3", "confirmed")
        assert read_box(connection, "B2") is None
