"""Who may work at the kiosk: operators, their badges and the roles they may take."""

import hashlib
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from agent.contract.manifest import Role, same_case

__all__ = ["Operator", "Operators", "badge_key"]


def badge_key(code: str, salt: str | None) -> str:
    """The form in which badges are compared: without a salt the code without case, with one its salted hash.

    The hash is the lower-case hex SHA-256 of the salt and the code in upper case, in UTF-8.
    """
    if salt is None:
        return same_case(code)
    return hashlib.sha256((salt + code.upper()).encode("utf-8", "replace")).hexdigest()


class Operator(Struct, frozen=True, kw_only=True):
    """One person. `roles` are those that may be assigned; none: all of them."""

    id: str
    name: str | None
    roles: frozenset[Role] | None

    def may(self, role: Role) -> bool:
        return self.roles is None or role in self.roles


class Operators(Struct, frozen=True, kw_only=True, dict=True):
    """One revision of the operators list.

    `by_badge` has every badge in the form of `badge_key`; of a badge listed for two operators the first one counts,
    and it is in `shared`. `source` is the compact JSON text that gives an equal list when parsed again.
    """

    revision: int
    salt: str | None
    items: tuple[Operator, ...]
    by_badge: Mapping[str, Operator]
    shared: frozenset[str]
    source: str

    @cached_property
    def by_id(self) -> Mapping[str, Operator]:
        return {operator.id: operator for operator in self.items}

    def find(self, code: str) -> Operator | None:
        """Whose badge `code` is; letters compare without case."""
        return self.by_badge.get(badge_key(code, self.salt))
