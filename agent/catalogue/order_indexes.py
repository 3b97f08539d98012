"""The index of orders: one message, or up to 16 parts (`mqtt.md#order-index`).

If the part that an order belongs to is known, only that part decides about the order; else the index in one message.
"""

from collections.abc import Iterator

from msgspec import Struct

from agent.contract.order_index import OrderIndex, part_of

__all__ = ["IndexChange", "OrderIndexes"]


class IndexChange(Struct, frozen=True):
    """What taking a message did: whether it is in force now, and whether its revision is higher than the one before."""

    is_taken: bool
    is_newer: bool


class OrderIndexes:
    """The index messages in force."""

    def __init__(self) -> None:
        self._by_part: dict[str | None, OrderIndex] = {}

    def put(self, index: OrderIndex) -> IndexChange:
        """Take a message unless it is older than the known one, or equal to it."""
        known = self._by_part.get(index.part)
        if known is not None and (index.revision < known.revision or index == known):
            return IndexChange(False, False)
        self._by_part[index.part] = index
        return IndexChange(True, known is None or index.revision > known.revision)

    def drop(self, part: str) -> bool:
        """Forget a part. Return whether it was known."""
        return self._by_part.pop(part, None) is not None

    def governs(self, index: OrderIndex, order: str) -> bool:
        """Return whether this message decides about an order: its part, or the whole index if the part is missing."""
        part = part_of(order)
        return index.part == part or (index.part is None and part not in self._by_part)

    def lacks(self, order: str) -> bool:
        """Return whether there is a message that speaks for the order and does not name it."""
        index = self._by_part.get(part_of(order)) or self._by_part.get(None)
        return index is not None and order not in index.orders

    def items(self) -> Iterator[tuple[str, int]]:
        """Yield (order, revision) of every order that the index names."""
        for index in self._by_part.values():
            for order, revision in index.orders.items():
                if index.part is not None or part_of(order) not in self._by_part:
                    yield order, revision
