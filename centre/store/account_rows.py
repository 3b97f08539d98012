"""Users and the links by which they sign in once without a password."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from centre.store.schema import sign_in_link, user

__all__ = [
    "UserRow",
    "add_link",
    "add_user",
    "delete_user",
    "find_user",
    "set_password",
    "set_role",
    "take_link",
    "user_count",
    "users",
]


class UserRow(NamedTuple):
    """One person who may sign in."""

    name: str
    role: str
    password: str
    """The argon2id hash."""
    created_at: str


_USER = select(user.c.name, user.c.role, user.c.password, user.c.created_at)


def find_user(connection: Connection, name: str) -> UserRow | None:
    """Return the user with exactly this name."""
    row = connection.execute(_USER.where(user.c.name == name)).one_or_none()
    return None if row is None else UserRow(*row)


def users(connection: Connection) -> list[UserRow]:
    """Return all users by name."""
    return [UserRow(*row) for row in connection.execute(_USER.order_by(user.c.name))]


def user_count(connection: Connection, role: str | None = None) -> int:
    """Return how many users there are, or how many have a role."""
    statement = select(func.count()).select_from(user)
    if role is not None:
        statement = statement.where(user.c.role == role)
    return connection.execute(statement).scalar_one()


def add_user(connection: Connection, row: UserRow) -> None:
    """Store a new user. The name must be free."""
    connection.execute(insert(user).values(row._asdict()))


def set_password(connection: Connection, name: str, password: str) -> None:
    """Replace the hash of a user's password."""
    connection.execute(update(user).where(user.c.name == name).values(password=password))


def set_role(connection: Connection, name: str, role: str) -> None:
    """Replace a user's role. It counts from the next request on."""
    connection.execute(update(user).where(user.c.name == name).values(role=role))


def delete_user(connection: Connection, name: str) -> bool:
    """Delete a user with all sessions and links. Return whether there was one."""
    return connection.execute(delete(user).where(user.c.name == name)).rowcount > 0


def add_link(connection: Connection, digest: bytes, user_name: str, expires_at: str) -> None:
    """Store a sign-in link by the digest of its secret."""
    connection.execute(insert(sign_in_link).values(digest=digest, user_name=user_name, expires_at=expires_at))


def take_link(connection: Connection, digest: bytes, now: str) -> str | None:
    """Delete a sign-in link, and return its user; None if there is none or it has expired.

    Of two requests with one link only one gets the user.
    """
    connection.execute(delete(sign_in_link).where(sign_in_link.c.expires_at <= now))
    found = connection.execute(
        delete(sign_in_link).where(sign_in_link.c.digest == digest).returning(sign_in_link.c.user_name)
    ).one_or_none()
    return None if found is None else str(found.user_name)
