"""Everything the centre told us, in memory: orders, operators, box sizes, blocked units.

Owned by one thread, the scan path's. No I/O: `take_changes` returns what the cache should keep. Of an order only its
compact text and its barcodes are kept; few manifests are parsed. Rule: `budgets.md#many-orders`.
"""

from itertools import chain, islice

from msgspec.structs import replace

from agent.catalogue.blocked_units import BlockedUnits
from agent.catalogue.cache import (
    Change,
    CountedForgotten,
    Forgotten,
    Loaded,
    ReferenceForgotten,
    StoredCounted,
    StoredOrder,
    StoredReference,
)
from agent.catalogue.conflicts import BadgeConflicts
from agent.catalogue.counted_parts import CountedParts
from agent.catalogue.kept_orders import KeptOrders
from agent.catalogue.order_indexes import OrderIndexes
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize, BoxSizes
from agent.contract.counted import CountedBox, CountedPart
from agent.contract.manifest import Manifest, Status, same_case
from agent.contract.operators import Operator, Operators, badge_key
from agent.contract.order_index import OrderIndex
from agent.contract.refused import MessageRefused

__all__ = ["MAX_ORDERS", "Catalogue"]

MAX_ORDERS = 5000
"""How many orders are kept by default, withdrawn ones not counted (`mqtt.md#bounded-memory`)."""

_MAX_LINES = 25


