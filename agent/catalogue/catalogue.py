"""Everything the centre told us, in memory: orders, operators, box sizes, blocked units.

Owned by one thread, the scan path's. No I/O: `take_changes` returns what the cache should keep. Of an order only its
compact text and its barcodes are kept; few manifests are parsed. Rule: `budgets.md#many-orders`.
"""

from collections import OrderedDict
from itertools import chain, islice

from msgspec.structs import replace

from agent.catalogue.barcodes import Barcodes
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
from agent.catalogue.order_indexes import OrderIndexes
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize, BoxSizes
from agent.contract.counted import CountedBox, CountedPart
from agent.contract.manifest import Manifest, Status, same_case, unit_forms, unit_key
from agent.contract.operators import Operator, Operators, badge_key
from agent.contract.order_index import OrderIndex
from agent.contract.refused import MessageRefused

__all__ = ["MAX_ORDERS", "MAX_WITHDRAWN", "Catalogue"]

MAX_ORDERS = 5000
"""How many orders are kept by default, withdrawn ones not counted (`mqtt.md#bounded-memory`)."""
_LEFT_OUT_MAX = 20_000
_BLOCKED_PARTS_MAX = 256

MAX_WITHDRAWN = 5000
"""How many withdrawn orders are remembered, the newest; a barcode of one of them is `order_closed`, not unknown."""

_PARSED = 4
_MAX_LINES = 25


