"""Signing in and out, and the sessions in between. The board's pages and REST share them."""

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct

from centre.centre_errors import DatabaseDown
from centre.moments import Now, moment
from centre.store.account_rows import find_user, take_link
from centre.store.audit_rows import add_audit
from centre.store.database import Database
from centre.store.session_rows import WebSessionRow, add_session, delete_session, find_session, touch_session
from centre.web.accounts import secret_digest
from centre.web.passwords import is_password
from centre.web.scopes import Caller, UserRole
from centre.web.storable import is_storable
from centre.web.throttle import Throttle

__all__ = ["ABSOLUTE", "COOKIE", "CSRF_HEADER", "IDLE", "NewSession", "Sessions", "SignInRefused", "is_csrf_token"]

COOKIE = "kiosk_session"
CSRF_HEADER = "X-CSRF-Token"

IDLE = timedelta(hours=12)
"""A session that nobody has used for this long has ended."""
ABSOLUTE = timedelta(days=7)
"""A session ends after this long in any case."""

_TOUCH_AFTER = timedelta(minutes=1)
"""`used_at` is written no more often than this, so that reading a page seldom writes."""


class NewSession(Struct, frozen=True, kw_only=True):
    """A session that has just begun. Its secret goes into the cookie and is kept nowhere."""

    secret: str
    csrf: str
    user_name: str


class SignInRefused(Struct, frozen=True, kw_only=True):
    """A sign-in that failed."""

    wait_s: float = 0
    """Too many tries: for how long the next ones are refused. 0: name or password are wrong."""


class Sessions:
    """All sessions. Any thread may use it; every method may raise DatabaseDown.

    Tries are counted for each address and for each account that it is tried for. An account that is tried from many
    addresses is slowed down too, far less: else a stranger could lock its user out.
    """

    def __init__(self, database: Database, now: Now, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._now = now
        self._by_address = Throttle(burst=10, interval_s=30, monotonic=monotonic)
        self._by_account = Throttle(burst=20, interval_s=10, monotonic=monotonic)

    # -- signing in and out ------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, address: str) -> NewSession | SignInRefused:
        """Sign a user in by password; `address` is the client's."""
        account = name[:200]
        wait_s = max(self._by_address.take(address), self._by_account.take(account))
        if wait_s:
            return SignInRefused(wait_s=wait_s)
        user = None
        if is_storable(name):
            with self._database.reading() as connection:
                user = find_user(connection, name)
        if not is_password(password, user.password if user else None) or user is None:
            return SignInRefused()
        self._by_address.forget(address)
        self._by_account.forget(account)
        return self._begin(user.name, "password")

    def sign_in_by_link(self, secret: str, address: str) -> NewSession | SignInRefused:
        """Sign a user in by the secret of a sign-in link, which then is used up."""
        if wait_s := self._by_address.take(address):
            return SignInRefused(wait_s=wait_s)
        with self._database.writing() as connection:
            name = take_link(connection, secret_digest(secret), moment(self._now()))
        return SignInRefused() if name is None else self._begin(name, "link")

    def sign_out(self, secret: str) -> None:
        """End the session with this cookie. No-op if there is none."""
        with self._database.writing() as connection:
            delete_session(connection, secret_digest(secret))

    def _begin(self, name: str, by: str) -> NewSession:
        new = NewSession(secret=secrets.token_urlsafe(32), csrf=secrets.token_urlsafe(32), user_name=name)
        now = moment(self._now())
        with self._database.writing() as connection:
            add_session(connection, secret_digest(new.secret), name, new.csrf, now, **self._limits())
            add_audit(connection, now, f"user:{name}", "user.sign_in", name, {"by": by})
        return new

    # -- requests ----------------------------------------------------------------------------------------------------

    def caller(self, secret: str, *, is_use: bool = True) -> Caller | None:
        """Return who is signed in with this cookie; None: nobody, or the session has ended.

        `is_use`: whether a person asks. What a page asks by itself does not keep a session alive.
        """
        with self._database.reading() as connection:
            row = find_session(connection, secret_digest(secret), **self._limits())
        if row is None:
            return None
        if is_use:
            self._touch(row)
        return Caller(
            actor=f"user:{row.user_name}", scope=UserRole(row.role).scope, key=f"user:{row.user_name}", csrf=row.csrf
        )

    def _touch(self, row: WebSessionRow) -> None:
        now = self._now()
        if row.used_at < moment(now - _TOUCH_AFTER):
            # A session that cannot be noted as used can still read.
            with suppress(DatabaseDown), self._database.writing() as connection:
                touch_session(connection, row.digest, moment(now))

    def _limits(self) -> dict[str, str]:
        now = self._now()
        return {"created_after": moment(now - ABSOLUTE), "used_after": moment(now - IDLE)}


def is_csrf_token(caller: Caller, given: str | None) -> bool:
    """Return whether this is the CSRF token of the caller's session."""
    return caller.csrf is not None and given is not None and hmac.compare_digest(
        caller.csrf.encode(), given.encode("utf-8", "surrogatepass")
    )  # fmt: skip
