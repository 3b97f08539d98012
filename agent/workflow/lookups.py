"""The look-ups that the workflow makes in the catalogue.

Codes are given in the form of `same_case` (`scanning.md#comparing-codes`).
"""

from typing import Protocol

from agent.contract.box_sizes import BoxSize
from agent.contract.counted import CountedBox
from agent.contract.manifest import Manifest
from agent.contract.operators import Operator

__all__ = ["CatalogueLookups", "CodeLookups"]


class CodeLookups(Protocol):
    """What `classify` asks about a code."""

    def find_operator(self, code: str) -> Operator | None:
        """Return the operator whose badge this is."""
        ...

    def is_ambiguous(self, code: str) -> bool:
        """Return whether the code means two things. Asked about badges and barcodes of orders only."""
        ...

    def orders_by_code(self, code: str) -> tuple[str, ...]:
        """Return the ids of the orders that have this barcode; open orders come first."""
        ...


class CatalogueLookups(CodeLookups, Protocol):
    """What a step asks about the messages of the centre."""

    def manifest(self, order: str) -> Manifest | None:
        """Return the manifest of an order, by its id."""
        ...

    def counted(self, order: str) -> tuple[CountedBox, ...]:
        """Return the boxes that other kiosks have confirmed for an order, by its id."""
        ...

    def size(self, code: str) -> BoxSize | None:
        """Return the box size that has this code."""
        ...

    def is_blocked(self, *identifiers: str) -> bool:
        """Return whether the centre has blocked the unit with these identifiers."""
        ...
