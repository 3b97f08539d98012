"""The orders that the catalogue keeps: the compact text and the barcodes of each, and a few parsed manifests."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import chain, islice

from agent.catalogue.barcodes import Barcodes
from agent.catalogue.cache import StoredOrder
from agent.contract.manifest import Manifest, Status

__all__ = ["MAX_WITHDRAWN", "KeptOrders"]

MAX_WITHDRAWN = 5000
"""How many withdrawn orders are remembered, the newest; a barcode of one of them is `order_closed`, not unknown."""
_LEFT_OUT_MAX = 20_000
_PARSED = 4


class KeptOrders:
    """At most `max_orders` orders, and `MAX_WITHDRAWN` withdrawn ones. Orders beyond that are left out.

    `on_forgotten` is called with each order that is no longer kept. Rule: `mqtt.md#bounded-memory`.
    """

    def __init__(self, *, max_orders: int, on_forgotten: Callable[[str], None]) -> None:
        self._max_orders = max_orders
        self._on_forgotten = on_forgotten
        self._orders: dict[str, StoredOrder] = {}
        self._withdrawn: dict[str, None] = {}
        self._left_out: dict[str, None] = {}
        self._parsed: OrderedDict[str, Manifest] = OrderedDict()
        self._flaws: dict[str, tuple[str, ...]] = {}
        self.barcodes = Barcodes()

    # -- look-ups ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return how many orders are kept, withdrawn ones not counted."""
        return len(self._orders) - len(self._withdrawn)

    def __contains__(self, order: str) -> bool:
        """Return whether an order is kept and not withdrawn."""
        return order in self._orders and order not in self._withdrawn

    def __iter__(self) -> Iterator[str]:
        """Yield the ids of the orders that are not withdrawn."""
        return (order for order in self._orders if order not in self._withdrawn)

    def stored(self, order: str) -> StoredOrder | None:
        """Return an order as it is kept, also a withdrawn one."""
        return self._orders.get(order)

    def manifest(self, order: str) -> Manifest | None:
        """Return the manifest, parsed now if it was not yet. An unreadable one is forgotten: the broker has it."""
        manifest = self._parsed.get(order)
        if manifest is not None:
            return manifest
        stored = self._orders.get(order)
        if stored is None:
            return None
        try:
            return Manifest.from_source(stored.source)
        except ValueError:
            self.forget(order)
            return None

    def flaws(self) -> Iterator[str]:
        """Return a line for each thing that no label can match (`mqtt.md#data-that-no-label-can-match`)."""
        return chain.from_iterable(self._flaws.values())

    # -- updates -------------------------------------------------------------------------------------------------

    def keep_parsed(self, manifest: Manifest) -> None:
        """Keep a manifest parsed, in the place of the one that was asked for longest ago."""
        self._parsed[manifest.order] = manifest
        self._parsed.move_to_end(manifest.order)
        if len(self._parsed) > _PARSED:
            self._parsed.popitem(last=False)

    def store(self, manifest: Manifest) -> StoredOrder:
        """Keep the order of a manifest, in the place of what was known of it."""
        stored = StoredOrder(
            order=manifest.order,
            revision=manifest.revision,
            status=manifest.status,
            codes=tuple(manifest.codes),
            source=manifest.source,
            flaws=manifest.flaws,
        )
        self.hold(stored)
        return stored

    def hold(self, stored: StoredOrder) -> None:
        """Keep an order as it was stored. It is no longer left out."""
        self._let_go(stored.order)
        self._left_out.pop(stored.order, None)
        self._orders[stored.order] = stored
        if stored.status is Status.WITHDRAWN:
            self._withdrawn[stored.order] = None
            if len(self._withdrawn) > MAX_WITHDRAWN:
                self.forget(next(iter(self._withdrawn)))
        self.barcodes.add(stored)
        if stored.flaws:
            self._flaws[stored.order] = stored.flaws

    def forget(self, order: str) -> None:
        self._let_go(order)
        self._on_forgotten(order)

    def _let_go(self, order: str) -> None:
        if (known := self._orders.pop(order, None)) is None:
            return
        self._withdrawn.pop(order, None)
        self._parsed.pop(order, None)
        self._flaws.pop(order, None)
        self.barcodes.drop(known)

    # -- room ----------------------------------------------------------------------------------------------------

    @property
    def left_out(self) -> int:
        """How many orders are left out. Counts up to 20,000."""
        return len(self._left_out)

    @property
    def is_full(self) -> bool:
        return len(self) >= self._max_orders

    def make_room(self, status: Status) -> bool:
        """Return whether another order can be kept. An open one takes the place of a packed or cancelled one."""
        if not self.is_full:
            return True
        if status is not Status.OPEN:
            return False
        closed = (Status.PACKED, Status.CANCELLED)
        victim = next((order for order, stored in self._orders.items() if stored.status in closed), None)
        if victim is None:
            return False
        self.forget(victim)
        self.leave_out(victim)
        return True

    def leave_out(self, order: str) -> None:
        """Remember an order for which there is no room, so that it can be fetched later."""
        if len(self._left_out) < _LEFT_OUT_MAX:
            self._left_out[order] = None

    def drop_left_out(self, order: str) -> None:
        """An order that was left out is not wanted any longer."""
        self._left_out.pop(order, None)

    def take_wanted_again(self) -> list[str]:
        """Return left-out orders for which there is room now, each once."""
        wanted = list(islice(self._left_out, max(0, self._max_orders - len(self))))
        for order in wanted:
            del self._left_out[order]
        return wanted
