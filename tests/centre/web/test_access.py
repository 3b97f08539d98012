"""Every route for every kind of caller: allowed, or the right refusal. A route that is new is tested at once."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from centre.web.openapi_document import needs_of
from centre.web.scopes import Scope, UserRole
from centre.web.sessions import COOKIE
from tests.centre.web.conftest import Centre

OPEN_TO_ALL = {"/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"}

CALLERS: dict[str, tuple[Callable[[Centre], TestClient], Scope | None]] = {
    "nobody": (lambda centre: centre.client(), None),
    "a wrong token": (lambda centre: centre.client({"Authorization": "Bearer kct_wrong"}), None),
    "another kind of credentials": (lambda centre: centre.client({"Authorization": "Basic YWRtaW46YWRtaW4="}), None),
    "a wrong cookie": (lambda centre: _with_cookie(centre.client()), None),
    "a read token": (lambda centre: centre.client_with_token(Scope.READ), Scope.READ),
    "an orders token": (lambda centre: centre.client_with_token(Scope.ORDERS), Scope.ORDERS),
    "an admin token": (lambda centre: centre.client_with_token(Scope.ADMIN), Scope.ADMIN),
    "a viewer": (lambda centre: centre.signed_in(UserRole.VIEWER), Scope.READ),
    "a supervisor": (lambda centre: centre.signed_in(UserRole.SUPERVISOR), Scope.ORDERS),
    "an admin": (lambda centre: centre.signed_in(UserRole.ADMIN), Scope.ADMIN),
    "an admin without CSRF token": (lambda centre: centre.signed_in(UserRole.ADMIN, csrf=False), Scope.ADMIN),
}


def _with_cookie(client: TestClient) -> TestClient:
    client.cookies.set(COOKIE, "wrong")
    return client


def operations(app: FastAPI) -> list[tuple[str, str, APIRoute]]:
    """Return method, path and route of everything that the app serves under `/api` and as probes."""
    found = []
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is not walked through"
        if route.path.startswith("/api/") or route.path in OPEN_TO_ALL:
            found += [(method, route.path_format, route) for method in sorted(route.methods or ())]
    return found


def address(path: str) -> str:
    """Return a path with something in place of its parameters."""
    for name in ("order", "identifier", "box", "site", "kiosk", "part", "id"):
        path = path.replace("{" + name + "}", "1")
    assert "{" not in path, path
    return path


def expected(path: str, method: str, route: APIRoute, caller: str) -> set[int] | None:
    """Return the statuses that a caller may get; None: any but a refusal."""
    needed, has = needs_of(route), CALLERS[caller][1]
    if path in OPEN_TO_ALL:
        assert needed is None
        return None
    assert needed is not None, f"{method} {path} is open to everybody"
    if has is None:
        return {401}
    if caller == "an admin without CSRF token" and method != "GET":
        return {403}
    return None if has.includes(needed) else {403}


@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_lets_in_whom_it_should(sqlite_centre: Centre, caller: str) -> None:
    centre = sqlite_centre
    client = CALLERS[caller][0](centre)
    seen = operations(centre.app)
    assert len(seen) >= 15
    wrong = []
    for method, path, route in seen:
        statuses = expected(path, method, route, caller)
        response = client.request(method, address(path), json={} if method == "PUT" else None)
        refused = response.status_code in (401, 403) or response.status_code >= 500
        if response.status_code not in statuses if statuses else refused:
            wrong.append(f"{method} {path}: {response.status_code} {response.text[:100]}, expected {statuses}")
        if response.status_code == 401:
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert not wrong, "\n".join(wrong)


STRANGERS_PAGES = {"/sign-in", "/sign-in/{link}", "/sign-out", "/static/{path}"}
"""The pages that need no sign-in."""


def pages(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path of every page of the board."""
    rest = {route.unique_id for _, _, route in operations(app)}
    return [
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, APIRoute) and route.unique_id not in rest
        for method in sorted(route.methods or ())
    ]


@pytest.mark.parametrize("caller", ["nobody", "a wrong token", "a wrong cookie"])
def test_no_page_shows_or_does_anything_for_strangers(sqlite_centre: Centre, caller: str) -> None:
    client = CALLERS[caller][0](sqlite_centre)
    seen = pages(sqlite_centre.app)
    assert len(seen) >= 10
    for method, path in seen:
        if path in STRANGERS_PAGES:
            continue
        response = client.request(method, address(path), follow_redirects=False)
        assert response.status_code in (303, 401), (method, path, response.text[:200])
        assert "sign-in" in response.headers.get("Location", "sign-in"), (method, path)


@pytest.mark.parametrize("role", [UserRole.VIEWER, UserRole.ADMIN])
def test_no_page_changes_anything_without_the_csrf_token(sqlite_centre: Centre, role: UserRole) -> None:
    client = sqlite_centre.signed_in(role, csrf=False)
    changing = [(method, path) for method, path in pages(sqlite_centre.app) if method not in ("GET", "HEAD")]
    for method, path in changing:
        if path in STRANGERS_PAGES - {"/sign-out"}:
            continue
        for form in ({}, {"csrf": "wrong"}):
            response = client.request(method, address(path), data=form, follow_redirects=False)
            assert response.status_code == 403, (method, path, response.text[:200])


def test_a_token_that_is_revoked_or_a_session_that_ended_is_refused(sqlite_centre: Centre) -> None:
    from centre.web.accounts import revoke_token

    centre = sqlite_centre
    client = centre.client_with_token(Scope.READ)
    assert client.get("/api/v1/orders").status_code == 200
    with centre.database.writing() as connection:
        revoke_token(connection, "a read token", actor="command", now="2026-11-22T12:00:00.000Z")
    assert client.get("/api/v1/orders").status_code == 401


def test_a_token_comes_before_a_cookie(sqlite_centre: Centre) -> None:
    client = sqlite_centre.signed_in(UserRole.ADMIN)
    assert client.get("/api/v1/orders").status_code == 200
    assert client.get("/api/v1/orders", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_request_from_another_site_is_refused(sqlite_centre: Centre) -> None:
    client = sqlite_centre.signed_in(UserRole.ADMIN)
    for site, status in {"cross-site": 403, "same-site": 403, "same-origin": 404, "none": 404}.items():
        response = client.post("/api/v1/orders/x/cancel", headers={"Sec-Fetch-Site": site})
        assert response.status_code == status, site


def test_requests_are_limited_for_each_token(sqlite_centre: Centre) -> None:
    centre = sqlite_centre
    one, other = centre.client_with_token(Scope.READ), centre.client_with_token(Scope.READ)
    key = next(iter(_keys_after(centre, one)))
    throttle = centre.app.state.access.requests
    while not throttle.take(key):
        pass
    refused = one.get("/api/v1/orders")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert other.get("/api/v1/orders").status_code == 200
    centre.clock.pass_by(seconds=1)
    assert one.get("/api/v1/orders").status_code == 200


def _keys_after(centre: Centre, client: TestClient) -> list[str]:
    assert client.get("/api/v1/orders").status_code == 200
    return list(centre.app.state.access.requests._buckets)
