"""Where is this phone: the answers of one day and the next."""

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from agent.contract.manifest import unit_key
from centre.store.schema import piece, unit_mark
from centre.web.board.finding import Found, find
from centre.web.board.naming import Naming
from tests.centre.web.board.floor import Floor, imei, line
from tests.centre.web.board.html_checks import page_of
from tests.centre.web.conftest import Centre

PHONE = imei(1)


@pytest.fixture
def counted(floor: Floor) -> Floor:
    """A floor on which one phone is counted."""
    floor.kiosk("dock-1")
    floor.order("SO-1", [line("1", "A", 2)])
    floor.box("dock-1", "SO-1", [("1", "A", [(PHONE, imei(2))])], state="open", ago_s=100, operator="E1")
    return floor


def found(floor: Floor, text: str) -> Found:
    with floor.database.reading() as connection:
        return find(connection, text, Naming(operators={("rtm1", "E1"): "Noor"}))


def test_counted_phone(counted: Floor) -> None:
    (unit,) = found(counted, imei(2)).units
    assert (unit.id, unit.aliases, unit.state, unit.order, unit.operator) == (
        PHONE, [imei(2)], "counted", "SO-1", "Noor",
    )  # fmt: skip
    assert unit.sentence == (
        "It is in box 3F0C9A1B000001 of order SO-1, at dock-1. That order is not packed yet."
    )  # fmt: skip


def test_phone_that_was_taken_out(counted: Floor) -> None:
    with counted.database.writing() as connection:
        connection.execute(piece.delete())
    data = {"sequence": "1", "order": "SO-1", "unit": {"scheme": "imei", "id": PHONE, "aliases": []}, "quantity": 1}
    counted.event("dock-1", "scan.voided", data, ago_s=10)
    (unit,) = found(counted, PHONE).units
    assert (unit.state, unit.box) == ("voided", None)
    assert unit.sentence == "It is in no box. It was taken out of order SO-1, at dock-1: look for it there."
    assert [entry.title for entry in unit.story] == ["Taken out", "Counted"]


def test_phone_that_came_back(counted: Floor) -> None:
    with counted.database.writing() as connection:
        mark = {"key": unit_key(PHONE), "mark": "returned", "at": "2026-11-22T11:59:00.000Z", "by": "user:Robin"}
        connection.execute(insert(unit_mark).values(position=99, **mark))
    (unit,) = found(counted, PHONE).units
    assert (unit.state, unit.sentence) == ("returned", "It came back, and may be sold again.")


def test_serial_number_in_other_case_and_with_its_data_identifier(floor: Floor) -> None:
    floor.kiosk("dock-1")
    floor.order("SO-1", [line("1", "A", 2)])
    floor.box("dock-1", "SO-1", [("1", "A", ["R58N123abc"])])
    for text in ("R58N123ABC", "r58n123abc", "SR58N123ABC"):
        (unit,) = found(floor, text).units
        assert unit.id == "R58N123abc"


def test_label_on_several_boxes_finds_them_all(floor: Floor) -> None:
    floor.kiosk("dock-1")
    for order in ("SO-1", "SO-2"):
        floor.order(order, [line("1", "A", 2)])
        floor.box("dock-1", order, [("1", "A", [2])], label="L-1")
    assert [box.order for box in found(floor, "L-1").boxes] == ["SO-2", "SO-1"]


def test_short_text_finds_an_order_by_its_whole_id_alone(floor: Floor) -> None:
    for order in ("7", "17", "SO-7"):
        floor.order(order, [line("1", "A", 2)])
    assert [order.order for order in found(floor, "7").orders] == ["7"]
    assert found(floor, "7").only_order("7") == "7"


def test_text_that_names_an_order_and_a_label_shows_both(floor: Floor, viewer: TestClient) -> None:
    floor.kiosk("dock-1")
    floor.order("SAME", [line("1", "A", 2)])
    floor.box("dock-1", "SAME", [("1", "A", [2])], label="SAME")
    page = page_of(viewer.get("/find?q=SAME", follow_redirects=False).text)
    assert "Box 3F0C9A1B000001" in page.text
    assert "/orders/SAME" in page.links()


def test_nothing(sqlite_centre: Centre) -> None:
    with sqlite_centre.database.reading() as connection:
        assert not find(connection, "nothing", Naming()).any
