"""The state of a kiosk: its stations, the orders known here, what is counted in which box. Immutable throughout.

The state is the fold of the journal's events (`agent.workflow.fold`) and nothing else; what only lives between two
scans (bounce, time-outs) is `agent.workflow.memory`'s.
"""

from collections.abc import Iterator
from enum import StrEnum

from immutables import Map
from msgspec import Struct, field

from agent.contract.events import Kind, Unit
from agent.contract.manifest import Flow, Line, Manifest, Role, Status, all_in_same_case, same_case
from agent.contract.station_view import Phase
from agent.workflow.entries import Entries, Entry

__all__ = ["Box", "BoxState", "Hold", "Order", "Phase", "State", "Station", "ids_of"]


class BoxState(StrEnum):
    OPEN = "open"
    CREATED = "created"
    CONFIRMED = "confirmed"


def ids_of(unit: Unit) -> tuple[str, ...]:
    """All identifiers of a device in comparable form."""
    if not unit.aliases:
        return (same_case(unit.id),)
    return tuple(all_in_same_case((unit.id, *unit.aliases)))


class Box(Struct, frozen=True, kw_only=True):
    """`dissolves` says that the box was created once (SAVE): left empty, it is voided.

    `units` counts the serialized devices in it, `bytes` about how much room its contents take in an event.
    """

    id: str
    mode: Flow
    entries: Entries = Entries()
    state: BoxState = BoxState.OPEN
    dissolves: bool = False
    size: str | None = None
    label: str | None = None
    units: int = 0
    bytes: int = 0

    def bytes_with(self, line: str, sku: str, unit: Unit | None) -> int:
        """`bytes` once that lies in it too: the unit's id, and the line's frame if it is the first of the line."""
        grown = self.bytes
        if not self.entries.has_line(line):
            grown += len(line.encode()) + len(sku.encode()) + 60
        if unit is not None:
            grown += len(unit.id.encode()) + 3
        return grown

    def entry_of(self, identifier: str) -> Entry | None:
        """The entry of a device, by any of its identifiers in comparable form."""
        return next((e for e in self.entries if e.unit is not None and identifier in ids_of(e.unit)), None)

    def quantity_of(self, sku: str) -> int:
        """How many pieces of a non-serialized product lie in it."""
        return sum(e.quantity for e in self.entries if e.unit is None and same_case(e.sku) == same_case(sku))


class Hold(Struct, frozen=True, kw_only=True):
    """A verdict's hold on a unit of the order; `unit` in comparable form."""

    unit: str
    reason: str | None


