"""Files of orders by REST, and what is printed of an order."""

import csv
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from centre.web.body_limits import MAX_IMPORT_BYTES
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre
from tests.centre.web.test_orders import manifest
from tests.centre.web.test_problems import paths_of, problem

URL = "/api/v1/imports/orders"
GOOD = "order,sku,name,quantity,units\nSO-1,P13,Phone,1,490154203237518\nSO/2,P14,Phone,2,\n"


@pytest.fixture
def client(centre: Centre) -> TestClient:
    return centre.client_with_token(Scope.ORDERS)


def test_a_csv_file_is_taken_as_a_whole(client: TestClient) -> None:
    url = f"{URL}?format=csv"
    tried = client.post(f"{url}&dry_run=true", content=GOOD)
    assert tried.json() == {"dry_run": True, "created": ["SO-1", "SO/2"], "updated": [], "unchanged": []}
    problem(client.get("/api/v1/orders/SO-1"), 404)
    done = client.post(url, content=GOOD, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert done.json() == {"dry_run": False, "created": ["SO-1", "SO/2"], "updated": [], "unchanged": []}
    assert client.get("/api/v1/orders/SO%2F2").json()["lines"][0]["ordered"] == 2
    again = client.post(url, content=GOOD.replace("P14,Phone,2", "P14,Phone,3")).json()
    assert (again["created"], again["updated"], again["unchanged"]) == ([], ["SO/2"], ["SO-1"])


def test_a_json_file(client: TestClient) -> None:
    orders = [manifest(order="A"), manifest(order="B", site="rtm1")]
    assert client.post(f"{URL}?format=json", json=orders).json()["created"] == ["A", "B"]
    assert client.get("/api/v1/orders/B").json()["site"] == "rtm1"


def test_every_faulty_row_is_named(client: TestClient) -> None:
    bad = "order,sku,quantity,units\n" + "".join(f"SO-{n},P13,many,3.53911E+14\n" for n in range(1500))
    response = client.post(f"{URL}?format=csv", content=bad)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    errors = response.json()["errors"]
    assert {error["row"] for error in errors} == set(range(2, 1502))
    assert set(errors[0]) == {"row", "column", "expected", "found"}
    assert client.get("/api/v1/orders").json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"\0", b"\xff\xfe\0", b"a,b\n1,2\n", b"[", b"null", b"[" * 10_000, b'"' * 1000, b"order,sku,quantity\n"],
)
def test_files_that_are_none(client: TestClient, body: bytes) -> None:
    for kind in ("csv", "json"):
        response = client.post(f"{URL}?format={kind}", content=body)
        assert response.status_code in (200, 422), response.text
        if response.status_code == 200:
            assert response.json()["created"] == []


def test_what_is_no_request_to_import(centre: Centre, client: TestClient) -> None:
    assert paths_of(problem(client.post(URL, content=GOOD), 422)) == ["format"]
    assert paths_of(problem(client.post(f"{URL}?format=xlsx", content=GOOD), 422)) == ["format"]
    assert paths_of(problem(client.post(f"{URL}?format=csv&dry_run=maybe", content=GOOD), 422)) == ["dry_run"]
    problem(client.post(f"{URL}?format=csv", files={"file": GOOD.encode()}), 415)
    centre.app.state.imports_running = 2
    refused = client.post(f"{URL}?format=csv", content=GOOD)
    problem(refused, 429)
    assert refused.headers["Retry-After"] == "5"
    centre.app.state.imports_running = 0


def test_a_file_may_be_large_and_not_too_large(sqlite_centre: Centre) -> None:
    client = sqlite_centre.client_with_token(Scope.ORDERS)
    units = "".join(f"SO-{n},P13,1,{'x' * 60}{n}\n" for n in range(4000))
    assert len(units) > 256 * 1024
    taken = client.post(f"{URL}?format=csv&dry_run=true", content="order,sku,quantity,name\n" + units)
    assert len(taken.json()["created"]) == 4000

    def endless() -> Iterator[bytes]:
        for _ in range(MAX_IMPORT_BYTES // 1_000_000 + 1):
            yield b"x" * 1_000_000

    problem(client.post(f"{URL}?format=csv", content=endless()), 413)


def test_prints(client: TestClient) -> None:
    client.put("/api/v1/orders/SO%2F1", json=manifest(barcodes=["ORD-1"]))
    page = client.get("/api/v1/orders/SO%2F1/packing-list")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "SO/1" in page.text
    table = client.get("/api/v1/orders/SO%2F1/packing-list?format=csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert next(csv.reader(table.text.splitlines()))[0] == "order"
    ticket = client.get("/api/v1/orders/SO%2F1/ticket")
    assert "P13-128-BLK" in ticket.text
    for print_ in ("packing-list", "packing-list?format=csv", "ticket"):
        problem(client.get(f"/api/v1/orders/none/{print_}"), 404)
    problem(client.get("/api/v1/orders/SO%2F1/packing-list?format=pdf"), 422)
