"""Sessions of people who are signed in. A session is found by the digest of its cookie; the cookie is not stored."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select, update

from centre.store.schema import session, user

__all__ = ["WebSessionRow", "add_session", "delete_session", "delete_sessions_of", "find_session", "touch_session"]


class WebSessionRow(NamedTuple):
    """One session, with the role that its user has now."""

    digest: bytes
    user_name: str
    role: str
    csrf: str
    created_at: str
    used_at: str


def find_session(connection: Connection, digest: bytes, *, created_after: str, used_after: str) -> WebSessionRow | None:
    """Return the session with this digest, unless it is older, or has been idle for longer, than the times given."""
    row = connection.execute(
        select(session.c.digest, session.c.user_name, user.c.role, session.c.csrf, session.c.created_at,
               session.c.used_at)
        .join(user, user.c.name == session.c.user_name)
        .where(session.c.digest == digest, session.c.created_at > created_after, session.c.used_at > used_after)
    ).one_or_none()  # fmt: skip
    return None if row is None else WebSessionRow(*row)


def add_session(
    connection: Connection, digest: bytes, user_name: str, csrf: str, now: str, *, created_after: str, used_after: str
) -> None:
    """Store a new session, and delete those that have ended (see `find_session`)."""
    connection.execute(
        delete(session).where(or_(session.c.created_at <= created_after, session.c.used_at <= used_after))
    )
    connection.execute(
        insert(session).values(digest=digest, user_name=user_name, csrf=csrf, created_at=now, used_at=now)
    )


def touch_session(connection: Connection, digest: bytes, now: str) -> None:
    """Note that a session is in use."""
    connection.execute(update(session).where(session.c.digest == digest).values(used_at=now))


def delete_session(connection: Connection, digest: bytes) -> None:
    """End a session. No-op if there is none."""
    connection.execute(delete(session).where(session.c.digest == digest))


def delete_sessions_of(connection: Connection, user_name: str) -> None:
    """End all sessions of a user."""
    connection.execute(delete(session).where(session.c.user_name == user_name))
