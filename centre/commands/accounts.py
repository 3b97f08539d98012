"""`kiosk-centre user …` and `kiosk-centre token …`: who may use the centre."""

from typing import TextIO

from centre.centre_errors import Refused
from centre.legible import legible
from centre.moments import Now, moment
from centre.store.account_rows import users
from centre.store.database import Database
from centre.store.token_rows import tokens
from centre.web.accounts import add_token, add_user, change_password, remove_user, revoke_token
from centre.web.passwords import MAX_PASSWORD_BYTES
from centre.web.scopes import Scope, UserRole

__all__ = [
    "list_tokens",
    "list_users",
    "new_token",
    "new_user",
    "read_password",
    "replace_password",
    "revoke",
    "without_user",
]

ACTOR = "command"


def read_password(stream: TextIO) -> str:
    """Return the first line of standard input. Raises Refused if there is none."""
    line = stream.readline(MAX_PASSWORD_BYTES + 2)
    password = line.removesuffix("\n").removesuffix("\r")
    if not password:
        raise Refused("no password: it is the first line of standard input")
    return password


def new_user(database: Database, name: str, role: UserRole, password: str, *, now: Now) -> int:
    """Add a user. Raises Refused."""
    with database.writing() as connection:
        add_user(connection, name, role, password, actor=ACTOR, now=moment(now()))
    return 0


def replace_password(database: Database, name: str, password: str, *, now: Now) -> int:
    """Give a user another password; the user's sessions end. Raises Refused."""
    with database.writing() as connection:
        change_password(connection, name, password, actor=ACTOR, now=moment(now()))
    return 0


def without_user(database: Database, name: str, *, now: Now) -> int:
    """Remove a user. Raises Refused."""
    with database.writing() as connection:
        remove_user(connection, name, actor=ACTOR, now=moment(now()))
    return 0


def list_users(database: Database, out: TextIO) -> int:
    """Write a line for each user."""
    with database.reading() as connection:
        for row in users(connection):
            out.write(f"{row.role:<10}  {row.created_at}  {legible(row.name)}\n")
    return 0


def new_token(database: Database, name: str, scope: Scope, out: TextIO, *, now: Now) -> int:
    """Make a token, and write it alone: it is shown once. Raises Refused."""
    with database.writing() as connection:
        secret = add_token(connection, name, scope, actor=ACTOR, now=moment(now()))
    out.write(f"{secret}\n")
    return 0


def list_tokens(database: Database, out: TextIO) -> int:
    """Write a line for each token: scope, when it was made, when it was last used, its name."""
    with database.reading() as connection:
        for row in tokens(connection):
            used = "revoked" if row.revoked_at is not None else row.used_at or "never used"
            out.write(f"{row.scope:<6}  {row.created_at}  {used:<24}  {legible(row.name)}\n")
    return 0


def revoke(database: Database, name: str, out: TextIO, *, now: Now) -> int:
    """Revoke all tokens of a name. Raises Refused if there is none."""
    with database.writing() as connection:
        count = revoke_token(connection, name, actor=ACTOR, now=moment(now()))
    out.write(f"revoked {count} token{'s' if count != 1 else ''}\n")
    return 0