class Catalogue:
    """All data from the centre. A look-up takes microseconds, except `manifest`, which may have to parse."""

    def __init__(self, *, max_orders: int = MAX_ORDERS) -> None:
        self._orders = KeptOrders(max_orders=max_orders, on_forgotten=self._forgotten)
        self._operators: Operators | None = None
        self._conflicts = BadgeConflicts(self._orders.manifest)
        self._boxes: BoxSizes | None = None
        self._blocked = BlockedUnits()
        self._index = OrderIndexes()
        self._counted = CountedParts()
        self._changes: dict[tuple[str, str], Change] = {}

    # -- look-ups ------------------------------------------------------------------------------------------------

    @property
    def operators(self) -> Operators | None:
        """The operators list; None until one has come, and until then nobody can sign in."""
        return self._operators

    @property
    def boxes(self) -> BoxSizes | None:
        return self._boxes

    def __len__(self) -> int:
        """Return how many orders are known, withdrawn ones not counted."""
        return len(self._orders)

    def find_operator(self, code: str) -> Operator | None:
        """Return the operator whose badge this is."""
        return None if self._operators is None else self._operators.find(code)

    def is_ambiguous(self, code: str) -> bool:
        """Return whether a code is a badge and something else, or opens several open orders.

        Rule: `scanning.md#ambiguous-codes`.
        """
        if self._orders.barcodes.is_contested(same_case(code)):
            return True
        if self._operators is None:
            return False
        key = badge_key(code, self._operators.salt)
        return key in self._conflicts or key in self._operators.shared

    def conflicts(self) -> tuple[str, ...]:
        """Return a line for each code that `is_ambiguous` refuses, at most 50. No badge is revealed."""
        return (*islice(self._orders.barcodes.lines(), _MAX_LINES), *islice(self._conflicts.lines(), _MAX_LINES))

    def flaws(self) -> tuple[str, ...]:
        """Return a line for each thing that no label can match, at most 25 (`mqtt.md#data-that-no-label-can-match`).

        No badge is revealed.
        """
        operators = () if self._operators is None else self._operators.flaws
        return tuple(islice(chain(operators, self._blocked.flaws(), self._orders.flaws()), _MAX_LINES))

    def orders_by_code(self, code: str) -> tuple[str, ...]:
        """Return the ids of the orders that have this barcode, open ones first."""
        return self._orders.barcodes.orders(same_case(code))

    def manifest(self, order: str) -> Manifest | None:
        """Return the manifest of an order. A withdrawn one has its barcodes and no lines."""
        manifest = self._orders.manifest(order)
        if manifest is not None:
            self._orders.keep_parsed(manifest)
        return manifest

    def size(self, code: str) -> BoxSize | None:
        """Return the box size with this code."""
        return None if self._boxes is None else self._boxes.find(code)

    def is_blocked(self, *identifiers: str) -> bool:
        """Return whether the centre says that the unit with these identifiers may not ship."""
        return self._blocked.has_any(identifiers)

    def counted(self, order: str) -> tuple[CountedBox, ...]:
        """Return the boxes that other kiosks have confirmed for an order (`workflow.md#counted-at-another-kiosk`)."""
        return self._counted.boxes(order)

    def missing_orders(self) -> list[str]:
        """Return the orders that the index names and that are not here at all."""
        return [order for order, _ in self._index.items() if order not in self._orders]

    def to_fetch(self) -> list[str]:
        """Return the orders that the index names and that are not here, or older than it says."""
        return [
            order
            for order, revision in self._index.items()
            if order not in self._orders or self._is_older(order, revision)
        ]

    def _is_older(self, order: str, revision: int) -> bool:
        stored = self._orders.stored(order)
        return stored is None or stored.revision < revision

    @property
    def orders_left_out(self) -> int:
        """How many orders are not kept because there are `max_orders` already. Counts up to 20,000."""
        return self._orders.left_out

    @property
    def blocked_left_out(self) -> int:
        """How many parts of the blocked units are not kept because there are 256 already."""
        return self._blocked.left_out

    def take_wanted_again(self) -> list[str]:
        """Return left-out orders for which there is room now, each once: they are to be fetched."""
        return self._orders.take_wanted_again()

    # -- updates -------------------------------------------------------------------------------------------------

    def put_manifest(self, manifest: Manifest, *, is_stored: bool = False, is_needed: bool = False) -> Manifest | None:
        """Take a manifest. Return it if it is in force now, None if it was ignored (`workflow.md#manifest-revisions`).

        A revision that is not higher than the known one is ignored; a withdrawn order comes back at any revision.
        `is_stored` says that the broker had the manifest in store. A stored manifest does not reopen an order that is
        missing from the index: otherwise each connect would reopen the orders that the index withdrew.

        `is_needed` says that somebody works on the order, so that it is kept although there are `max_orders` already.
        Otherwise an open order takes the place of a closed one, or is left out.
        """
        known = self._orders.stored(manifest.order)
        if known is not None and manifest.revision <= known.revision:
            is_back = known.status is Status.WITHDRAWN and not (is_stored and self._index.lacks(manifest.order))
            if not is_back:
                return None
        if manifest.order not in self._orders and not is_needed and not self._orders.make_room(manifest.status):
            self._orders.leave_out(manifest.order)
            return None
        if not manifest.lines:
            manifest = manifest.closing(self._orders.manifest(manifest.order))
        self._store(manifest)
        self._orders.keep_parsed(manifest)
        self._conflicts.add(manifest)
        return manifest

    def withdraw(self, order: str) -> Manifest | None:
        """Keep only id and barcodes of an order. Return its last manifest, withdrawn; None if it is not here."""
        self._orders.drop_left_out(order)
        manifest = self._orders.manifest(order) if order in self._orders else None
        if manifest is None:
            return None
        self._store(manifest.tombstone())
        self._conflicts.drop(order)
        return manifest.withdrawn()

    def put_operators(self, operators: Operators) -> bool:
        """Take an operators list unless it is older than the known one. Return whether anything changed."""
        known = self._operators
        if known is not None and (operators.revision < known.revision or operators == known):
            return False
        self._operators = operators
        self._conflicts.use(operators, iter(self._orders))
        self._keep_reference("operators", operators.source)
        return True

    def put_boxes(self, boxes: BoxSizes) -> bool:
        """Take the box sizes unless they are older than the known ones. Return whether anything changed."""
        known = self._boxes
        if known is not None and (boxes.revision < known.revision or boxes == known):
            return False
        self._boxes = boxes
        self._keep_reference("boxes", boxes.source)
        return True

    def put_blocked(self, part: BlockedPart) -> bool:
        """Take a part of the blocked units unless it is older than the known one. Return whether anything changed."""
        if not self._blocked.put(part):
            return False
        self._keep_reference(f"blocked/{part.part}", part.source)
        return True

    def drop_blocked(self, part: str) -> bool:
        """Forget a part of the blocked units (`mqtt.md#blocked-units`). Return whether it was known."""
        if not self._blocked.drop(part):
            return False
        self._changes["reference", f"blocked/{part}"] = ReferenceForgotten(name=f"blocked/{part}")
        return True

    def put_order_index(self, index: OrderIndex) -> list[str]:
        """Take the index of orders, or a part of it, unless it is older than the known one.

        Return the orders to withdraw: those that a higher revision does not name. An equal revision withdraws nothing,
        since an order may come before the index that names it.
        """
        change = self._index.put(index)
        if not change.is_taken:
            return []
        self._keep_reference("orders" if index.part is None else f"orders/{index.part}", index.source)
        if not change.is_newer:
            return []
        return [order for order in self._orders if self._index.governs(index, order) and order not in index.orders]

    def drop_order_index(self, part: str) -> None:
        """Forget a part of the index; no order is withdrawn by that."""
        if self._index.drop(part):
            self._changes["reference", f"orders/{part}"] = ReferenceForgotten(name=f"orders/{part}")

    def put_counted(self, part: CountedPart) -> bool:
        """Take a part of what is counted elsewhere for an order, unless it is older than the known one.

        Return whether anything changed.
        """
        change = self._counted.put(part)
        self._keep_counted(part.order, change)
        return change

    def drop_counted(self, order: str, part: str) -> bool:
        """Forget a part of what is counted elsewhere for an order. Return whether it was known."""
        change = self._counted.drop(order, part)
        self._keep_counted(order, change)
        return change

    def _keep_counted(self, order: str, is_changed: bool) -> None:
        if is_changed:
            parts = self._counted.parts(order)
            self._changes["counted", order] = (
                StoredCounted(order=order, parts=parts) if parts else CountedForgotten(order=order)
            )

    def recheck(self, budget: int = 1) -> bool:
        """Compare waiting orders with the badges: `budget` pieces of 0.2 ms. Return whether any still wait."""
        return self._conflicts.recheck(budget)

    # -- cache ---------------------------------------------------------------------------------------------------

    def restore(self, loaded: Loaded) -> list[str]:
        """Fill the empty catalogue from the cache. Return a line for each reference message that was refused.

        Nothing of it counts as a change, and no order is withdrawn.
        """
        refused = []
        for stored in loaded.references:
            try:
                self._restore_reference(stored)
            except MessageRefused as exc:
                refused.append(str(exc))
        for order in loaded.orders:
            self.restore_order(order)
        for counted in loaded.counted:
            for part in counted.parts:
                self._counted.put(part)
        self.take_changes()
        return refused

    def _restore_reference(self, stored: StoredReference) -> None:
        # Imported here: a start with an empty cache does not need pydantic yet (budgets.md#start).
        from agent.contract.messages import blocked_of, boxes_of, operators_of, order_index_of

        payload = stored.source.encode()
        topic = f"cache: {stored.name}"
        match stored.name.split("/", 1):
            case ["operators"]:
                self.put_operators(operators_of(payload, topic=topic))
            case ["boxes"]:
                self.put_boxes(boxes_of(payload, topic=topic))
            case ["orders", *parts]:
                self.put_order_index(order_index_of(payload, topic=topic, part=parts[0] if parts else None))
            case ["blocked", part]:
                self.put_blocked(blocked_of(part, payload, topic=topic))
            case _:
                raise MessageRefused(topic, ["not a reference message that this version knows"])

    def restore_order(self, stored: StoredOrder) -> None:
        """Take an order as the cache kept it, unless it is here already."""
        if self._orders.stored(stored.order) is not None:
            return
        if not all(map(str.isascii, stored.codes)):
            # Version 0.1 did not compare in Unicode form NFC.
            stored = replace(stored, codes=tuple(map(same_case, stored.codes)))
        if stored.status is not Status.WITHDRAWN and self._orders.is_full:
            self._orders.leave_out(stored.order)
            return
        self._orders.hold(stored)
        if stored.status is not Status.WITHDRAWN:
            self._conflicts.wait(stored.order)

    def take_changes(self) -> tuple[Change, ...]:
        """Return what the cache should keep of the updates since the last call: of each thing the newest."""
        changes = tuple(self._changes.values())
        self._changes.clear()
        return changes

    def _keep_reference(self, name: str, source: str) -> None:
        self._changes["reference", name] = StoredReference(name=name, source=source)

    def _store(self, manifest: Manifest) -> None:
        stored = self._orders.store(manifest)
        self._changes["order", stored.order] = stored

    def _forgotten(self, order: str) -> None:
        self._conflicts.drop(order)
        self._changes["order", order] = Forgotten(order=order)
