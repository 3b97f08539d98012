"""A bench at which somebody packs, makes mistakes and changes their mind: events as a kiosk would write them."""

from itertools import count

from agent.contract.event_values import Cause, Content, Outcome, Reopened, Size, Unit
from agent.contract.events import (
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    OrderLeft,
    PackingConfirmed,
    Rejected,
    Released,
    RoleAssigned,
    SignedIn,
    Voided,
)
from agent.contract.manifest import Role
from agent.contract.reasons import Reason
from tests.centre.ingest.played import USED, opened

__all__ = ["Bench"]

STEPS = 12


class Bench:
    """One order at one bench. `step` takes any number and returns the events of one step.

    `name` makes boxes and units different from those of other benches.
    """

    def __init__(self, name: str, order: str) -> None:
        self.name = name
        self.order = order
        self.numbers = count(1)
        self.box = f"{name}-b0"
        self.state = "open"
        self.units: list[tuple[int, str]] = []
        self.cables = 0
        self.accepted_cables = 0

    def step(self, choice: int, sequence: int) -> list[Event]:
        """Return the next events; the first of them gets this sequence."""
        match choice % STEPS:
            case 0:
                return [opened(self.order)]
            case 1 | 2 | 3:
                return [self._unit(sequence)]
            case 4:
                return [self._cables(choice % 5 + 1)]
            case 5:
                return self._remove()
            case 6:
                return [BoxCreated(box=self.box, order=self.order, mode=USED, contents=self.contents())]
            case 7:
                return self._confirm()
            case 8:
                return self._dissolve()
            case 9:
                return [self._assigned(choice)]
            case 10:
                return [self._rejected(choice), *self._held()]
            case _:
                return [self._packed(), OrderLeft(order=self.order, revision=1, mode=None)]

    def contents(self) -> tuple[Content, ...]:
        units = tuple(unit for _, unit in self.units)
        found = [Content(line="1", sku="P13", quantity=len(units), units=units)] if units else []
        found += [Content(line="2", sku="CABLE", quantity=self.cables, units=())] if self.cables else []
        return tuple(found)

    def _unit(self, sequence: int) -> Event:
        unit = f"{self.name}U{next(self.numbers)}"
        self.units.append((sequence, unit))
        return self._scan(Unit(scheme="serial", id=unit, aliases=(unit + "x",)), 1)

    def _cables(self, quantity: int) -> Event:
        self.cables += quantity
        return self._scan(None, quantity)

    def _scan(self, unit: Unit | None, quantity: int) -> Event:
        return Accepted(
            station="1",
            by="E7",
            order=self.order,
            line="2" if unit is None else "1",
            sku="CABLE" if unit is None else "P13",
            mode=USED,
            unit=unit,
            quantity=quantity,
            box=self.box,
            scanner=None,
            symbology=None,
            line_scanned=1,
            line_pending=0,
            order_scanned=1,
            order_pending=0,
        )

    def _remove(self) -> list[Event]:
        if self.units:
            sequence, unit = self.units.pop()
            return [self._voided(Unit(scheme="serial", id=unit, aliases=(unit + "x",)), 1, sequence)]
        if self.cables:
            self.cables -= 1
            return [self._voided(None, 1, 1)]
        return [SignedIn(operator="E7", cause=Cause.BADGE)]

    def _voided(self, unit: Unit | None, quantity: int, sequence: int) -> Event:
        return Voided(
            sequence=f"{sequence:012d}",
            order=self.order,
            line="2" if unit is None else "1",
            sku="CABLE" if unit is None else "P13",
            mode=USED,
            unit=unit,
            quantity=quantity,
            box=self.box,
            scanner=None,
            symbology=None,
            line_scanned=1,
            line_pending=0,
            order_scanned=1,
            order_pending=0,
        )

    def _confirm(self) -> list[Event]:
        size = Size(code="M", length_mm=300, width_mm=200, height_mm=150)
        box, contents = self.box, self.contents()
        events: list[Event] = [
            BoxSized(box=box, order=self.order, size="M", label=None),
            BoxConfirmed(box=box, order=self.order, mode=USED, contents=contents, size=size, label=f"{box}-L"),
        ]
        if len(self.units) % 2:
            events.append(BoxReopened(box=box, order=self.order, mode=USED, contents=contents, state=Reopened.SCANNING))
        else:
            self._next_box()
        return events

    def _dissolve(self) -> list[Event]:
        box = self.box
        self._next_box()
        return [BoxVoided(box=box, order=self.order, mode=USED, contents=())]

    def _next_box(self) -> None:
        self.box = f"{self.name}-b{next(self.numbers)}"
        self.units, self.cables = [], 0

    def _assigned(self, choice: int) -> Event:
        return RoleAssigned(order=self.order, role=list(Role)[choice % 3], operator=f"E{choice % 7}")

    def _rejected(self, choice: int) -> Event:
        reason = list(Reason)[choice % len(Reason)]
        return Rejected(reason=reason, code="X", seen=None, symbology=None, scanner=None, order=self.order)

    def _held(self) -> list[Event]:
        if not self.units:
            return []
        unit = self.units[-1][1]
        return [
            Held(verdict="v1", order=self.order, unit=unit, reason=None),
            Released(verdict="v1", order=self.order, unit=unit, reason=None, outcome=Outcome.RELEASED),
        ]

    def _packed(self) -> Event:
        operators = {"picking": "E1", "packing": None, "shipping": "E2"}
        return PackingConfirmed(order=self.order, revision=1, lines=(), boxes=(self.box,), operators=operators)
