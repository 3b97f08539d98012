"""Which badges equal a code of a cached order. Such a badge is refused, because nobody can tell what was meant.

Conflicts are kept by order, so that a new manifest costs only its own check. With a salted operators list every code of
an order has to be hashed, and a new list concerns all orders. Such checks wait, and are made in small pieces between
scans. Rule: `scanning.md#ambiguous-codes`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from agent.contract.manifest import Manifest
from agent.contract.operators import Operators, badge_key

__all__ = ["BadgeConflicts", "gtin_forms"]

_GTIN_DIGITS = (14, 13, 12, 8)
_PIECE = 100
"""How many codes are hashed in one piece, in some 70 microseconds."""


def gtin_forms(gtin: str) -> Iterator[str]:
    """Yield the ways to write a GTIN of 14 digits: in each length of a GTIN that its leading zeros allow."""
    for digits in _GTIN_DIGITS:
        if not gtin[: 14 - digits].strip("0"):
            yield gtin[14 - digits :]


def _gtins_of(manifest: Manifest) -> Iterator[str]:
    for line in manifest.lines:
        for gtin in line.gtins:
            yield from gtin_forms(gtin)


def _codes_of(manifest: Manifest) -> Iterator[str]:
    yield from manifest.codes
    yield from manifest.unit_by_id
    yield from manifest.sku_by_code
    yield from _gtins_of(manifest)


def _equal_badges(manifest: Manifest, operators: Operators) -> set[str]:
    """Return the badges of a list without a salt that equal a code of the manifest."""
    badges = operators.by_badge.keys()
    # An intersection of dict views walks the smaller side: a manifest may list thousands of units.
    found = badges & manifest.unit_by_id.keys() | badges & manifest.sku_by_code.keys()
    return found | badges & manifest.codes | badges & set(_gtins_of(manifest))


class _Check:
    """An order whose codes are being hashed: the codes that are left, and the badges found so far."""

    def __init__(self, order: str, codes: Iterator[str]) -> None:
        self.order = order
        self.codes = codes
        self.found: set[str] = set()


class BadgeConflicts:
    """The badges of one operators list that equal a code of a cached order.

    `manifest_of` returns the manifest of a cached order, or None if the order is gone.
    """

    def __init__(self, manifest_of: Callable[[str], Manifest | None]) -> None:
        self._manifest_of = manifest_of
        self._operators: Operators | None = None
        self._by_order: dict[str, frozenset[str]] = {}
        self._count: Counter[str] = Counter()
        self._unchecked: dict[str, None] = {}
        self._current: _Check | None = None

    def __contains__(self, key: str) -> bool:
        """Return whether the badge with this `badge_key` equals a code of an order that has been checked."""
        return key in self._count

    def use(self, operators: Operators | None, orders: Iterator[str]) -> None:
        """Start over with another operators list. `orders` are all cached ones; they wait to be checked."""
        self._operators = operators
        self._current = None
        self._by_order.clear()
        self._count.clear()
        self._unchecked = dict.fromkeys(orders) if operators is not None and operators.by_badge else {}

    def add(self, manifest: Manifest) -> None:
        """Check a manifest that has arrived, or let it wait if codes have to be hashed."""
        self.drop(manifest.order)
        if self._operators is None or not self._operators.by_badge:
            return
        if self._operators.salt is None:
            self._keep(manifest.order, _equal_badges(manifest, self._operators))
        else:
            self._unchecked[manifest.order] = None

    def wait(self, order: str) -> None:
        """Let an order wait that came from the cache."""
        if self._operators is not None and self._operators.by_badge:
            self._unchecked[order] = None

    def drop(self, order: str) -> None:
        """Forget an order that is gone."""
        self._unchecked.pop(order, None)
        if self._current is not None and self._current.order == order:
            self._current = None
        for key in self._by_order.pop(order, ()):
            self._count[key] -= 1
            if not self._count[key]:
                del self._count[key]

    def recheck(self, budget: int) -> bool:
        """Check at most `budget` pieces, each an order or a part of one. Return whether any orders still wait."""
        for _ in range(budget):
            if not self._check_piece():
                break
        return bool(self._unchecked)

    def _check_piece(self) -> bool:
        """Check a piece of the first waiting order. Return False if none waits."""
        order, operators = next(iter(self._unchecked), None), self._operators
        if order is None or operators is None:
            return False
        check = self._current
        if check is None:
            manifest = self._manifest_of(order)
            if manifest is None:
                self._unchecked.pop(order, None)
                return True
            if operators.salt is None:
                del self._unchecked[order]
                self._keep(order, _equal_badges(manifest, operators))
                return True
            check = self._current = _Check(order, _codes_of(manifest))
        codes = list(islice(check.codes, _PIECE))
        check.found |= {badge_key(code, operators.salt) for code in codes} & operators.by_badge.keys()
        if len(codes) < _PIECE:
            self._current = None
            del self._unchecked[order]
            self._keep(order, check.found)
        return True

    def _keep(self, order: str, found: set[str]) -> None:
        if found:
            self._by_order[order] = frozenset(found)
            self._count.update(found)

    def lines(self) -> Iterator[str]:
        """Yield a line for each conflict. It names operators and orders, and never a badge."""
        if self._operators is None:
            return
        for key in sorted(self._operators.shared):
            yield f"operator {self._operators.by_badge[key].id}: a badge is listed for another operator too"
        for order, keys in self._by_order.items():
            for operator in sorted({self._operators.by_badge[key].id for key in keys}):
                yield f"operator {operator}: a badge equals a code of order {order}"
