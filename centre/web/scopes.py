"""What a caller may do: the scopes of tokens, the roles of users, and who a caller is."""

from enum import StrEnum

from msgspec import Struct

__all__ = ["Caller", "Scope", "UserRole"]


class Scope(StrEnum):
    """What a token may do. Each scope includes those before it."""

    READ = "read"
    ORDERS = "orders"
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Return whether this scope allows what the other allows."""
        order = list(Scope)
        return order.index(self) >= order.index(other)


class UserRole(StrEnum):
    """What a user may do: a viewer reads, a supervisor works on orders and conflicts, an admin does everything."""

    VIEWER = "viewer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    @property
    def scope(self) -> Scope:
        """The scope of a session of this user."""
        return _SCOPE_OF[self]


_SCOPE_OF = {UserRole.VIEWER: Scope.READ, UserRole.SUPERVISOR: Scope.ORDERS, UserRole.ADMIN: Scope.ADMIN}


class Caller(Struct, frozen=True, kw_only=True):
    """Who makes a request, and what for."""

    actor: str
    """For the audit: `user:NAME` or `token:NAME`."""
    scope: Scope
    key: str
    """By which requests are counted: one for each token and each user."""
    csrf: str | None = None
    """The CSRF token of the session; None for a token."""

    @property
    def user(self) -> str | None:
        """The name of the user who is signed in; None for a token."""
        return self.actor.removeprefix("user:") if self.csrf is not None else None
