"""Operators, box sizes, blocked units and dead letters by REST."""

import base64
from typing import Any

import pytest
from starlette.testclient import TestClient

from centre.store.audit_rows import audit_page
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre
from tests.centre.web.stored_events import stored_dead_letter
from tests.centre.web.test_problems import paths_of, problem

OPERATORS = [{"operator": "E7", "name": "Ann", "badges": ["B-1007"], "roles": ["picking"]}, {"operator": "E8"}]
SIZES = [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}]

LISTS: dict[str, tuple[list[Any], list[Any]]] = {
    "/api/v1/operators/main": (
        OPERATORS,
        [{"operator": "E7", "name": "Ann", "roles": ["picking"]}, {"operator": "E8", "name": None, "roles": None}],
    ),
    "/api/v1/box-sizes/main": (SIZES, SIZES),
    "/api/v1/blocked/main/recall-1": (["490154203237518"], ["490154203237518"]),
}


@pytest.fixture
def client(centre: Centre) -> TestClient:
    return centre.client_with_token(Scope.ADMIN)


@pytest.mark.parametrize("url", LISTS)
def test_a_list_is_put_and_read(client: TestClient, url: str) -> None:
    given, shown = LISTS[url]
    assert client.get(url).json() == {"revision": 0, "items": []}
    put = client.put(url, json={"items": given})
    assert (put.status_code, put.json()) == (200, {"revision": 1, "items": shown})
    assert client.put(url, json={"items": given}).json()["revision"] == 1
    assert client.get(url).json() == put.json()
    tag = client.get(url).headers["ETag"]
    assert client.put(url, json={"items": []}, headers={"If-Match": tag}).json() == {"revision": 2, "items": []}
    problem(client.put(url, json={"items": given}, headers={"If-Match": tag}), 412)
    other = url.replace("/main", "/rtm1")
    assert client.get(other).json()["revision"] == 0
    problem(client.get(url.replace("/main", "/nowhere")), 404)
    problem(client.put(url.replace("/main", "/nowhere"), json={"items": given}), 404)


@pytest.mark.parametrize("url", LISTS)
def test_wrong_items_are_named(client: TestClient, url: str) -> None:
    for body, path in {"{}": "items", '{"items": null}': "items", '{"items": {}}': "items"}.items():
        assert paths_of(problem(client.put(url, content=body), 422)) == [path]
    wrong: list[Any] = [None, 1, [], {}, "", "\0", "\x7f", {"operator": "e7"}, {"code": "M", "length_mm": "3"}]
    for item in wrong:
        paths = paths_of(problem(client.put(url, json={"items": [item]}), 422))
        assert all(path.startswith("items") for path in paths), (item, paths)


def test_badges_are_kept_and_never_shown(client: TestClient) -> None:
    url = "/api/v1/operators/main"
    shown = client.put(url, json={"items": OPERATORS}).text
    kept = client.put(url, json={"items": [{"operator": "E7"}]})
    assert kept.json()["items"] == [{"operator": "E7", "name": None, "roles": None}]
    assert "badge" not in shown + kept.text
    problem(client.put(url, json={"items": [], "salt": 5}), 422)


def test_dead_letters_are_listed_and_tried_again(centre: Centre, client: TestClient) -> None:
    with centre.database.writing() as connection:
        for number in range(5):
            stored_dead_letter(connection, b"\xff%d" % number)
    first = client.get("/api/v1/dead-letters?limit=3").json()
    rest = client.get("/api/v1/dead-letters", params={"after": first["next"]}).json()
    letters = [*first["items"], *rest["items"]]
    assert rest["next"] is None
    assert [base64.b64decode(letter["payload"]) for letter in letters] == [b"\xff%d" % n for n in range(5)]
    url = f"/api/v1/dead-letters/{letters[2]['id']}/retry"
    assert client.post(url).json() == {"taken": True}
    centre.ingest.takes = False
    problem(client.post(url), 409)
    problem(client.post("/api/v1/dead-letters/99999/retry"), 404)
    for wrong in ("0", "-1", "x", "9" * 19, "9" * 5000, "1.5"):
        assert paths_of(problem(client.post(f"/api/v1/dead-letters/{wrong}/retry"), 422)) == ["id"]
    with centre.database.reading() as connection:
        assert [row.action for row in audit_page(connection, limit=1)] == ["dead_letter.retry"]
