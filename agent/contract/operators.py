"""Who may work at the kiosk: operators, their badges and roles (`mqtt.md#operators-list`)."""

import hashlib
import unicodedata
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from agent.contract.manifest import Role, same_case

__all__ = ["Operator", "Operators", "badge_key"]


def badge_key(code: str, salt: str | None) -> str:
    """Return the form in which badges are compared: `same_case` of the code, or its hash if the list has a salt.

    The hash is the lower-case hex SHA-256 of the salt followed by the code in upper case and in Unicode form NFC, in
    UTF-8.
    """
    if salt is None:
        return same_case(code)
    return _hashed(unicodedata.normalize("NFC", code.upper()), salt)


def _hashed(code: str, salt: str) -> str:
    return hashlib.sha256((salt + code).encode("utf-8", "replace")).hexdigest()


class Operator(Struct, frozen=True, kw_only=True):
    """One person."""

    id: str
    name: str | None
    roles: frozenset[Role] | None
    """The roles that may be assigned to this operator; None: all of them."""

    def may(self, role: Role) -> bool:
        """Return whether the role may be assigned to this operator."""
        return self.roles is None or role in self.roles


class Operators(Struct, frozen=True, kw_only=True, dict=True):
    """One revision of the operators list."""

    revision: int
    salt: str | None
    items: tuple[Operator, ...]
    by_badge: Mapping[str, Operator]
    """Operators by badge, as `badge_key` gives it; of a badge that is listed twice, the first operator."""
    shared: frozenset[str]
    """The badges that are listed for more than one operator."""
    source: str
    """Compact JSON text that parses to an equal list."""
    flaws: tuple[str, ...] = ()
    """What no label can match in the message, a line each (`mqtt.md#data-that-no-label-can-match`)."""

    @cached_property
    def by_id(self) -> Mapping[str, Operator]:
        return {operator.id: operator for operator in self.items}

    def find(self, code: str) -> Operator | None:
        """Return the operator whose badge this is, compared without case.

        A centre may have hashed a badge with letters beyond ASCII in either Unicode form.
        """
        found = self.by_badge.get(badge_key(code, self.salt))
        if found is None and self.salt is not None and not code.isascii():
            found = self.by_badge.get(_hashed(unicodedata.normalize("NFD", code.upper()), self.salt))
        return found