class Catalogue:
    """All data from the centre. A look-up takes microseconds, except `manifest`, which may have to parse."""

    def __init__(self, *, max_orders: int = MAX_ORDERS) -> None:
        self._max_orders = max_orders
        self._left_out: dict[str, None] = {}
        self._blocked_left_out: set[str] = set()
        self._orders: dict[str, StoredOrder] = {}
        self._withdrawn: dict[str, None] = {}
        self._barcodes = Barcodes()
        self._parsed: OrderedDict[str, Manifest] = OrderedDict()
        self._operators: Operators | None = None
        self._conflicts = BadgeConflicts(self._read)
        self._boxes: BoxSizes | None = None
        self._blocked: dict[str, tuple[int, frozenset[str]]] = {}
        self._blocked_flaws: dict[str, tuple[str, ...]] = {}
        self._flaws: dict[str, tuple[str, ...]] = {}
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
        return len(self._orders) - len(self._withdrawn)

    def find_operator(self, code: str) -> Operator | None:
        """Return the operator whose badge this is."""
        return None if self._operators is None else self._operators.find(code)

    def is_ambiguous(self, code: str) -> bool:
        """Return whether a code is a badge and something else, or opens several open orders.

        Rule: `scanning.md#ambiguous-codes`.
        """
        if self._barcodes.is_contested(same_case(code)):
            return True
        if self._operators is None:
            return False
        key = badge_key(code, self._operators.salt)
        return key in self._conflicts or key in self._operators.shared

    def conflicts(self) -> tuple[str, ...]:
        """Return a line for each code that `is_ambiguous` refuses, at most 50. No badge is revealed."""
        return (*islice(self._barcodes.lines(), _MAX_LINES), *islice(self._conflicts.lines(), _MAX_LINES))

    def flaws(self) -> tuple[str, ...]:
        """Return a line for each thing that no label can match, at most 25 (`mqtt.md#data-that-no-label-can-match`).

        No badge is revealed.
        """
        operators = () if self._operators is None else self._operators.flaws
        blocked = (lines for part, lines in self._blocked_flaws.items() if part in self._blocked)
        return tuple(islice(chain(operators, *blocked, *self._flaws.values()), _MAX_LINES))

    def orders_by_code(self, code: str) -> tuple[str, ...]:
        """Return the ids of the orders that have this barcode, open ones first."""
        return self._barcodes.orders(same_case(code))

    def manifest(self, order: str) -> Manifest | None:
        """Return the manifest of an order. A withdrawn one has its barcodes and no lines."""
        manifest = self._read(order)
        if manifest is not None:
            self._keep_parsed(manifest)
        return manifest

    def size(self, code: str) -> BoxSize | None:
        """Return the box size with this code."""
        return None if self._boxes is None else self._boxes.find(code)

    def is_blocked(self, identifier: str) -> bool:
        """Return whether the centre says that the unit with this identifier may not ship."""
        if not self._blocked:
            return False
        forms = unit_forms(unit_key(identifier))
        return any(not identifiers.isdisjoint(forms) for _, identifiers in self._blocked.values())

    def counted(self, order: str) -> tuple[CountedBox, ...]:
        """Return the boxes that other kiosks have confirmed for an order (`workflow.md#counted-at-another-kiosk`)."""
        return self._counted.boxes(order)

    def missing_orders(self) -> list[str]:
        """Return the orders that the index names and that are not here at all."""
        return [order for order, _ in self._index.items() if not self._is_here(order)]

    def to_fetch(self) -> list[str]:
        """Return the orders that the index names and that are not here, or older than it says."""
        return [
            order
            for order, revision in self._index.items()
            if not self._is_here(order) or self._orders[order].revision < revision
        ]

    def _is_here(self, order: str) -> bool:
        return order in self._orders and order not in self._withdrawn

    @property
    def orders_left_out(self) -> int:
        """How many orders are not kept because there are `max_orders` already. Counts up to 20,000."""
        return len(self._left_out)

    @property
    def blocked_left_out(self) -> int:
        """How many parts of the blocked units are not kept because there are 256 already."""
        return len(self._blocked_left_out)

    def take_wanted_again(self) -> list[str]:
        """Return left-out orders for which there is room now, each once: they are to be fetched."""
        room = max(0, self._max_orders - len(self))
        wanted = list(islice(self._left_out, room))
        for order in wanted:
            del self._left_out[order]
        return wanted

    # -- updates -------------------------------------------------------------------------------------------------

    def put_manifest(self, manifest: Manifest, *, is_stored: bool = False, is_needed: bool = False) -> Manifest | None:
        """Take a manifest. Return it if it is in force now, None if it was ignored (`workflow.md#manifest-revisions`).

        A revision that is not higher than the known one is ignored; a withdrawn order comes back at any revision.
        `is_stored` says that the broker had the manifest in store. A stored manifest does not reopen an order that is
        missing from the index: otherwise each connect would reopen the orders that the index withdrew.

        `is_needed` says that somebody works on the order, so that it is kept although there are `max_orders` already.
        Otherwise an open order takes the place of a closed one, or is left out.
        """
        known = self._orders.get(manifest.order)
        if known is not None and manifest.revision <= known.revision:
            is_back = known.status is Status.WITHDRAWN and not (is_stored and self._index.lacks(manifest.order))
            if not is_back:
                return None
        if not self._is_here(manifest.order) and not is_needed and not self._has_room(manifest):
            self._leave_out(manifest.order)
            return None
        self._left_out.pop(manifest.order, None)
        if not manifest.lines:
            manifest = manifest.closing(self._read(manifest.order))
        self._store(manifest)
        self._keep_parsed(manifest)
        self._conflicts.add(manifest)
        return manifest

    def withdraw(self, order: str) -> Manifest | None:
        """Keep only id and barcodes of an order. Return its last manifest, withdrawn; None if it is not here."""
        self._left_out.pop(order, None)
        if not self._is_here(order):
            return None
        manifest = self._read(order)
        if manifest is None:
            return None
        self._store(manifest.tombstone())
        self._conflicts.drop(order)
        if len(self._withdrawn) > MAX_WITHDRAWN:
            self._forget(next(iter(self._withdrawn)))
        return manifest.withdrawn()

    def put_operators(self, operators: Operators) -> bool:
        """Take an operators list unless it is older than the known one. Return whether anything changed."""
        known = self._operators
        if known is not None and (operators.revision < known.revision or operators == known):
            return False
        self._operators = operators
        self._conflicts.use(operators, (order for order in self._orders if order not in self._withdrawn))
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
        known = self._blocked.get(part.part)
        if known is None and len(self._blocked) >= _BLOCKED_PARTS_MAX:
            if len(self._blocked_left_out) < _BLOCKED_PARTS_MAX:
                self._blocked_left_out.add(part.part)
            return False
        if known is not None and (part.revision < known[0] or known == (part.revision, part.identifiers)):
            return False
        self._blocked[part.part] = (part.revision, part.identifiers)
        self._blocked_flaws[part.part] = part.flaws
        self._keep_reference(f"blocked/{part.part}", part.source)
        return True

    def drop_blocked(self, part: str) -> bool:
        """Forget a part of the blocked units (`mqtt.md#blocked-units`). Return whether it was known."""
        self._blocked_left_out.discard(part)
        if self._blocked.pop(part, None) is None:
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
        return [
            order
            for order in self._orders
            if order not in self._withdrawn and self._index.governs(index, order) and order not in index.orders
        ]

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
        if stored.order in self._orders:
            return
        if not all(map(str.isascii, stored.codes)):
            # Version 0.1 did not compare in Unicode form NFC.
            stored = replace(stored, codes=tuple(map(same_case, stored.codes)))
        if stored.status is not Status.WITHDRAWN and len(self) >= self._max_orders:
            self._leave_out(stored.order)
            return
        self._hold(stored)
        if stored.status is not Status.WITHDRAWN:
            self._conflicts.wait(stored.order)

    def take_changes(self) -> tuple[Change, ...]:
        """Return what the cache should keep of the updates since the last call: of each thing the newest."""
        changes = tuple(self._changes.values())
        self._changes.clear()
        return changes

    def _keep_reference(self, name: str, source: str) -> None:
        self._changes["reference", name] = StoredReference(name=name, source=source)

    # -- orders --------------------------------------------------------------------------------------------------

    def _read(self, order: str) -> Manifest | None:
        """Return the manifest, parsed now if it was not yet. An unreadable one is dropped: the broker has it."""
        manifest = self._parsed.get(order)
        if manifest is not None:
            return manifest
        stored = self._orders.get(order)
        if stored is None:
            return None
        try:
            return Manifest.from_source(stored.source)
        except ValueError:
            self._forget(order)
            return None

    def _keep_parsed(self, manifest: Manifest) -> None:
        self._parsed[manifest.order] = manifest
        self._parsed.move_to_end(manifest.order)
        if len(self._parsed) > _PARSED:
            self._parsed.popitem(last=False)

    def _store(self, manifest: Manifest) -> None:
        stored = StoredOrder(
            order=manifest.order,
            revision=manifest.revision,
            status=manifest.status,
            codes=tuple(manifest.codes),
            source=manifest.source,
            flaws=manifest.flaws,
        )
        self._hold(stored)
        self._changes["order", stored.order] = stored

    def _hold(self, stored: StoredOrder) -> None:
        self._let_go(stored.order)
        self._orders[stored.order] = stored
        if stored.status is Status.WITHDRAWN:
            self._withdrawn[stored.order] = None
        self._barcodes.add(stored)
        if stored.flaws:
            self._flaws[stored.order] = stored.flaws

    def _has_room(self, manifest: Manifest) -> bool:
        """Return whether another order can be kept; make room for an open one if there is a closed one."""
        if len(self) < self._max_orders:
            return True
        if manifest.status is not Status.OPEN:
            return False
        closed = (Status.PACKED, Status.CANCELLED)
        victim = next((order for order, stored in self._orders.items() if stored.status in closed), None)
        if victim is None:
            return False
        self._forget(victim)
        self._leave_out(victim)
        return True

    def _leave_out(self, order: str) -> None:
        if len(self._left_out) < _LEFT_OUT_MAX:
            self._left_out[order] = None

    def _let_go(self, order: str) -> None:
        if (known := self._orders.pop(order, None)) is None:
            return
        self._withdrawn.pop(order, None)
        self._parsed.pop(order, None)
        self._flaws.pop(order, None)
        self._barcodes.drop(known)

    def _forget(self, order: str) -> None:
        self._let_go(order)
        self._conflicts.drop(order)
        self._changes["order", order] = Forgotten(order=order)
