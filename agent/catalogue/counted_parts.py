"""What other kiosks have counted, by order and part (`mqtt.md#counted-parts`)."""

from agent.contract.counted import CountedBox, CountedPart

__all__ = ["MAX_COUNTED_ORDERS", "CountedParts"]

MAX_COUNTED_ORDERS = 10_000
"""Parts are kept for this many orders: those whose parts changed most recently."""


class CountedParts:
    """The parts in force."""

    def __init__(self) -> None:
        self._by_order: dict[str, dict[str, CountedPart]] = {}

    def put(self, part: CountedPart) -> bool:
        """Take a part unless it is older than the known one. Return whether anything changed."""
        known = self._by_order.get(part.order, {}).get(part.part)
        if known is not None and (part.revision < known.revision or part == known):
            return False
        parts = self._by_order.pop(part.order, {})
        self._by_order[part.order] = {**parts, part.part: part}
        if len(self._by_order) > MAX_COUNTED_ORDERS:
            del self._by_order[next(iter(self._by_order))]
        return True

    def drop(self, order: str, part: str) -> bool:
        """Forget a part. Return whether it was known."""
        parts = self._by_order.get(order, {})
        if parts.pop(part, None) is None:
            return False
        if not parts:
            del self._by_order[order]
        return True

    def parts(self, order: str) -> tuple[CountedPart, ...]:
        return tuple(self._by_order.get(order, {}).values())

    def boxes(self, order: str) -> tuple[CountedBox, ...]:
        """Return the union of an order's parts. If two parts name a box, the part whose name sorts first is used."""
        boxes: dict[str, CountedBox] = {}
        for part in sorted(self.parts(order), key=lambda part: part.part):
            for box in part.boxes:
                boxes.setdefault(box.box, box)
        return tuple(boxes.values())
