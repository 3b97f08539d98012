"""Importing a file of orders on the board, with a preview."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from centre.store.order_rows import load_orders
from centre.web.scopes import UserRole
from centre.web.sessions import CSRF_HEADER
from tests.centre.web.board.floor import Floor
from tests.centre.web.board.html_checks import page_of
from tests.centre.web.conftest import Centre

CSV = b"order,sku,quantity,flow\nSO-1,P13-128-BLK,2,pos\nSO-2,P13-256-GRN,1,pos\n"


@pytest.fixture
def browser(sqlite_centre: Centre, floor: Floor) -> TestClient:
    """A supervisor's browser, at a centre with a site."""
    return sqlite_centre.signed_in(UserRole.SUPERVISOR)


def send(client: TestClient, data: bytes, do: str, *, name: str = "orders.csv", csrf: str | None = None) -> Any:
    token = client.headers[CSRF_HEADER] if csrf is None else csrf
    return client.post("/import/orders", data={"csrf": token, "do": do}, files={"file": (name, data)})


def known(centre: Centre) -> list[str]:
    with centre.database.reading() as connection:
        return sorted(load_orders(connection, ["SO-1", "SO-2"]))


def test_preview_changes_nothing(sqlite_centre: Centre, browser: TestClient) -> None:
    assert "/import/orders" in page_of(browser.get("/orders").text).links()
    page_of(browser.get("/import/orders").text)
    text = page_of(send(browser, CSV, "preview").text).text
    assert "Preview: nothing has changed yet 2 new SO-1 SO-2 0 changed 0 as before" in text
    assert known(sqlite_centre) == []


def test_import_takes_the_orders(sqlite_centre: Centre, browser: TestClient) -> None:
    page = page_of(send(browser, CSV, "import").text)
    assert "Imported 2 new SO-1 SO-2" in page.text
    assert "/orders/SO-1" in page.links()
    assert known(sqlite_centre) == ["SO-1", "SO-2"]
    assert "0 new 0 changed 2 as before" in page_of(send(browser, CSV, "import").text).text


def test_every_fault_is_named_and_nothing_is_taken(sqlite_centre: Centre, browser: TestClient) -> None:
    bad = b"order,sku,quantity,flow\nSO-1,A,2,pos\nSO-2,<script>,many,pos\n,A,1,pos\n"
    response = send(browser, bad, "import")
    assert response.status_code == 422
    text = page_of(response.text).text
    assert "Nothing was taken: the file has" in text
    assert "many" in text
    assert known(sqlite_centre) == []


def test_json_is_known_by_its_name(sqlite_centre: Centre, browser: TestClient) -> None:
    line = '{"line": "1", "sku": "A", "flow": "pos", "serialized": false, "quantity": 1}'
    data = f'[{{"order": "SO-1", "type": "normal", "status": "open", "lines": [{line}]}}]'.encode()
    assert "Imported 1 new" in page_of(send(browser, data, "import", name="orders.JSON").text).text


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"PK\x03\x04", b"order;sku\n", b"\0" * 100])
def test_strange_files_are_refused_in_words(browser: TestClient, data: bytes) -> None:
    response = send(browser, data, "preview")
    assert response.status_code == 422
    page_of(response.text)


def test_no_file(browser: TestClient) -> None:
    response = browser.post("/import/orders", data={"csrf": browser.headers[CSRF_HEADER], "do": "import"})
    assert response.status_code == 400
    assert "Choose a file first." in page_of(response.text).text


def test_token_is_needed(sqlite_centre: Centre, browser: TestClient) -> None:
    assert send(browser, CSV, "import", csrf="guessed").status_code == 403
    assert known(sqlite_centre) == []


def test_viewers_and_strangers_cannot_import(sqlite_centre: Centre, viewer: TestClient) -> None:
    assert viewer.get("/import/orders").status_code == 403
    assert send(viewer, CSV, "import").status_code == 403
    assert sqlite_centre.client().get("/import/orders", follow_redirects=False).status_code == 303
    stranger = sqlite_centre.client().post("/import/orders", files={"file": ("a.csv", CSV)}, follow_redirects=False)
    assert stranger.status_code == 303
    assert known(sqlite_centre) == []


def test_order_called_import_has_its_page(floor: Floor, viewer: TestClient) -> None:
    floor.order("import", [{"line": "1", "sku": "A", "quantity": 1, "flow": "pos", "serialized": False}])
    assert "Lines" in page_of(viewer.get("/orders/import").text).text
