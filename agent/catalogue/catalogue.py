"""Everything the centre told us, in memory: orders, operators, box sizes, blocked units.

Owned by one thread, the scan path's; no input or output. What the cache should keep of each update is collected and
fetched with `take_changes`. Of an order only its compact text and its barcodes are kept; parsed manifests are few.
"""

from collections import OrderedDict
from itertools import islice

from agent.catalogue.barcodes import Barcodes
from agent.catalogue.conflicts import BadgeConflicts
from agent.catalogue.stored import Change, Forgotten, StoredOrder, StoredReference
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSize, BoxSizes
from agent.contract.manifest import Manifest, Status, same_case
from agent.contract.operators import Operator, Operators, badge_key
from agent.contract.order_index import OrderIndex

__all__ = ["MAX_WITHDRAWN", "Catalogue"]

MAX_WITHDRAWN = 5000
"""So many withdrawn orders are remembered, the newest; a barcode of one of them says `order_closed`."""

_PARSED = 4
_MAX_LINES = 25


class Catalogue:
    """What is known of the outside world. Look-ups take a few microseconds, but for `manifest`, which may parse."""

    def __init__(self) -> None:
        self._orders: dict[str, StoredOrder] = {}
        self._withdrawn: dict[str, None] = {}
        self._barcodes = Barcodes()
        self._parsed: OrderedDict[str, Manifest] = OrderedDict()
        self._operators: Operators | None = None
        self._conflicts = BadgeConflicts(self._read)
        self._boxes: BoxSizes | None = None
        self._blocked: dict[str, tuple[int, frozenset[str]]] = {}
        self._index: OrderIndex | None = None
        self._changes: dict[tuple[str, str], Change] = {}

    # -- look-ups ------------------------------------------------------------------------------------------------

    @property
    def operators(self) -> Operators | None:
        """The operators list; none: none has come yet, and nobody can sign in."""
        return self._operators

    @property
    def boxes(self) -> BoxSizes | None:
        return self._boxes

    def __len__(self) -> int:
        """How many orders are known, without the withdrawn ones."""
        return len(self._orders) - len(self._withdrawn)

    def find_operator(self, code: str) -> Operator | None:
        """Whose badge `code` is."""
        return None if self._operators is None else self._operators.find(code)

    def is_ambiguous(self, code: str) -> bool:
        """Whether `code` is a badge that means something else too, or a barcode that several open orders claim."""
        if self._barcodes.is_contested(same_case(code)):
            return True
        if self._operators is None:
            return False
        key = badge_key(code, self._operators.salt)
        return key in self._conflicts or key in self._operators.shared

    def conflicts(self) -> tuple[str, ...]:
        """What `is_ambiguous` refuses, a line each, for a person to mend; at most 50. No badge is revealed."""
        return (*islice(self._barcodes.lines(), _MAX_LINES), *islice(self._conflicts.lines(), _MAX_LINES))

    def orders_by_code(self, code: str) -> tuple[str, ...]:
        """The ids of the orders whose barcode this is; open ones come first."""
        return self._barcodes.orders(same_case(code))

    def manifest(self, order: str) -> Manifest | None:
        """The manifest of an order; of a withdrawn one only its barcodes are left, and no lines."""
        manifest = self._read(order)
        if manifest is not None:
            self._keep_parsed(manifest)
        return manifest

    def status(self, order: str) -> Status | None:
        stored = self._orders.get(order)
        return None if stored is None else stored.status

    def revision(self, order: str) -> int | None:
        stored = self._orders.get(order)
        return None if stored is None else stored.revision

    def size(self, code: str) -> BoxSize | None:
        """The box size under `code`."""
        return None if self._boxes is None else self._boxes.find(code)

    def is_blocked(self, identifier: str) -> bool:
        """Whether the centre says that the unit with this identifier may not ship."""
        key = same_case(identifier)
        for _, identifiers in self._blocked.values():  # noqa: SIM110 - a generator would cost a scan more than this
            if key in identifiers:
                return True
        return False

    def missing_orders(self) -> list[str]:
        """Orders that the index names and that are not here at all."""
        if self._index is None:
            return []
        known, gone = self._orders, self._withdrawn
        return [order for order in self._index.orders if order not in known or order in gone]

    def to_fetch(self) -> list[str]:
        """Orders that the index names and that are not here, or older than it says."""
        if self._index is None:
            return []
        return [
            order
            for order, revision in self._index.orders.items()
            if not self._is_here(order) or self._orders[order].revision < revision
        ]

    def _is_here(self, order: str) -> bool:
        return order in self._orders and order not in self._withdrawn

    # -- updates -------------------------------------------------------------------------------------------------

    def put_manifest(self, manifest: Manifest, *, is_stored: bool = False) -> Manifest | None:
        """Take a manifest; the one now in force if that changed it, else none.

        A revision that is not higher than the known one is ignored; a withdrawn order comes back at any. `is_stored`:
        it is what the broker had in store. Such a one brings nothing back that the index does not name: else an order
        that the index withdrew would be open again after each connect.
        """
        known = self._orders.get(manifest.order)
        if known is not None and manifest.revision <= known.revision:
            is_unlisted = self._index is not None and manifest.order not in self._index.orders
            if known.status is not Status.WITHDRAWN or (is_stored and is_unlisted):
                return None
        self._store(manifest)
        self._keep_parsed(manifest)
        self._conflicts.add(manifest)
        return manifest

    def withdraw(self, order: str) -> Manifest | None:
        """The centre has withdrawn an order; its last manifest, now withdrawn, or none if that is nothing new.

        What the catalogue keeps of it is its id and its barcodes.
        """
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
        """Take an operators list unless it is older than the known one; whether that changed anything."""
        known = self._operators
        if known is not None and (operators.revision < known.revision or operators == known):
            return False
        self._operators = operators
        self._conflicts.use(operators, (order for order in self._orders if order not in self._withdrawn))
        self._keep_reference("operators", operators.source)
        return True

    def put_boxes(self, boxes: BoxSizes) -> bool:
        """Take the box sizes unless older than the known ones; whether that changed anything."""
        known = self._boxes
        if known is not None and (boxes.revision < known.revision or boxes == known):
            return False
        self._boxes = boxes
        self._keep_reference("boxes", boxes.source)
        return True

    def put_blocked(self, part: BlockedPart) -> bool:
        """Take one part of the blocked units unless older than the known one; whether that changed anything."""
        known = self._blocked.get(part.part)
        if known is not None and (part.revision < known[0] or known == (part.revision, part.identifiers)):
            return False
        self._blocked[part.part] = (part.revision, part.identifiers)
        self._keep_reference(f"blocked/{part.part}", part.source)
        return True

    def put_order_index(self, index: OrderIndex) -> list[str]:
        """Take the index of orders unless older than the known one; the orders to withdraw, as it lacks them.

        Only an index of a higher revision withdraws: an order may come before the index that names it.
        """
        known = self._index
        if known is not None and (index.revision < known.revision or index == known):
            return []
        self._index = index
        self._keep_reference("orders", index.source)
        if known is not None and index.revision == known.revision:
            return []
        return [order for order in self._orders if order not in index.orders and order not in self._withdrawn]

    def recheck(self, budget: int = 1) -> bool:
        """Hold at most `budget` pieces of the waiting orders against the badges; whether any still wait.

        A piece is an order, or a part of one that lists many devices; it takes a tenth of a millisecond, and as long
        again if the order has to be parsed: to be called between scans.
        """
        return self._conflicts.recheck(budget)

    # -- cache ---------------------------------------------------------------------------------------------------

    def restore_order(self, stored: StoredOrder) -> None:
        """Take an order as the cache kept it, unless one is here already."""
        if stored.order in self._orders:
            return
        self._hold(stored)
        if stored.status is not Status.WITHDRAWN:
            self._conflicts.wait(stored.order)

    def take_changes(self) -> tuple[Change, ...]:
        """What the cache should keep of the updates since the last call; of one thing the newest only."""
        changes = tuple(self._changes.values())
        self._changes.clear()
        return changes

    def _keep_reference(self, name: str, source: str) -> None:
        self._changes["reference", name] = StoredReference(name=name, source=source)

    # -- orders --------------------------------------------------------------------------------------------------

    def _read(self, order: str) -> Manifest | None:
        """The manifest, parsed now if need be. One that cannot be read is forgotten; the broker has it."""
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
            source=manifest.source.encode(),
        )
        self._hold(stored)
        self._changes["order", stored.order] = stored

    def _hold(self, stored: StoredOrder) -> None:
        self._let_go(stored.order)
        self._orders[stored.order] = stored
        if stored.status is Status.WITHDRAWN:
            self._withdrawn[stored.order] = None
        self._barcodes.add(stored)

    def _let_go(self, order: str) -> None:
        known = self._orders.pop(order, None)
        if known is None:
            return
        self._withdrawn.pop(order, None)
        self._parsed.pop(order, None)
        self._barcodes.drop(known)

    def _forget(self, order: str) -> None:
        self._let_go(order)
        self._conflicts.drop(order)
        self._changes["order", order] = Forgotten(order=order)
