"""The state of a kiosk: its stations, the orders known here, and what is counted in which box. Immutable.

The state is what `agent.workflow.fold` makes of the journal's events (`workflow.md#restart-keeps-the-state`). Only
`agent.workflow.closed_orders` changes it without an event: it drops the details of orders that were packed long ago.
What a restart may lose is in `agent.workflow.transient_state`.
"""

from collections.abc import Iterator
from enum import StrEnum

from immutables import Map
from msgspec import Struct, field

from agent.contract.counted import CountedBox
from agent.contract.event_values import AwaitedRole, Kind, Unit
from agent.contract.manifest import Flow, Line, Manifest, Role, Status, all_unit_keys, same_case, unit_key
from agent.contract.station_view import Phase

__all__ = ["Box", "BoxState", "Entry", "Hold", "Order", "Phase", "State", "StationState", "ids_of"]


def ids_of(unit: Unit) -> tuple[str, ...]:
    """Return all identifiers of a device in the form of `unit_key` (`workflow.md#one-device-counts-once`)."""
    if not unit.aliases:
        return (unit_key(unit.id),)
    return tuple(all_unit_keys((unit.id, *unit.aliases)))


# -- boxes -------------------------------------------------------------------------------------------------------


class BoxState(StrEnum):
    """`created` after the first SAVE, `confirmed` after the second."""

    OPEN = "open"
    CREATED = "created"
    CONFIRMED = "confirmed"


class Entry(Struct, frozen=True, kw_only=True):
    """What one `scan.accepted` put into a box, without what was taken out again."""

    sequence: int
    """The event's sequence number."""
    scan: int
    """The sequence number of the scan's first event: UNDO voids all entries of one scan."""
    line: str
    sku: str
    unit: Unit | None
    """The device; None for a non-serialized product."""
    quantity: int


class Box(Struct, frozen=True, kw_only=True):
    """One box of an order (`workflow.md#mode-of-a-box`)."""

    id: str
    mode: Flow
    entries: tuple[Entry, ...] = ()
    """Oldest first."""
    state: BoxState = BoxState.OPEN
    dissolves: bool = False
    """The box was created once, so it is voided when it becomes empty (`workflow.md#dissolve-an-empty-box`)."""
    size: str | None = None
    label: str | None = None
    units: int = 0
    """How many devices are in it."""
    bytes: int = 0
    """About how many bytes its contents take in an event."""

    def bytes_with(self, line: str, sku: str, unit: Unit | None) -> int:
        """Return `bytes` after one more entry: its identifier, and the frame of the line if the line is new."""
        grown = self.bytes
        for entry in reversed(self.entries):  # the newest one is most often of this line
            if entry.line == line:
                break
        else:
            grown += len(line.encode()) + len(sku.encode()) + 60
        if unit is not None:
            grown += len(unit.id.encode()) + 3
        return grown

    def entry_of(self, identifier: str) -> Entry | None:
        """Return the entry of a device, by any of its identifiers in the form of `unit_key`."""
        return next((e for e in self.entries if e.unit is not None and identifier in ids_of(e.unit)), None)

    def quantity_of(self, sku: str) -> int:
        """Return how many pieces of a non-serialized product are in it."""
        return sum(e.quantity for e in self.entries if e.unit is None and same_case(e.sku) == same_case(sku))


# -- orders ------------------------------------------------------------------------------------------------------


