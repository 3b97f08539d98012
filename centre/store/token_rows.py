"""Tokens of programs. A token is found by its digest; the token itself is not stored."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from centre.store.schema import token

__all__ = ["TokenRow", "add_token", "find_token", "revoke_tokens", "tokens", "touch_token"]


class TokenRow(NamedTuple):
    """One token, without its secret."""

    id: int
    name: str
    scope: str
    created_at: str
    used_at: str | None
    revoked_at: str | None


_TOKEN = select(
    token.c.id, token.c.name, token.c.scope, token.c.created_at, token.c.used_at, token.c.revoked_at
)  # fmt: skip


def find_token(connection: Connection, digest: bytes) -> TokenRow | None:
    """Return the token with this digest, unless it is revoked."""
    row = connection.execute(_TOKEN.where(token.c.digest == digest, token.c.revoked_at.is_(None))).one_or_none()
    return None if row is None else TokenRow(*row)


def tokens(connection: Connection) -> list[TokenRow]:
    """Return all tokens, revoked ones too, in the order of their creation."""
    return [TokenRow(*row) for row in connection.execute(_TOKEN.order_by(token.c.id))]


def add_token(connection: Connection, name: str, scope: str, digest: bytes, now: str) -> int:
    """Store a new token, and return its number."""
    statement = insert(token).values(name=name, scope=scope, digest=digest, created_at=now).returning(token.c.id)
    return int(connection.execute(statement).scalar_one())


def revoke_tokens(connection: Connection, name: str, now: str) -> int:
    """Revoke all tokens of this name that are not revoked yet. Return how many."""
    return connection.execute(
        update(token).where(token.c.name == name, token.c.revoked_at.is_(None)).values(revoked_at=now)
    ).rowcount


def touch_token(connection: Connection, token_id: int, now: str) -> None:
    """Note that a token is in use."""
    connection.execute(update(token).where(token.c.id == token_id).values(used_at=now))
