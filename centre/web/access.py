"""Who may do what: the dependency that every route of REST has, and what the board's pages need for theirs.

A request shows a token (`Authorization: Bearer …`) or a session's cookie. A session's unsafe requests also need its
CSRF token. A token's and a user's requests are counted.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request, Response

from centre.centre_errors import DatabaseDown
from centre.moments import Now, moment
from centre.store.database import Database
from centre.store.token_rows import find_token, touch_token
from centre.web.accounts import secret_digest
from centre.web.plain_requests import check_parameters
from centre.web.problem_details import Problem, retry_after
from centre.web.scopes import Caller, Scope
from centre.web.services import Services
from centre.web.sessions import COOKIE, CSRF_HEADER, NewSession, Sessions, is_csrf_token
from centre.web.throttle import Throttle

__all__ = [
    "Access",
    "AccessOf",
    "Administrator",
    "Needs",
    "OrderWriter",
    "Reader",
    "ServicesOf",
    "address_of",
    "clear_cookie",
    "services_of",
    "set_cookie",
]

LIVE_PATH = "/live"
"""Where the board's pages learn that something has changed."""

REQUESTS_AT_ONCE = 400
REQUESTS_PER_S = 200
_TOUCH_AFTER = timedelta(minutes=5)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """Tokens, sessions and the counting of requests. One for each app, in `app.state.access`. Any thread may use it."""

    def __init__(self, database: Database, now: Now, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self.sessions = Sessions(database, now, monotonic)
        self.requests = Throttle(burst=REQUESTS_AT_ONCE, interval_s=1 / REQUESTS_PER_S, monotonic=monotonic)

    def caller(self, request: Request) -> Caller | None:
        """Return who makes a request; None: it shows neither token nor cookie, or they are not valid (any longer).

        A token comes before a cookie. Raise DatabaseDown.
        """
        authorization = request.headers.get("authorization")
        if authorization is not None:
            kind, _, secret = authorization.partition(" ")
            return self._caller_of_token(secret.strip()) if kind.lower() == "bearer" else None
        cookie = request.cookies.get(COOKIE)
        return None if cookie is None else self.sessions.caller(cookie, is_use=not _is_automatic(request))

    def _caller_of_token(self, secret: str) -> Caller | None:
        with self._database.reading() as connection:
            row = find_token(connection, secret_digest(secret))
        if row is None:
            return None
        now = self._now()
        if row.used_at is None or row.used_at < moment(now - _TOUCH_AFTER):
            with suppress(DatabaseDown), self._database.writing() as connection:
                touch_token(connection, row.id, moment(now))
        return Caller(actor=f"token:{row.name}", scope=Scope(row.scope), key=f"token:{row.id}")

    def refuse_forged(self, request: Request, caller: Caller, csrf: str | None) -> None:
        """Raise Problem for an unsafe request of a session without its CSRF token, or from a page of another site."""
        if caller.csrf is None or request.method in _SAFE:
            return
        refuse_cross_site(request)
        if not is_csrf_token(caller, csrf):
            raise Problem(403, f"The header {CSRF_HEADER} does not have this session's token. Load the page again.")


def _is_automatic(request: Request) -> bool:
    """Return whether a page that is left open asks for what has changed, and not a person."""
    return "hx-request" in request.headers or request.url.path == LIVE_PATH


def refuse_cross_site(request: Request) -> None:
    """Raise Problem if the browser says that a page of another site made the request."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Problem(403, "The request comes from a page of another site.")


# -- dependencies ----------------------------------------------------------------------------------------------------


def services_of(request: Request) -> Services:
    """Return what the app works with."""
    services: Services = request.app.state.services
    return services


def access_of(request: Request) -> Access:
    """Return the app's `Access`."""
    access: Access = request.app.state.access
    return access


ServicesOf = Annotated[Services, Depends(services_of)]
AccessOf = Annotated[Access, Depends(access_of)]


class Needs:
    """Dependency of a REST route: the caller has the scope, and the parameters are plain. Else 401, 403, 422 or 429."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: Request, access: AccessOf) -> Caller:
        caller = access.caller(request)
        if caller is None:
            raise _not_signed_in(request)
        access.refuse_forged(request, caller, request.headers.get(CSRF_HEADER))
        if wait_s := access.requests.take(caller.key):
            raise Problem(429, f"More than {REQUESTS_PER_S} requests a second.", headers=retry_after(wait_s))
        if not caller.scope.includes(self.scope):
            header = f'Bearer error="insufficient_scope", scope="{self.scope}"'
            raise Problem(
                403, f"This needs the scope {self.scope!s}; yours is {caller.scope!s}.",
                headers={"WWW-Authenticate": header},
            )  # fmt: skip
        check_parameters(request)
        return caller


Reader = Annotated[Caller, Depends(Needs(Scope.READ))]
OrderWriter = Annotated[Caller, Depends(Needs(Scope.ORDERS))]
Administrator = Annotated[Caller, Depends(Needs(Scope.ADMIN))]


def _not_signed_in(request: Request) -> Problem:
    if "authorization" in request.headers:
        challenge = 'Bearer realm="kiosk-centre", error="invalid_token"'
        return Problem(401, "The token is not known, or was revoked.", headers={"WWW-Authenticate": challenge})
    return Problem(
        401, "Sign in, or send a token: Authorization: Bearer …",
        headers={"WWW-Authenticate": 'Bearer realm="kiosk-centre"'},
    )  # fmt: skip


# -- for the board ---------------------------------------------------------------------------------------------------


def address_of(request: Request) -> str:
    """Return the client's address, by which sign-ins are counted. An IPv6 client owns a whole /64.

    Behind a proxy it is the address that the proxy itself has added last: those before it are the client's claims.
    """
    host = request.client.host if request.client else ""
    if services_of(request).settings.web.behind_proxy:
        host = request.headers.get("x-forwarded-for", host).rpartition(",")[2].strip()
    return ":".join(host.split(":")[:4]) if host.count(":") > 1 and not host.startswith("::") else host


def set_cookie(response: Response, new: NewSession, services: Services) -> None:
    """Give the browser the cookie of a session that has begun."""
    response.set_cookie(
        COOKIE, new.secret, httponly=True, samesite="lax", secure=services.settings.web.is_secure, path="/"
    )  # fmt: skip


def clear_cookie(response: Response, services: Services) -> None:
    """Take the cookie of a session that has ended from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=services.settings.web.is_secure, path="/")
