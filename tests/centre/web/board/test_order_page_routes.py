"""What can be done about an order, and its prints."""

import csv
import io
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from centre.store.order_rows import load_orders
from centre.store.schema import audit
from centre.web.scopes import UserRole
from centre.web.sessions import CSRF_HEADER
from tests.centre.web.board.conftest import Day
from tests.centre.web.board.floor import Floor, imei, line
from tests.centre.web.board.html_checks import Page, page_of
from tests.centre.web.board.working_day import HELD_IMEI
from tests.centre.web.conftest import Centre


def status_of(centre: Centre, order: str) -> str:
    with centre.database.reading() as connection:
        return load_orders(connection, [order])[order].status


@pytest.fixture
def browser(supervisor: TestClient) -> TestClient:
    """The supervisor's browser: it sends no header of its own."""
    del supervisor.headers[CSRF_HEADER]
    return supervisor


def action(page: Page, name: str) -> tuple[str, dict[str, str]]:
    """Return address and fields of the form that does something."""
    form = next(form for form in page.all("form") if form["action"].endswith(name))
    fields = {field["name"]: field["value"] for field in page.all("input") if field.get("type") == "hidden"}
    return form["action"], fields


def test_order_is_cancelled_and_reopened(day: Centre, browser: TestClient) -> None:
    for name, status in (("cancel", "cancelled"), ("reopen", "in_progress")):
        address, fields = action(page_of(browser.get("/orders/SO-1042").text), name)
        response = browser.post(address, data=fields, follow_redirects=False)
        assert (response.status_code, response.headers["location"]) == (303, "/orders/SO-1042")
        assert status_of(day, "SO-1042") == status
    with day.database.reading() as connection:
        rows = connection.execute(audit.select()).all()
    assert [(row.actor, row.action, row.subject) for row in rows[-2:]] == [
        ("user:Robin", "order.cancel", "SO-1042"),
        ("user:Robin", "order.reopen", "SO-1042"),
    ]


def test_packed_order_offers_to_reopen_alone(browser: TestClient) -> None:
    actions = [form["action"] for form in page_of(browser.get("/orders/SO-1020").text).all("form")]
    assert "/orders/SO-1020/reopen" in actions
    assert "/orders/SO-1020/cancel" not in actions


def test_change_without_the_token_is_refused(day: Centre, browser: TestClient) -> None:
    for form in ({}, {"csrf": ""}, {"csrf": "guessed"}):
        response = browser.post("/orders/SO-1042/cancel", data=form)
        assert response.status_code == 403
        page_of(response.text)
    assert status_of(day, "SO-1042") == "in_progress"


