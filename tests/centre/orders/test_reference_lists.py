"""Operators, box sizes and blocked units: in, stored, published."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.messages import operators_of
from centre.orders.operator_list import put_operators, read_operators
from centre.orders.reference_check import ReferenceRefused
from centre.orders.reference_lists import put_all_blocked, put_blocked, put_boxes, read_blocked, read_boxes
from centre.store.database import Database
from centre.store.message_rows import load_message
from centre.store.schema import operator, retained
from tests.centre.orders.scene import NOW

M = {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}
BY = {"actor": "user:ann", "now": NOW}


def message(database: Database, end: str) -> dict[str, Any]:
    with database.reading() as connection:
        found = load_message(connection, f"kiosk/v1/rtm1/reference/{end}")
    assert found is not None
    content: dict[str, Any] = json.loads(found.payload)
    return content


def test_box_sizes_get_a_revision_when_they_change(sited: Database) -> None:
    with sited.writing() as connection:
        assert read_boxes(connection, "rtm1") == {"revision": 0, "items": []}
        assert put_boxes(connection, "rtm1", [M], **BY).revision == 1
        assert not put_boxes(connection, "rtm1", [dict(reversed(M.items()))], **BY).is_changed
        assert put_boxes(connection, "rtm1", [M, {**M, "code": "L"}], **BY).revision == 2
        assert read_boxes(connection, "rtm1") == {"revision": 2, "items": [M, {**M, "code": "L"}]}
    assert message(sited, "boxes") == {"revision": 2, "items": [M, {**M, "code": "L"}]}


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([{**M, "code": "m"}], "items.0.code"),
        ([{**M, "width_mm": "200"}], "items.0.width_mm"),
        ([M, M], "items.1.code"),
        ([{**M, "note": "\0"}], "items.0.note"),
        ("M", "items"),
    ],
)
def test_wrong_box_sizes_are_refused(sited: Database, items: Any, path: str) -> None:
    with pytest.raises(ReferenceRefused) as caught, sited.writing() as connection:
        put_boxes(connection, "rtm1", items, **BY)
    assert path in [field.path for field in caught.value.fields]


def test_blocked_units_have_parts(sited: Database) -> None:
    with sited.writing() as connection:
        put_blocked(connection, "rtm1", "stolen", ["490154203237518"], **BY)
        assert put_blocked(connection, "rtm1", "stolen", [], **BY).revision == 2
        assert read_blocked(connection, "rtm1", "stolen") == {"revision": 2, "items": []}
        for part in ("", "a/b", "+", "ä", "x" * 65):
            with pytest.raises(ReferenceRefused):
                put_blocked(connection, "rtm1", part, [], **BY)
        with pytest.raises(ReferenceRefused, match="ams1, rtm1"):
            put_blocked(connection, "nowhere", "stolen", [], **BY)
    assert message(sited, "blocked/stolen") == {"revision": 2, "items": []}


def test_a_long_list_is_split(sited: Database) -> None:
    numbers = [f"{number:064d}" for number in range(8000)]
    with sited.writing() as connection:
        done = put_all_blocked(connection, "rtm1", [*numbers, numbers[0]], prefix="import", **BY)
        assert list(done) == ["import", "import-1", "import-2"]
        done = put_all_blocked(connection, "rtm1", numbers[:10], prefix="import", **BY)
        assert [one.is_changed for one in done.values()] == [True, True, True]
    assert message(sited, "blocked/import")["items"] == numbers[:10]
    assert message(sited, "blocked/import-2")["items"] == []


def test_badges_are_hashed_and_names_stay_here(sited: Database) -> None:
    items: list[dict[str, Any]] = [
        {"operator": "E7", "name": "Ann", "badges": [" zbé123 ", "ZBE\u0301123"], "roles": ["packing"]},
        {"operator": "E8"},
    ]
    with sited.writing() as connection:
        assert put_operators(connection, "rtm1", items, **BY).revision == 1
        assert not put_operators(connection, "rtm1", items, **BY).is_changed
        ann, nameless = read_operators(connection, "rtm1")["items"]
        assert ann == {"operator": "E7", "name": "Ann", "roles": ("packing",)}
        assert nameless == {"operator": "E8", "name": None, "roles": None}
        sent = connection.execute(select(retained.c.payload)).scalars()
        kept = connection.execute(select(operator.c.badges)).scalars()
        assert not any(b"Ann" in payload or b"123" in payload[:60] for payload in sent)
        assert all(len(badge) == 64 for badges in kept for badge in json.loads(badges))
    with sited.reading() as connection:
        found = load_message(connection, "kiosk/v1/rtm1/reference/operators")
    assert found is not None
    read = operators_of(found.payload, topic="t")
    for code in ("ZBÉ123", "zbe\u0301123"):
        who = read.find(code)
        assert who is not None
        assert who.id == "E7"
    assert len(read.by_badge) == 1


def test_an_operator_keeps_badges_that_are_not_given(sited: Database) -> None:
    with sited.writing() as connection:
        put_operators(connection, "rtm1", [{"operator": "E7", "badges": ["A1"]}], **BY)
        put_operators(connection, "rtm1", [{"operator": "E7", "name": "Ann"}, {"operator": "E8"}], **BY)
    read = operators_of(json.dumps(message(sited, "operators")).encode(), topic="t")
    assert read.find("a1") is not None
    with sited.writing() as connection:
        put_operators(connection, "rtm1", [{"operator": "E7", "badges": []}], **BY)
    assert message(sited, "operators")["items"] == [{"operator": "E7", "badges": []}]


def test_hashes_of_another_salt_do_not_mix(sited: Database) -> None:
    hashed = {"operator": "E7", "badges": ["a" * 64]}
    with sited.writing() as connection:
        put_operators(connection, "rtm1", [{"operator": "E7", "badges": ["A1"]}], **BY)
        with pytest.raises(ReferenceRefused, match=r"items\.0\.badges"):
            put_operators(connection, "rtm1", [{"operator": "E7"}], salt="pepper", **BY)
        with pytest.raises(ReferenceRefused, match="64 lower-case hex digits"):
            put_operators(connection, "rtm1", [{"operator": "E7", "badges": ["A1"]}], salt="pepper", **BY)
        put_operators(connection, "rtm1", [hashed], salt="pepper", **BY)
    assert message(sited, "operators") == {"revision": 2, "salt": "pepper", "items": [hashed]}
