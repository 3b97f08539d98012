"""Users, tokens and sign-in links: what an administrator does with them, by the command line or the board.

Each function works within the caller's transaction, and writes the audit row. `now` is the text of a moment.
"""

import hashlib
import secrets
from typing import NamedTuple

from sqlalchemy import Connection

from centre.centre_errors import Refused
from centre.moments import later
from centre.store.account_rows import (
    UserRow,
    add_link,
    delete_user,
    find_user,
    set_password,
    set_role,
    user_count,
)
from centre.store.account_rows import add_user as add_user_row
from centre.store.audit_rows import add_audit
from centre.store.session_rows import delete_sessions_of
from centre.store.token_rows import add_token as add_token_row
from centre.store.token_rows import revoke_tokens
from centre.web.passwords import MAX_PASSWORD_BYTES, hash_password
from centre.web.scopes import Scope, UserRole

__all__ = [
    "MIN_PASSWORD_CHARACTERS",
    "FirstAccount",
    "add_token",
    "add_user",
    "change_password",
    "change_role",
    "first_account",
    "make_sign_in_link",
    "remove_user",
    "revoke_token",
    "secret_digest",
]

MIN_PASSWORD_CHARACTERS = 8
MAX_NAME_CHARACTERS = 64
LINK_HOURS = 24


def secret_digest(secret: str) -> bytes:
    """Return the form in which cookies, tokens and links are stored. They are random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _check_name(name: str, what: str) -> None:
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise Refused(f"The name of a {what} is printable text of at most {MAX_NAME_CHARACTERS} characters.")


def _check_password(password: str) -> None:
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise Refused(f"A password has at least {MIN_PASSWORD_CHARACTERS} characters.")
    if len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES:
        raise Refused(f"A password has at most {MAX_PASSWORD_BYTES} bytes.")
    if not password.isprintable():
        raise Refused("A password has printable characters only.")


def _existing(connection: Connection, name: str) -> UserRow:
    row = find_user(connection, name)
    if row is None:
        raise Refused(f"There is no user {name!r}.")
    return row


def _refuse_without_admin(connection: Connection, row: UserRow) -> None:
    if row.role == UserRole.ADMIN and user_count(connection, UserRole.ADMIN) == 1:
        raise Refused(f"{row.name!r} is the only admin. Make another user admin first.")


def add_user(connection: Connection, name: str, role: UserRole, password: str, *, actor: str, now: str) -> None:
    """Add a user. Raise Refused if the name is taken, or name or password do not do."""
    _check_name(name, "user")
    _check_password(password)
    if find_user(connection, name) is not None:
        raise Refused(f"There is a user {name!r} already.")
    add_user_row(connection, UserRow(name, role, hash_password(password), now))
    add_audit(connection, now, actor, "user.add", name, {"role": role})


def change_password(connection: Connection, name: str, password: str, *, actor: str, now: str) -> None:
    """Give a user another password, and end all the user's sessions. Raise Refused."""
    _existing(connection, name)
    _check_password(password)
    set_password(connection, name, hash_password(password))
    delete_sessions_of(connection, name)
    add_audit(connection, now, actor, "user.password", name)


def change_role(connection: Connection, name: str, role: UserRole, *, actor: str, now: str) -> None:
    """Give a user another role. Raise Refused, also for the only admin."""
    row = _existing(connection, name)
    if role is not UserRole.ADMIN:
        _refuse_without_admin(connection, row)
    set_role(connection, name, role)
    add_audit(connection, now, actor, "user.role", name, {"role": role, "before": row.role})


def remove_user(connection: Connection, name: str, *, actor: str, now: str) -> None:
    """Remove a user with all sessions. Raise Refused, also for the only admin."""
    _refuse_without_admin(connection, _existing(connection, name))
    delete_user(connection, name)
    add_audit(connection, now, actor, "user.remove", name)


def add_token(connection: Connection, name: str, scope: Scope, *, actor: str, now: str) -> str:
    """Make a token, and return its secret, which is stored nowhere. Raise Refused. Several may have one name."""
    _check_name(name, "token")
    secret = "kct_" + secrets.token_urlsafe(32)
    add_token_row(connection, name, scope, secret_digest(secret), now)
    add_audit(connection, now, actor, "token.add", name, {"scope": scope})
    return secret


def revoke_token(connection: Connection, name: str, *, actor: str, now: str) -> int:
    """Revoke all tokens of a name, and return how many. Raise Refused if there is none."""
    count = revoke_tokens(connection, name, now)
    if not count:
        raise Refused(f"There is no token {name!r} that is not revoked.")
    add_audit(connection, now, actor, "token.revoke", name, {"count": count})
    return count


def make_sign_in_link(connection: Connection, name: str, *, actor: str, now: str) -> str:
    """Return the path of a link that signs a user in, once, within a day. Raise Refused."""
    _existing(connection, name)
    secret = secrets.token_urlsafe(32)
    add_link(connection, secret_digest(secret), name, later(now, hours=LINK_HOURS))
    add_audit(connection, now, actor, "user.link", name)
    return f"/sign-in/{secret}"


class FirstAccount(NamedTuple):
    """The account that is made at the first start."""

    name: str
    password: str
    link: str
    """The path of the sign-in link."""


def first_account(connection: Connection, *, now: str) -> FirstAccount | None:
    """Make the user `admin` with a random password and a sign-in link, if nobody can administer the centre yet."""
    if user_count(connection, UserRole.ADMIN) or find_user(connection, "admin") is not None:
        return None
    password = secrets.token_urlsafe(12)
    add_user(connection, "admin", UserRole.ADMIN, password, actor="command", now=now)
    return FirstAccount("admin", password, make_sign_in_link(connection, "admin", actor="command", now=now))
