"""Reference lists from files."""

import json
from typing import Any

import pytest

from centre.orders.file_errors import FileRefused, RowError
from centre.orders.reference_files import parse_blocked_units, parse_box_sizes, parse_operators


def test_operators_from_csv() -> None:
    data = "operator;name;badges;roles\nE7;Zoë;B-1|x;picking\nE8;;;\nE9;Ida;B-2,B-3;\n".replace("|", ",")
    assert parse_operators(data.replace("B-1,x", '"B-1;B-9"').encode(), "csv") == [
        {"operator": "E7", "name": "Zoë", "badges": ["B-1", "B-9"], "roles": ["picking"]},
        {"operator": "E8"},
        {"operator": "E9", "name": "Ida", "badges": ["B-2,B-3"]},
    ]


def test_box_sizes_from_csv() -> None:
    data = b"CODE,length_mm,width_mm,height_mm\nM,300,200,150\n"
    assert parse_box_sizes(data, "csv") == [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}]


def test_every_faulty_row_is_named() -> None:
    with pytest.raises(FileRefused) as refused:
        parse_box_sizes(b"code,length_mm,width_mm,height_mm\nM,30 cm,200,150\n,1,2,\n", "csv")
    assert refused.value.errors == [
        RowError(2, "length_mm", "a whole number of millimetres", "30 cm"),
        RowError(3, "code", "text", "nothing"),
        RowError(3, "height_mm", "text", "nothing"),
    ]


def test_blocked_units() -> None:
    assert parse_blocked_units(b"unit\n356938030000017\nFH7XK0A2PL\n", "csv") == ["356938030000017", "FH7XK0A2PL"]
    assert parse_blocked_units(b'{"items": ["a", "b"]}', "json") == ["a", "b"]


@pytest.mark.parametrize("parse", [parse_operators, parse_box_sizes, parse_blocked_units])
def test_json_of_something_else_is_refused(parse: Any) -> None:
    with pytest.raises(FileRefused, match="row 1"):
        parse(json.dumps([7]).encode(), "json")


def test_json_is_taken_as_it_is() -> None:
    item = {"operator": "E7", "badges": []}
    assert parse_operators(json.dumps({"items": [item]}).encode(), "json") == [item]


def test_what_a_spreadsheet_has_destroyed_is_named() -> None:
    with pytest.raises(FileRefused) as caught:
        parse_blocked_units(b"unit\n3.53911E+14\n490154203237518\n12345001234561\n", "csv")
    assert [(error.row, error.column) for error in caught.value.errors] == [(2, "unit"), (4, "unit")]
    with pytest.raises(FileRefused) as caught:
        parse_operators(b"operator,badges\nE7,A1;4.5E+09\n", "csv")
    (error,) = caught.value.errors
    assert (error.row, error.column) == (2, "badges")
    assert "4.5" not in str(error)
