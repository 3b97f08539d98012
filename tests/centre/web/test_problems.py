"""Every error is a problem document, whatever a stranger sends; none is a 500."""

import asyncio
import json
import logging
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from httpx import Response
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from centre.centre_errors import DatabaseDown
from centre.store.database import Database
from centre.web.body_limits import MAX_BODY_BYTES, MAX_IMPORT_BYTES
from centre.web.problem_details import PROBLEM_TYPE, CatchErrors
from centre.web.scopes import Scope
from tests.centre.web.conftest import Centre
from tests.centre.web.test_access import address, operations


def problem(response: Response, status: int) -> dict[str, object]:
    """Check that a response is a problem document with this status, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == PROBLEM_TYPE
    document: dict[str, object] = response.json()
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    assert document["status"] == status
    assert str(document["type"]).startswith("urn:kiosk-centre:")
    assert document["detail"]
    assert isinstance(document["errors"], list)
    for error in document["errors"]:
        assert set(error) == {"path", "message"}
    return document


def paths_of(document: dict[str, object]) -> list[str]:
    assert isinstance(document["errors"], list)
    return [error["path"] for error in document["errors"]]


@pytest.fixture
def admin(sqlite_centre: Centre) -> TestClient:
    return sqlite_centre.client_with_token(Scope.ADMIN)


def test_nothing_there(admin: TestClient) -> None:
    for path in ("/api/v1/nothing", "/api/v1/orders/", "/api", "/api/v1/orders/x", "/api/v1/boxes/x", "/docs"):
        problem(admin.get(path), 404)


def test_the_wrong_method_names_the_right_ones(admin: TestClient) -> None:
    response = admin.delete("/api/v1/orders/x")
    problem(response, 405)
    assert response.headers["Allow"] == "GET, PUT"


def test_what_is_not_json(admin: TestClient) -> None:
    for body in (
        b"",
        b"{",
        b"[1, 2",
        b"\xff",
        b"nul",
        b'{"a": NaN}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":"\\ud800"}',
    ):
        problem(admin.put("/api/v1/orders/x", content=body), 422)
    problem(admin.put("/api/v1/orders/x", content=b"{}", headers={"Content-Type": "text/plain"}), 415)
    assert paths_of(problem(admin.put("/api/v1/orders/x", json=[1]), 422)) == [""]


def test_json_that_is_called_a_form_is_json(admin: TestClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert paths_of(problem(admin.put("/api/v1/orders/x", content=b"{}", headers=headers), 422)) == ["lines"]
    assert admin.put("/api/v1/blocked/main/a", content=b'{"items": []}', headers=headers).status_code == 200


def test_wrong_fields_are_named(admin: TestClient) -> None:
    line = {"line": "1", "sku": "A", "flow": "used", "serialized": True, "quantity": "3"}
    given = {"type": "normal", "revision": 10**30, "lines": [line, {**line, "line": "2", "quantity": 0}]}
    found = paths_of(problem(admin.put("/api/v1/orders/x", json=given), 422))
    assert set(found) == {"revision", "lines.0.quantity", "lines.1.quantity"}


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\n", "x" * 65, "‮"])
def test_texts_that_no_order_may_have(admin: TestClient, text: str) -> None:
    line = {"line": text, "sku": "A", "flow": "used", "serialized": True, "quantity": 3}
    body = json.dumps({"type": "normal", "lines": [line]}).encode()
    assert admin.put("/api/v1/orders/x", content=body).status_code in (400, 422)
    name = quote(text, safe="", errors="surrogatepass")
    assert admin.put(f"/api/v1/orders/{name}", json={"type": "normal", "lines": []}).status_code in (400, 422)
    assert admin.get(f"/api/v1/orders/{name}").status_code in (400, 404, 422)
    assert admin.get("/api/v1/orders", params={"q": text.encode("utf-8", "replace")}).status_code in (200, 422)


def test_wrong_parameters_are_named(admin: TestClient) -> None:
    for query, path in {
        "limit=0": "limit",
        "limit=1001": "limit",
        "limit=x": "limit",
        f"limit={'9' * 5000}": "limit",
        "limit=1&limit=2": "limit",
        "after=xyz": "after",
        "after=%00": "after",
        f"after={'x' * 5000}": "after",
        "after=WyJldmVudHMiLCA1XQ": "after",  # a cursor of the events
        "changed_after=yesterday": "changed_after",
        f"changed_after={'9' * 19}": "changed_after",
        f"changed_after={'9' * 5000}": "changed_after",
        "changed_after=0001-01-01T00:00:00%2B14:00": "changed_after",
        "status=broken": "status",
        "q=%00": "q",
    }.items():
        assert paths_of(problem(admin.get(f"/api/v1/orders?{query}"), 422)) == [path], query


def test_large_bodies_are_refused_while_they_arrive(sqlite_centre: Centre, admin: TestClient) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        for _ in range(0, size, 65536):
            yield b" " * 65536

    problem(admin.put("/api/v1/orders/x", content=b" " * (MAX_BODY_BYTES + 1)), 413)
    problem(admin.put("/api/v1/orders/x", content=b" " * MAX_BODY_BYTES), 422)
    problem(admin.put("/api/v1/orders/x", content=chunks(MAX_BODY_BYTES + 65536)), 413)
    problem(admin.put("/api/v1/orders/x", headers={"Content-Length": str(MAX_IMPORT_BYTES + 1)}), 413)
    problem(admin.put("/api/v1/orders/x", headers={"Content-Length": "9" * 100}), 413)
    # A stranger's body is not read at all.
    problem(sqlite_centre.client().put("/api/v1/orders/x", content=chunks(MAX_BODY_BYTES + 65536)), 401)


def test_a_database_that_is_down(sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sqlite_centre.client_with_token(Scope.ADMIN)

    def down(_self: Database) -> None:
        raise DatabaseDown("connection refused by secret-host")

    monkeypatch.setattr(Database, "reading", down)
    monkeypatch.setattr(Database, "writing", down)
    for method, path, route in operations(sqlite_centre.app):
        response = client.request(method, address(path), json={})
        if path.startswith("/api/v1") and route.include_in_schema:
            document = problem(response, 503)
            assert "secret-host" not in str(document)
            assert int(response.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, False)


def test_an_unforeseen_error_is_logged_and_says_nothing(
    sqlite_centre: Centre, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_self: Database) -> None:
        raise RuntimeError("the secret is 42")

    client = sqlite_centre.client_with_token(Scope.ADMIN)
    monkeypatch.setattr(Database, "reading", broken)
    with caplog.at_level(logging.ERROR):
        response = client.get("/api/v1/orders")
    assert "42" not in response.text
    problem(response, 500)
    assert "the secret is 42" in caplog.text


def test_nothing_a_stranger_sends_is_a_500(centre: Centre) -> None:
    client = centre.client_with_token(Scope.ADMIN)
    names = ["%00", "%F0%9F%93%A6", "%2F", "..%2F..", "%25", "%ED%A0%80", "%FF", "a" * 5000, "%2e%2e", "9" * 40, "-1"]
    bodies = [b"", b"null", b"[]", b'{"items": null}', b'{"items": [null, 1, "x", [], {}]}', b'{"items": "x"}',
              b'{"a": 1e999}', b'{"items": [{"operator": 1}]}', b'{"lines": {"a": "b"}}']  # fmt: skip
    headers = cycle(
        [
            {},
            {"Content-Type": "application/json", "Accept": "*/*"},
            {"If-Match": '"x", W/"', "Accept": "text/html"},
            {"Cookie": "=;;=", "If-None-Match": "*, *", "Accept": "application/x-ndjson"},
            {"If-Match": "*"},
        ]
    )
    queries = cycle(
        [
            "",
            "?q=%F0%9F%93%A6&site=%FF&status=open",
            "?q=%00",
            "?after=%FF&x=\\",
            "?changed_after=1&limit=1",
            "?order=%2F&type=..&kiosk=%ED%A0%80",
        ]
    )
    statuses = set()
    for method, path, _ in operations(centre.app):
        parts = path.split("/")
        for name in names if "{" in path else names[:1]:
            url = "/".join(name if part.startswith("{") else part for part in parts)
            for body in bodies if method != "GET" else bodies[:4]:
                centre.clock.pass_by(seconds=1)
                response = client.request(method, f"{url}{next(queries)}", content=body, headers=next(headers))
                assert response.status_code < 500, (method, url, body, response.text)
                statuses.add(response.status_code)
                if response.status_code >= 400:
                    problem(response, response.status_code)
    assert statuses >= {200, 400, 404, 412, 422}


def test_every_response_has_the_security_headers(centre: Centre) -> None:
    client = centre.client()
    for path in ("/healthz", "/api/v1/orders", "/nothing", "/%FF"):
        response = client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost:9", 200),
        ("[::1]:8080", 200),
        ("LOCALHOST.", 200),
        ("evil.example", 421),
        ("192.0.2.1", 421),
        ("127.0.0.1.evil.example:80", 421),
        ("[", 421),
    ],
)
def test_a_centre_on_the_loopback_is_addressed_as_such(centre: Centre, host: str, status: int) -> None:
    assert centre.client().get("/healthz", headers={"Host": host}).status_code == status


def test_routes_with_operation_ids(centre: Centre) -> None:
    routes = [route for _, _, route in operations(centre.app) if isinstance(route, APIRoute)]
    assert len({route.unique_id for route in routes}) == len(routes)


def test_a_client_that_leaves_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def leaving(scope: object, receive: object, send: object) -> None:
        raise ClientDisconnect

    async def nothing(*_: object) -> None: ...

    scope = {"type": "http", "method": "POST", "path": "/sign-in"}
    asyncio.run(CatchErrors(leaving)(scope, nothing, nothing))  # type: ignore[arg-type]
    assert caplog.records == []