class Hold(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A verdict holds a device of the order, or all of it (`workflow.md#held-orders`).

    `unit` is in the form of `unit_key`; None holds the whole order. Snapshots hold it as a JSON array.
    """

    unit: str | None
    reason: str | None


class Order(Struct, frozen=True, kw_only=True):
    """An order that was opened or counted at this kiosk. Identifiers of devices are in the form of `unit_key`."""

    manifest: Manifest
    assigned: Map[Role, str] = field(default_factory=Map)
    """Operators by the role that was assigned to them here."""
    boxes: Map[str, Box] = field(default_factory=Map)
    confirmed: tuple[str, ...] = ()
    """The ids of the confirmed boxes, oldest first."""
    open_box: str | None = None
    counted: Map[str, str] = field(default_factory=Map)
    """Box ids by the identifiers of the devices counted here."""
    scanned: Map[str, int] = field(default_factory=Map)
    """Pieces counted here, by line."""
    counted_boxes: Map[str, CountedBox] = field(default_factory=Map)
    """Boxes at other kiosks by their ids, as the centre's counted parts name them (`mqtt.md#counted-parts`)."""
    elsewhere: Map[str, int] = field(default_factory=Map)
    """Pieces counted at other kiosks, by line (`workflow.md#counted-at-another-kiosk`)."""
    total_scanned: int = 0
    """The sum of `scanned` and `elsewhere`."""
    elsewhere_units: frozenset[str] = frozenset()
    """The identifiers of devices counted at other kiosks."""
    known: Map[str, tuple[str, bool]] = field(default_factory=Map)
    """(SKU, serialized) by barcode, of counted products, which a revision may have dropped from the manifest."""
    holds: Map[str, Hold] = field(default_factory=Map)
    """Holds by the id of the verdict."""
    packed: int | None = None
    """The revision that was packed here; None while the order is not packed."""
    forgotten: bool = False
    """Whether the boxes of an earlier packing are no longer known."""
    first: int = 0
    """The journal position of the order's first event; 0 if it has none."""
    last: int = 0
    """The journal position of the order's newest event."""

    @property
    def id(self) -> str:
        return self.manifest.order

    @property
    def is_open(self) -> bool:
        """Neither packed here nor packed, cancelled or withdrawn by the centre."""
        return self.packed is None and self.manifest.status is Status.OPEN

    @property
    def box(self) -> Box | None:
        """The open box; None while nothing is in it."""
        return self.boxes.get(self.open_box) if self.open_box is not None else None

    def scanned_on(self, line: str) -> int:
        return self.scanned.get(line, 0) + self.elsewhere.get(line, 0)

    def ordered_on(self, line: str) -> int:
        known = self.manifest.line_by_id.get(line)
        return known.quantity if known is not None else 0

    def pending_on(self, line: str) -> int:
        """Return ordered − scanned, which is negative for a misfit (`workflow.md#manifest-revisions`)."""
        return self.ordered_on(line) - self.scanned_on(line)

    def lines(self) -> Iterator[str]:
        """Yield the manifest's lines in its order, then counted lines that a revision dropped."""
        yield from self.manifest.line_by_id
        gone = {*self.scanned, *self.elsewhere} - self.manifest.line_by_id.keys()
        yield from sorted(line for line in gone if self.scanned_on(line))

    @property
    def total_pending(self) -> int:
        return self.manifest.total_ordered - self.total_scanned

    def is_complete(self) -> bool:
        """Return whether no line has anything pending."""
        return all(self.pending_on(line) <= 0 for line in self.lines())

    def is_exact(self) -> bool:
        """Return whether ordered = scanned on every line."""
        return all(self.pending_on(line) == 0 for line in self.lines())

    def role(self, role: Role) -> str | None:
        """Return who has a role: assigned here, or else named by the manifest (`workflow.md#required-roles`)."""
        return self.assigned.get(role) or self.manifest.operators.get(role)

    def sku_of(self, code: str) -> str | None:
        """Return the SKU of a product of the manifest, or counted before, by its barcode.

        `code` is in the form of `same_case`; a GTIN is 14 digits.
        """
        sku = self.manifest.sku_by_code.get(code)
        if sku is None and code in self.known:
            sku = self.known[code][0]
        return sku

    def lines_of(self, sku: str) -> list[Line]:
        """Return the lines of a product (`scanning.md#comparing-codes`)."""
        key = same_case(sku)
        return [line for line in self.manifest.lines if same_case(line.sku) == key]

    def is_serialized(self, sku: str) -> bool:
        """Return whether no line counts pieces of a product. A product may be on lines of both kinds."""
        lines = self.lines_of(sku)
        return all(line.serialized for line in lines) if lines else self.known.get(same_case(sku), (sku, True))[1]

    def held_units(self) -> frozenset[str]:
        return frozenset(hold.unit for hold in self.holds.values() if hold.unit is not None)


# -- the kiosk ---------------------------------------------------------------------------------------------------


class StationState(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state of one bench (`workflow.md#stations-are-independent`).

    Snapshots hold it as it is, without the fields at their defaults: to change a default changes the stored format.
    """

    operator: str | None = None
    order: str | None = None
    phase: Phase = Phase.READY
    mode: Flow | None = None
    kind: Kind = Kind.AUTO
    product: str | None = None
    """The SKU of the selected product."""
    quantity: int | None = None
    """The pending QTY."""
    remove: bool = False
    """REMOVE is pending."""
    role: AwaitedRole | None = None
    """The role whose badge is awaited; `all` for the three roles."""
    resume: Phase = Phase.SCANNING
    """The phase that assigning a role goes back to."""


class State(Struct, frozen=True, kw_only=True):
    """Everything that a restart must find again."""

    stations: Map[str, StationState] = field(default_factory=Map)
    orders: Map[str, Order] = field(default_factory=Map)
    packed: Map[str, tuple[int, int]] = field(default_factory=Map)
    """(revision, journal position) of the packing of orders whose details are dropped."""
    units: Map[str, tuple[str, ...]] = field(default_factory=Map)
    """The unpacked orders in which a device is counted, by its identifiers in the form of `unit_key`."""
    labels: Map[str, str] = field(default_factory=Map)
    """Box ids by box label, in the form of `same_case`."""
    verdicts: Map[str, int] = field(default_factory=Map)
    """The newest revision taken of each verdict, by its id; see `older_verdicts`."""
    older_verdicts: Map[str, int] = field(default_factory=Map)
    """The 10,000 verdicts before those in `verdicts`. When there are as many, they take the place of these, so that
    the newest 10,000 are always known and no more than twice as many (`mqtt.md#bounded-memory`)."""
    barred: Map[str, tuple[str, ...]] = field(default_factory=Map)
    """The verdicts that bar a removed held unit, by its identifier (`workflow.md#end-of-a-hold`)."""
    box_number: int = 0
    """The highest number that a box was given. Box ids are never used again."""
    journals: frozenset[str] = frozenset()
    """The ids that the journal of this kiosk has had."""

    def verdict_revision(self, verdict: str) -> int:
        """Return the newest revision taken of a verdict; 0 if none is remembered."""
        return max(self.verdicts.get(verdict, 0), self.older_verdicts.get(verdict, 0))

    def station(self, name: str) -> StationState:
        return self.stations.get(name) or _FRESH

    def station_with(self, order: str) -> str | None:
        """Return the station at which an order is open (`workflow.md#one-station-per-order`)."""
        return next((name for name, station in self.stations.items() if station.order == order), None)


_FRESH = StationState()