def test_page_of_another_site_is_refused(day: Centre, browser: TestClient, template: Day) -> None:
    form = {"csrf": template.session.csrf}
    response = browser.post("/orders/SO-1042/cancel", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert status_of(day, "SO-1042") == "in_progress"


def test_viewers_cannot_change_orders(day: Centre) -> None:
    client = day.signed_in(UserRole.VIEWER)
    page = page_of(client.get("/orders/SO-1042").text)
    assert not [form for form in page.all("form") if form["action"].startswith("/orders/SO")]
    response = client.post("/orders/SO-1042/cancel", data={"csrf": client.headers[CSRF_HEADER]})
    assert response.status_code == 403
    assert "Only supervisors and admins may change orders." in page_of(response.text).text


def test_strangers_cannot_change_orders_even_where_they_may_read(public_day: Centre) -> None:
    response = public_day.client().post("/orders/SO-1042/cancel", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in?next=%2F")
    assert status_of(public_day, "SO-1042") == "in_progress"


def test_order_that_is_not_known_cannot_be_cancelled(browser: TestClient, template: Day) -> None:
    assert browser.post("/orders/SO-9999/cancel", data={"csrf": template.session.csrf}).status_code == 404


def test_order_that_cannot_be_reopened_says_why(floor: Floor, sqlite_centre: Centre) -> None:
    floor.kiosk("dock-1")
    floor.order("SO-1", [line("1", "A", 1)])
    with sqlite_centre.database.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET manifest = NULL, status = 'cancelled'")
    client = sqlite_centre.signed_in(UserRole.SUPERVISOR)
    response = client.post("/orders/SO-1/reopen", data={"csrf": client.headers[CSRF_HEADER]})
    assert response.status_code == 409
    assert "its lines are not known" in page_of(response.text).text


# -- prints ----------------------------------------------------------------------------------------------------------


def test_packing_list_has_every_serial_number_box_by_box(supervisor: TestClient) -> None:
    text = page_of(supervisor.get("/orders/SO-1042/packing-list").text).text
    assert "Not packed yet: this is what is counted so far." in text
    assert "Box 1 of 2 ZL880001 · L (600 × 400 × 300 mm) · 4 pieces" in text
    for number in (900110, 900111, 900112, 900120, 900121):
        assert imei(number) in text
    assert HELD_IMEI in text
    assert "7 pieces in 2 boxes" in text


def test_packing_list_as_csv(supervisor: TestClient) -> None:
    response = supervisor.get("/orders/SO-1042/packing-list?format=csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''packing-list-SO-1042.csv"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == 7
    assert rows[0]["unit"] == HELD_IMEI
    assert rows[0]["label"] == "ZL880001"
    assert (rows[-1]["sku"], rows[-1]["unit"], rows[-1]["quantity"]) == ("CBL-USBC-1M", "", "1")


def test_formulas_in_csv_are_text(floor: Floor, viewer: TestClient) -> None:
    floor.kiosk("dock-1")
    floor.order("=1+1", [line("1", "@SUM(A1)", 1)])
    floor.box("dock-1", "=1+1", [("1", "@SUM(A1)", ["+49"])], label="-1")
    text = viewer.get(f"/orders/{quote('=1+1', safe='')}/packing-list?format=csv").text
    row = list(csv.reader(io.StringIO(text)))[1]
    assert [row[0], row[2], row[7], row[8]] == ["'=1+1", "'-1", "'@SUM(A1)", "'+49"]


def test_ticket_has_barcode_lines_and_quantities(supervisor: TestClient) -> None:
    page = page_of(supervisor.get("/orders/SO-1042/ticket").text)
    barcodes = [drawing for drawing in page.all("svg") if "aria-label" in drawing]
    assert [drawing["aria-label"] for drawing in barcodes] == ["Code 128 barcode of SO-1042"]
    assert "Together 12" in page.text
    assert "Phone 13, 256 GB, green" in page.text


def test_ticket_of_a_closed_order_says_so(supervisor: TestClient) -> None:
    text = page_of(supervisor.get("/orders/SO-0990/ticket").text).text
    assert "This order is cancelled: kiosks do not open it." in text


def test_order_whose_id_has_a_further_word_is_that_order(floor: Floor, viewer: TestClient) -> None:
    floor.order("SO/ticket", [line("1", "A", 3)])
    assert "Lines" in page_of(viewer.get("/orders/SO%2Fticket").text).text
    assert "Together 3" in page_of(viewer.get("/orders/SO%2Fticket/ticket").text).text


def test_history_is_shown_in_pages(floor: Floor, viewer: TestClient) -> None:
    floor.kiosk("dock-1")
    floor.order("SO-1", [line("1", "A", 200)])
    with floor.at_once():
        floor.box("dock-1", "SO-1", [("1", "A", [imei(number) for number in range(120)])])
    seen = 0
    address = "/orders/SO-1"
    while address:
        page = page_of(viewer.get(address).text)
        seen += page.text.count("Counted 3569")
        older = next((link for link in page.links() if "before=" in link), None)
        address = f"/orders/SO-1{older}" if older else ""
    assert seen == 120
