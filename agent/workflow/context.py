"""The desk of one decision: the state as it grows by the events that a scan causes, and what those events need.

`Desk.record` is the only way to change anything: it keeps the event and folds it at once, so that the counts in the
next event are those after this one, and the state after a step is the fold of its events by construction.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

from agent.contract.box_sizes import BoxSize
from agent.contract.events import (
    Accepted,
    BoxVoided,
    Content,
    Event,
    LineCount,
    OrderLeft,
    Outcome,
    Rejected,
    Released,
    Unit,
    Voided,
)
from agent.contract.manifest import Flow, Line, Manifest, Role
from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal
from agent.workflow.classify import Lookup, escaped
from agent.workflow.entries import Entry
from agent.workflow.fold import At, fold
from agent.workflow.ladder import room_in
from agent.workflow.state import Box, Order, State, Station, ids_of

__all__ = ["LINES_BYTES", "Cache", "Desk", "Refusal", "Settings", "contents_of", "line_bytes", "line_counts"]

LINES_BYTES = 60_000
"""As much of an event's 64 KiB as counts of lines may take: 500 lines with ids of 64 plain characters."""

_COUNT_BYTES = 56


class Settings(Struct, frozen=True, kw_only=True):
    """SPEC 6's [workflow]; times in seconds."""

    required_roles: tuple[Role, ...] = tuple(Role)
    packer_confirms: bool = True
    idle_sign_out_s: float = 600.0
    bounce_s: float = 0.5


class Cache(Lookup, Protocol):
    """What the workflow asks of everything that the centre has told us."""

    def manifest(self, order: str) -> Manifest | None: ...
    def size(self, code: str) -> BoxSize | None: ...
    def is_blocked(self, identifier: str) -> bool: ...


E_ = TypeVar("E_", bound=Event)


class Refusal(Exception):
    """A scan is refused; carries why. Raised inside a step only, which undoes what it emitted before."""

    def __init__(self, reason: Reason, *, seen: Seen | None = None, signal: Signal = Signal.REJECT) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.seen = seen
        self.signal = Signal.AGAIN if reason is Reason.ALREADY_COUNTED else signal


def contents_of(box: Box) -> tuple[Content, ...]:
    """What a box holds, by line and SKU in the order in which they were begun."""
    pieces: dict[tuple[str, str], int] = {}
    units: dict[tuple[str, str], list[str]] = {}
    for entry in box.entries:
        key = (entry.line, entry.sku)
        pieces[key] = pieces.get(key, 0) + entry.quantity
        if entry.unit is not None:
            units.setdefault(key, []).append(entry.unit.id)
    return tuple(
        Content(line=line, sku=sku, quantity=quantity, units=tuple(units.get((line, sku), ())))
        for (line, sku), quantity in pieces.items()
    )


def line_counts(order: Order, lines: Iterable[str]) -> tuple[LineCount, ...]:
    """Of each of these lines; where hundreds with the longest ids do not go into one event, of the first ones."""
    left = LINES_BYTES
    counts = []
    for line in lines:
        left -= line_bytes(line)
        if left < 0:
            break
        counts.append(LineCount(line=line, ordered=order.ordered_on(line), scanned=order.scanned_on(line)))
    return tuple(counts)


def line_bytes(line: str) -> int:
    """At most so much of an event does one line's count take."""
    return len(line.encode()) + line.count('"') + line.count("\\") + _COUNT_BYTES


