"""The feed of events: pages, filters, lines, and where to go on."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre
from tests.centre.web.stored_events import store_events
from tests.centre.web.test_problems import problem

LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture
def client(centre: Centre) -> TestClient:
    return centre.client_with_token(Scope.READ)


def stored(centre: Centre, count: int, **fields: Any) -> list[dict[str, Any]]:
    with centre.database.writing() as connection:
        return store_events(connection, count, **fields)


def test_documents_come_in_the_order_in_which_they_were_stored(centre: Centre, client: TestClient) -> None:
    documents = [*stored(centre, 3), *stored(centre, 2, name="dock-2"), *stored(centre, 2)]
    page = client.get("/api/v1/events").json()
    assert page == {"items": documents, "next": None}


def test_pages_go_on_while_events_come(centre: Centre, client: TestClient) -> None:
    documents = stored(centre, 7)
    seen: list[Any] = []
    after: str | None = None
    for _ in range(20):
        response = client.get("/api/v1/events", params={"limit": 3, **({"after": after} if after else {})})
        seen += response.json()["items"]
        after = response.headers["Resume-After"]
        if response.json()["next"] is None:
            break
        assert response.json()["next"] == after
        if len(documents) < 20:
            documents += stored(centre, 2)
    assert seen == documents
    assert client.get("/api/v1/events", params={"after": after}).json() == {"items": [], "next": None}
    more = stored(centre, 1)
    assert client.get("/api/v1/events", params={"after": after}).json()["items"] == more


def test_events_are_filtered(centre: Centre, client: TestClient) -> None:
    one = stored(centre, 2, order="SO-1")
    two = stored(centre, 2, order="SO/2", type="kiosk.box.created.v1", name="dock-2", site="rtm1")
    three = stored(centre, 1, order=None, type="kiosk.operator.signed_in.v1", name="dock-2")
    for query, expected in {
        "order=SO%2F2": two,
        "type=box.created": two,
        "type=kiosk.box.created.v1": two,
        "kiosk=dock-2": [*two, *three],
        "kiosk=dock-2&site=rtm1": two,
        "site=main": [*one, *three],
        "order=SO-1&limit=1": one[:1],
        "order=SO-1&kiosk=dock-2": [],
        "type=nonsense": [],
    }.items():
        assert client.get(f"/api/v1/events?{query}").json()["items"] == expected, query


def test_lines(centre: Centre, client: TestClient) -> None:
    documents = stored(centre, 250)
    response = client.get("/api/v1/events?limit=240", headers=LINES)
    assert response.headers["Content-Type"].startswith("application/x-ndjson")
    assert response.text.endswith("\n")
    assert [json.loads(line) for line in response.text.splitlines()] == documents[:240]
    rest = client.get("/api/v1/events", params={"after": response.headers["Resume-After"]}, headers=LINES)
    assert [json.loads(line) for line in rest.text.splitlines()] == documents[240:]
    end = client.get("/api/v1/events", params={"after": rest.headers["Resume-After"]}, headers=LINES)
    assert (end.status_code, end.text) == (200, "")
    assert end.headers["Resume-After"] == rest.headers["Resume-After"]


def test_what_is_accepted(client: TestClient) -> None:
    for accept, status in {
        "application/json": 200,
        "text/html, */*;q=0.1": 200,
        "application/*": 200,
        "text/csv": 406,
    }.items():
        response = client.get("/api/v1/events", headers={"Accept": accept})
        assert response.status_code == status, accept
        if status == 406:
            problem(response, 406)
