"""What kiosks have packed for an order, in parts."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.contract.counted import CountedBox, CountedContent, CountedPart
from agent.contract.messages import counted_of
from centre.orders.counted_boxes import MAX_PART_BYTES, counted_boxes, next_parts
from centre.orders.manifest_intake import put
from centre.store.database import Database
from tests.centre.orders.scene import NOW, add_box, manifest, phones, published, set_box, set_order

IMEI, OTHER = "490154203237518", "356938035643809"


def test_parts_follow_confirmed_boxes_until_the_order_is_closed(sited: Database) -> None:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(phones()), site="rtm1", actor="token:oms", now=NOW)
        first = add_box(connection, "B1", [IMEI])
        add_box(connection, "B2", [OTHER], state="created")
        set_order(connection, status="in_progress")
    content = {"line": "1", "quantity": 1, "units": [IMEI]}
    part: dict[str, Any] = {"order": "SO-1", "part": "0", "revision": 1, "boxes": []}
    part["boxes"] = [{"box": "B1", "kiosk": "dock-3", "contents": [content]}]
    assert published(sited)["rtm1/counted/SO-1/0"] == part
    with sited.writing() as connection:
        set_box(connection, first, state="open")
        set_order(connection)
    assert published(sited)["rtm1/counted/SO-1/0"] == {**part, "revision": 2, "boxes": []}
    with sited.writing() as connection:
        set_box(connection, first, state="confirmed")
        set_order(connection)
        set_order(connection, status="packed", packed_at=NOW)
        set_box(connection, first, state="voided")
        set_order(connection)
    assert published(sited)["rtm1/counted/SO-1/0"] == {**part, "revision": 3}


def test_a_part_never_names_a_box_or_a_unit_twice(sited: Database) -> None:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(phones()), site="rtm1", actor="token:oms", now=NOW)
        add_box(connection, "B1", [IMEI, OTHER])
        add_box(connection, "B1", [IMEI], at="dock-4")
        add_box(connection, "B3", [OTHER.lower(), IMEI], at="dock-5")
        set_order(connection, status="in_progress")
    message = published(sited)["rtm1/counted/SO-1/0"]
    part = counted_of("SO-1", "0", json.dumps(message).encode(), topic="t")
    assert [(box.box, box.kiosk, box.contents[0].units) for box in part.boxes] == [
        ("B1", "dock-4", (IMEI,)),
        ("B3", "dock-5", (OTHER,)),
    ]


def box(name: str, size: int) -> CountedBox:
    units = tuple(f"{name}-{number:05d}" for number in range(size))
    return CountedBox(box=name, kiosk="k", contents=(CountedContent(line="1", quantity=max(size, 1), units=units),))


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(0, 3000)), max_size=4))
def test_parts_always_hold_exactly_the_boxes(states: list[dict[str, int]]) -> None:
    known: dict[str, CountedPart] = {}
    for state in states:
        boxes = {name: box(name, size) for name, size in state.items()}
        gone = set("abcdefghijklmnop").difference(boxes)
        changed = next_parts("SO-1", list(known.values()), boxes, gone)
        for part in changed:
            assert part.revision == (known[part.part].revision + 1 if part.part in known else 1)
            known[part.part] = part
        found = [one for part in known.values() for one in part.boxes]
        assert {one.box: one for one in found} == boxes
        assert len(found) == len(boxes)
        assert next_parts("SO-1", list(known.values()), boxes, gone) == []


def test_one_box_changes_one_part() -> None:
    boxes = {f"B{number}": box(f"B{number}", 1000) for number in range(60)}
    known = {part.part: part for part in next_parts("SO-1", [], boxes, ())}
    assert len(known) > 2
    changed = next_parts("SO-1", list(known.values()), {**boxes, "B7": box("B7", 990), "new": box("new", 5)}, ())
    assert len(changed) <= 2
    assert next_parts("SO-1", list(known.values()), {**boxes, "B7": box("B7", 990)}, ())[0].part in known


def test_a_box_that_the_centre_does_not_know_stays() -> None:
    known = CountedPart(order="SO-1", part="0", revision=7, boxes=(box("old", 3), box("B1", 3)))
    assert next_parts("SO-1", [known], {"B1": box("B1", 3)}, ()) == []
    (part,) = next_parts("SO-1", [known], {"B2": box("B2", 3)}, {"B1"})
    assert part == CountedPart(order="SO-1", part="0", revision=8, boxes=(box("old", 3), box("B2", 3)))


def test_a_part_stays_below_the_limit() -> None:
    import msgspec

    boxes = {f"B{number}": box(f"B{number}", 3000) for number in range(30)}
    parts = next_parts("SO-1", [], boxes, ())
    assert all(len(msgspec.json.encode(part)) <= 256 * 1024 for part in parts)
    assert MAX_PART_BYTES < 256 * 1024


def test_an_empty_box_is_left_out() -> None:
    assert counted_boxes([]) == {}
