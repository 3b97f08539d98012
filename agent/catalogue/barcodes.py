"""Which orders a barcode opens. Codes are as `same_case` gives them."""

from collections.abc import Iterator

from agent.catalogue.cache import StoredOrder
from agent.contract.manifest import Status

__all__ = ["Barcodes"]


class Barcodes:
    """The orders by their barcodes. A barcode of several open orders is contested (`scanning.md#ambiguous-codes`)."""

    def __init__(self) -> None:
        self._claims: dict[str, tuple[StoredOrder, ...]] = {}
        self._contested: set[str] = set()

    def add(self, order: StoredOrder) -> None:
        for code in order.codes:
            self._claim(code, (*self._claims.get(code, ()), order))

    def drop(self, order: StoredOrder) -> None:
        for code in order.codes:
            self._claim(code, tuple(other for other in self._claims.get(code, ()) if other.order != order.order))

    def _claim(self, code: str, orders: tuple[StoredOrder, ...]) -> None:
        if orders:
            self._claims[code] = tuple(sorted(orders, key=lambda order: order.status is not Status.OPEN))
        else:
            self._claims.pop(code, None)
        if len(orders) > 1 and sum(order.status is Status.OPEN for order in orders) > 1:
            self._contested.add(code)
        else:
            self._contested.discard(code)

    def orders(self, code: str) -> tuple[str, ...]:
        """Return the ids of the orders with this barcode: open ones first, then in the order in which they came."""
        claims = self._claims.get(code)
        return tuple([order.order for order in claims]) if claims is not None else ()

    def is_contested(self, code: str) -> bool:
        """Return whether several open orders have this barcode."""
        return code in self._contested

    def lines(self) -> Iterator[str]:
        """Yield a line for each contested barcode, for a person."""
        for code in sorted(self._contested):
            yield f"barcode {code}: open orders {', '.join(self.orders(code))}"
