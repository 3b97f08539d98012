"""The parts of the blocked units that are in force (`mqtt.md#blocked-units`)."""

from collections.abc import Iterable, Iterator
from itertools import chain

from agent.contract.blocked import BlockedPart
from agent.contract.manifest import unit_forms, unit_key

__all__ = ["BlockedUnits"]

_PARTS_MAX = 256
"""Further parts are left out (`mqtt.md#bounded-memory`)."""


class BlockedUnits:
    """At most 256 parts. Of each, the identifiers are kept, and what no label can match."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[int, frozenset[str]]] = {}
        self._flaws: dict[str, tuple[str, ...]] = {}
        self._left_out: set[str] = set()

    def has_any(self, identifiers: Iterable[str]) -> bool:
        """Return whether a unit with one of these identifiers is blocked."""
        if not self._parts:
            return False
        forms = {form for one in identifiers for form in unit_forms(unit_key(one))}
        return any(not identifiers.isdisjoint(forms) for _, identifiers in self._parts.values())

    @property
    def left_out(self) -> int:
        """How many parts are left out because there are 256 already. Counts up to 256."""
        return len(self._left_out)

    def flaws(self) -> Iterator[str]:
        """Return a line for each thing that no label can match."""
        return chain.from_iterable(self._flaws.values())

    def put(self, part: BlockedPart) -> bool:
        """Take a part unless it is older than the known one. Return whether anything changed."""
        known = self._parts.get(part.part)
        if known is None and len(self._parts) >= _PARTS_MAX:
            if len(self._left_out) < _PARTS_MAX:
                self._left_out.add(part.part)
            return False
        if known is not None and (part.revision < known[0] or known == (part.revision, part.identifiers)):
            return False
        self._parts[part.part] = (part.revision, part.identifiers)
        self._flaws[part.part] = part.flaws
        return True

    def drop(self, part: str) -> bool:
        """Forget a part. Return whether it was known."""
        self._left_out.discard(part)
        self._flaws.pop(part, None)
        return self._parts.pop(part, None) is not None