class Order(Struct, frozen=True, kw_only=True):
    """An order that was opened or counted at this kiosk.

    `confirmed` lists its confirmed boxes, oldest first. `counted` maps identifiers in comparable form to boxes.
    `scanned` counts pieces by line, here alone; `elsewhere` what the centre counted at other kiosks; `total_scanned` is
    the sum of both.
    `known` remembers products by barcode, (sku, serialized), that were counted and may have left the manifest.
    `packed` is the revision at which it was packed here. `first` and `last` are the journal positions between which
    all its events lie. `forgotten` says that its boxes of an earlier packing are no longer known here.
    """

    manifest: Manifest
    assigned: Map[Role, str] = field(default_factory=Map)
    boxes: Map[str, Box] = field(default_factory=Map)
    confirmed: tuple[str, ...] = ()
    open_box: str | None = None
    counted: Map[str, str] = field(default_factory=Map)
    scanned: Map[str, int] = field(default_factory=Map)
    elsewhere: Map[str, int] = field(default_factory=Map)
    total_scanned: int = 0
    elsewhere_units: frozenset[str] = frozenset()
    known: Map[str, tuple[str, bool]] = field(default_factory=Map)
    holds: Map[str, Hold] = field(default_factory=Map)
    packed: int | None = None
    forgotten: bool = False
    first: int = 0
    last: int = 0

    @property
    def id(self) -> str:
        return self.manifest.order

    @property
    def is_open(self) -> bool:
        """Neither packed here nor packed, cancelled or withdrawn by the centre."""
        return self.packed is None and self.manifest.status is Status.OPEN

    @property
    def box(self) -> Box | None:
        """The open box; none while nothing lies in it yet."""
        return self.boxes.get(self.open_box) if self.open_box is not None else None

    def scanned_on(self, line: str) -> int:
        return self.scanned.get(line, 0) + self.elsewhere.get(line, 0)

    def ordered_on(self, line: str) -> int:
        known = self.manifest.line_by_id.get(line)
        return known.quantity if known is not None else 0

    def pending_on(self, line: str) -> int:
        """May be negative after a revision."""
        return self.ordered_on(line) - self.scanned_on(line)

    def lines(self) -> Iterator[str]:
        """The manifest's lines in its order, then counted lines that a revision dropped."""
        yield from self.manifest.line_by_id
        gone = {*self.scanned, *self.elsewhere} - self.manifest.line_by_id.keys()
        yield from sorted(line for line in gone if self.scanned_on(line))

    @property
    def total_pending(self) -> int:
        return self.manifest.total_ordered - self.total_scanned

    def is_complete(self) -> bool:
        return all(self.pending_on(line) <= 0 for line in self.lines())

    def is_exact(self) -> bool:
        """Ordered = scanned on every line."""
        return all(self.pending_on(line) == 0 for line in self.lines())

    def role(self, role: Role) -> str | None:
        """Who does it: assigned here, or else named by the manifest."""
        return self.assigned.get(role) or self.manifest.operators.get(role)

    def sku_of(self, code: str) -> str | None:
        """The product of a barcode in comparable form (a GTIN as 14 digits), of the manifest or counted before."""
        sku = self.manifest.sku_by_code.get(code)
        if sku is None and code in self.known:
            sku = self.known[code][0]
        return sku

    def lines_of(self, sku: str) -> list[Line]:
        return [line for line in self.manifest.lines if line.sku == sku]

    def is_serialized(self, sku: str) -> bool:
        lines = self.lines_of(sku)
        return lines[0].serialized if lines else self.known.get(same_case(sku), (sku, True))[1]

    def held_units(self) -> frozenset[str]:
        return frozenset(hold.unit for hold in self.holds.values())


class Station(Struct, frozen=True, kw_only=True):
    """One bench. `role` is the role whose badge is awaited (`all` for the three); `resume` where assigning goes back.

    `product` is the SKU selected; `quantity` the QTY pending; `remove` whether REMOVE is.
    """

    operator: str | None = None
    order: str | None = None
    phase: Phase = Phase.READY
    mode: Flow | None = None
    kind: Kind = Kind.AUTO
    product: str | None = None
    quantity: int | None = None
    remove: bool = False
    role: str | None = None
    resume: Phase = Phase.SCANNING


class State(Struct, frozen=True, kw_only=True):
    """Everything a restart must find again.

    `packed` maps orders packed here whose details are forgotten to (the revision, the position) they were packed at.
    `units` maps
    identifiers in comparable form to the unpacked orders they are counted in; `labels` box labels to their boxes.
    `verdicts` maps verdict ids to the revision taken, `barred` removed held units to the verdicts that bar them.
    `box_number` is the highest number a box was given; `journals` are the journal ids of this kiosk.
    """

    stations: Map[str, Station] = field(default_factory=Map)
    orders: Map[str, Order] = field(default_factory=Map)
    packed: Map[str, tuple[int, int]] = field(default_factory=Map)
    units: Map[str, tuple[str, ...]] = field(default_factory=Map)
    labels: Map[str, str] = field(default_factory=Map)
    verdicts: Map[str, int] = field(default_factory=Map)
    barred: Map[str, tuple[str, ...]] = field(default_factory=Map)
    box_number: int = 0
    journals: frozenset[str] = frozenset()

    def station(self, name: str) -> Station:
        return self.stations.get(name) or _FRESH

    def station_with(self, order: str) -> str | None:
        """The station at which an order is open."""
        return next((name for name, station in self.stations.items() if station.order == order), None)


_FRESH = Station()