class Desk(Struct, kw_only=True, eq=False):
    """One decision being made at `station_id`. `next_sequence` and `position` are those its first event would get.

    `events` are what has happened at it so far; `state` and `station`, this desk's, are those after them. `symbology`
    and `data` are of the scan in hand, as far as it is read.
    """

    state: State
    station_id: str
    cache: Cache
    settings: Settings
    now: float
    journal: str
    next_sequence: int
    position: int
    scanner: str | None = None
    symbology: str | None = None
    data: bytes = b""
    events: list[Event] = field(default_factory=list)
    station: Station = Station()
    found: State = State()
    """The state before the first event; this and `station` are not to be handed in."""

    def __post_init__(self) -> None:
        self.found = self.state
        self.station = self.state.station(self.station_id)

    @property
    def order(self) -> Order:
        """The order open at the station; KeyError where there is none, which the table keeps from happening."""
        return self.state.orders[self.station.order or ""]

    def emit(self, make: Callable[..., E_], *, station: str | None = None, **values: Any) -> E_:
        """Record `make(**values)`. The envelope's station and operator are filled in."""
        name = station or self.station_id
        event = make(station=name, by=self.state.station(name).operator, **values)
        self.record(event)
        return event

    def record(self, event: Event) -> None:
        """It has happened: fold it."""
        at = At.in_commit(len(self.events), journal=self.journal, position=self.position, sequence=self.next_sequence)
        self.events.append(event)
        self.state = fold(self.state, event, at)
        self.station = self.state.station(self.station_id)

    def undo(self) -> None:
        """Nothing has happened at this desk."""
        self.events.clear()
        self.state = self.found
        self.station = self.state.station(self.station_id)

    def reject(self, reason: Reason, *, seen: Seen | None = None, clears: tuple[str, ...] = ()) -> Rejected:
        """Record that the scan in hand was refused."""
        return self.emit(
            Rejected,
            reason=reason,
            code=escaped(self.data),
            seen=seen,
            symbology=self.symbology,
            scanner=self.scanner,
            order=self.station.order,
            clears=clears,
        )

    # -- what several acts do ------------------------------------------------------------------------------------

    def accept(self, line: Line, unit: Unit | None, quantity: int) -> Accepted:
        """Count on a line, into the open box or a new one; Refusal when the box is full."""
        order = self.order
        box = order.box
        if box is not None and not room_in(box, line, unit):
            raise Refusal(Reason.BOX_FULL)
        scanned, total_scanned = order.scanned_on(line.id) + quantity, order.total_scanned + quantity
        event = Accepted(
            station=self.station_id,
            by=self.station.operator,
            order=order.id,
            line=line.id,
            sku=line.sku,
            mode=box.mode if box is not None else line.flow,
            unit=unit,
            quantity=quantity,
            box=box.id if box is not None else f"{self.journal}{self.state.box_number + 1:06d}",
            scanner=self.scanner,
            symbology=self.symbology,
            line_scanned=scanned,
            line_pending=line.quantity - scanned,
            order_scanned=total_scanned,
            order_pending=order.manifest.total_ordered - total_scanned,
        )
        self.record(event)
        return event

    def void(self, box: Box, entry: Entry, quantity: int) -> None:
        """Take `quantity` pieces of an entry out of its box; a held unit that is taken out, however, ends its hold."""
        order = self.order
        self.emit(
            Voided,
            sequence=f"{entry.sequence:012d}",
            order=order.id,
            line=entry.line,
            sku=entry.sku,
            mode=box.mode,
            unit=entry.unit,
            quantity=quantity,
            box=box.id,
            scanner=self.scanner,
            symbology=self.symbology,
            line_scanned=order.scanned_on(entry.line) - quantity,
            line_pending=order.pending_on(entry.line) + quantity,
            order_scanned=order.total_scanned - quantity,
            order_pending=order.total_pending + quantity,
        )

        if entry.unit is not None and order.holds:
            self._end_holds(order, entry.unit)

    def _end_holds(self, order: Order, unit: Unit) -> None:
        ids = ids_of(unit)
        for verdict, hold in sorted(order.holds.items(), key=lambda item: item[0]):
            if hold.unit in ids:
                self.emit(
                    Released,
                    verdict=verdict,
                    order=order.id,
                    unit=unit.id,
                    reason=hold.reason,
                    outcome=Outcome.UNIT_REMOVED,
                )

    def dissolve_if_empty(self) -> None:
        """A box that was created once and is left empty is voided."""
        box = self.order.box
        if box is not None and not box.entries:
            self.emit_box(BoxVoided, box)

    def emit_box(self, make: Callable[..., E_], box: Box, **values: Any) -> E_:
        return self.emit(make, box=box.id, order=self.order.id, mode=box.mode, contents=contents_of(box), **values)

    def leave_order(self, station: str | None = None) -> None:
        """The station (this one if not named) puts its order down; the open box stays as it is."""
        name = station or self.station_id
        left = self.state.station(name)
        if left.order is not None:
            revision = self.state.orders[left.order].manifest.revision
            self.emit(OrderLeft, station=name, order=left.order, revision=revision, mode=left.mode)

    def mode_of(self, order: Order) -> Flow | None:
        """The mode in which an order opens: its open box's, or that of all its lines."""
        box = order.box
        return box.mode if box is not None and box.entries else order.manifest.single_flow
