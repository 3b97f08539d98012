"""Exported files, in each format."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centre.orders import exports
from centre.orders.exports import Exported, export
from centre.orders.formula_protection import protected
from centre.orders.manifest_intake import put
from centre.store.database import Database
from tests.centre.orders.scene import NOW, add_box, add_event, manifest, phones, set_order

IMEI = "490154203237518"


@pytest.fixture
def filled(sited: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setattr(exports, "ORDERS_PAGE", 2)
    monkeypatch.setattr(exports, "EVENTS_PAGE", 2)
    with sited.writing() as connection:
        for number in range(1, 6):
            name = f"SO-{number}"
            line = {**phones(), "name": '=HYPERLINK("x")'}
            put(connection, name, manifest(line, order=name), site=None, actor="token:oms", now=NOW)
        add_box(connection, "B1", [IMEI, "356938035643809"])
        add_box(connection, "B2", quantity=3, line="9", state="open")
        set_order(connection, status="in_progress", now="2026-11-28T11:00:00.000Z")
        for _ in range(5):
            add_event(connection, "kiosk.order.opened.v1", {})
    return sited


def read(database: Database, what: Exported, **more: Any) -> list[dict[str, str]]:
    text = b"".join(export(database, what, "csv", **more)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_orders_have_a_row_a_line(filled: Database) -> None:
    rows = read(filled, "orders")
    assert [row["order"] for row in rows] == ["SO-1", "SO-1", "SO-2", "SO-3", "SO-4", "SO-5"]
    first, second = rows[:2]
    assert (first["scanned"], first["pending"], first["units"]) == ("2", "0", f"{IMEI};356938035643809")
    assert (first["name"], first["boxes"], first["incomplete"]) == ('\'=HYPERLINK("x")', "B1;B2", "false")
    assert (second["line"], second["ordered"], second["pending"]) == ("9", "0", "-3")
    assert read(filled, "orders", raw=True)[0]["name"] == '=HYPERLINK("x")'


def test_since_leaves_out_what_has_not_changed(filled: Database) -> None:
    assert {row["order"] for row in read(filled, "orders", since="2026-11-28T10:30:00.000Z")} == {"SO-1"}
    assert len(read(filled, "orders", since="2026-11-28T09:59:59.999Z")) == 6
    assert read(filled, "orders", since="2027-01-01T00:00:00.000Z") == []
    assert read(filled, "events", since="2027-01-01T00:00:00.000Z") == []


def test_devices_boxes_and_events(filled: Database) -> None:
    units = read(filled, "units")
    assert [(row["unit"], row["order"], row["box"]) for row in units] == [
        (IMEI, "SO-1", "B1"),
        ("356938035643809", "SO-1", "B1"),
    ]
    boxes = read(filled, "boxes")
    assert [(row["box"], row["pieces"], row["size"]) for row in boxes] == [("B1", "2", "M"), ("B2", "3", "M")]
    events = read(filled, "events", since=NOW)
    assert [row["position"] for row in events] == ["1", "2", "3", "4", "5"]
    assert json.loads(events[0]["document"])["type"] == "kiosk.order.opened.v1"


@pytest.mark.parametrize(("what", "count"), [("orders", 5), ("units", 2), ("boxes", 2), ("events", 5)])
def test_json(filled: Database, what: Exported, count: int) -> None:
    items = json.loads(b"".join(export(filled, what, "json")))
    lines = b"".join(export(filled, what, "ndjson")).splitlines()
    assert len(items) == count
    assert [json.loads(line) for line in lines] == items


@pytest.mark.parametrize("what", ["orders", "units", "boxes", "events"])
def test_empty_files(sited: Database, what: Exported) -> None:
    assert read(sited, what) == []
    assert json.loads(b"".join(export(sited, what, "json"))) == []
    assert b"".join(export(sited, what, "ndjson")) == b""


@settings(deadline=None)
@given(st.text(max_size=6))
def test_no_text_is_a_formula(text: str) -> None:
    shown = protected(text)
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert shown in (text, "'" + text)
