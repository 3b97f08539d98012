"""A manifest: what one order must leave with. The frozen type that everything inside works on, with its look-ups.

Parsing and refusing messages is `agent.contract.messages`' subject; a `Manifest` that exists is valid.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import chain

from msgspec import Struct

__all__ = ["CountedElsewhere", "Flow", "Line", "Manifest", "Role", "Status", "all_in_same_case", "same_case"]


class Flow(StrEnum):
    USED = "used"
    DISTRIBUTION = "distribution"
    POS = "pos"


class Role(StrEnum):
    PICKING = "picking"
    PACKING = "packing"
    SHIPPING = "shipping"


class Status(StrEnum):
    OPEN = "open"
    PACKED = "packed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


def same_case(code: str) -> str:
    """The form in which two barcodes are compared: upper case for ASCII; full case folding for anything else.

    What would fold into ASCII (a long s, the Kelvin sign) stays as it is: no such text may pass for a plain code,
    and the form of a form is the same.
    """
    if code.isascii():
        return code.upper()
    folded = code.casefold()
    return code if folded.isascii() else folded


def all_in_same_case(codes: Sequence[str]) -> list[str]:
    """`same_case` of each. One call for all of them where it can be: a manifest may list thousands."""
    text = "\n".join(codes)
    if text.isascii():
        found = text.upper().split("\n")
        if len(found) == len(codes):
            return found
    return [same_case(code) for code in codes]


class Line(Struct, frozen=True, kw_only=True):
    """One line of an order. `gtins` are 14 digits each; `units` are sets of identifiers, the first the published one.

    Identifiers, SKUs and GTINs are as the manifest writes them; compare them by `same_case`.
    """

    id: str
    sku: str
    name: str | None
    gtins: tuple[str, ...]
    flow: Flow
    serialized: bool
    quantity: int
    tacs: frozenset[str]
    units: tuple[tuple[str, ...], ...]
    serial_length: tuple[int, int] | None


class CountedElsewhere(Struct, frozen=True, kw_only=True):
    """What the centre says is in a confirmed box somewhere: on `line`, `quantity` pieces, `units` by their ids."""

    line: str
    quantity: int
    units: tuple[str, ...]
    box: str


class Manifest(Struct, frozen=True, kw_only=True, dict=True):
    """One revision of an order. `source` is the JSON text it was parsed from, kept for cache and journal."""

    order: str
    revision: int
    status: Status
    barcodes: tuple[str, ...]
    operators: Mapping[Role, str]
    lines: tuple[Line, ...]
    counted: tuple[CountedElsewhere, ...]
    reopen: bool
    source: str

    def work_out(self) -> None:
        """Make all look-ups now, in the thread that calls, so that none of them has to be made during a scan."""
        for look_up in (self.line_by_id, self.codes, self.unit_by_id, self.sku_by_code, self.line_of_unit):
            len(look_up)

    @cached_property
    def line_by_id(self) -> Mapping[str, Line]:
        return {line.id: line for line in self.lines}

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every barcode that opens this order, in comparable form; the order id always is one."""
        return frozenset(same_case(code) for code in (self.order, *self.barcodes))

    @cached_property
    def unit_by_id(self) -> Mapping[str, tuple[str, ...]]:
        """Listed identifiers in comparable form, each with all identifiers of its device as written."""
        return self._unit_look_ups[0]

    @cached_property
    def sku_by_code(self) -> Mapping[str, str]:
        """SKUs in comparable form and 14-digit GTINs, each with the SKU as written; the first line wins."""
        found: dict[str, str] = {}
        for line in self.lines:
            found.setdefault(same_case(line.sku), line.sku)
        for line in self.lines:
            for gtin in line.gtins:
                found.setdefault(gtin, line.sku)
        return found

    @cached_property
    def line_of_unit(self) -> Mapping[str, Line]:
        """Listed identifiers in comparable form, each with the line that lists it."""
        return self._unit_look_ups[1]

    @cached_property
    def _unit_look_ups(self) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, Line]]:
        """`unit_by_id` and `line_of_unit`, which share their keys."""
        units: dict[str, tuple[str, ...]] = {}
        lines: dict[str, Line] = {}
        for line in self.lines:
            keys = iter(all_in_same_case(list(chain.from_iterable(line.units))))
            here = {next(keys): unit for unit in line.units for _ in unit}
            units.update(here)
            lines.update(dict.fromkeys(here, line))
        return units, lines

    @cached_property
    def total_ordered(self) -> int:
        return sum(line.quantity for line in self.lines)

    @cached_property
    def single_flow(self) -> Flow | None:
        """The flow that all lines share, or none."""
        flows = {line.flow for line in self.lines}
        return flows.pop() if len(flows) == 1 else None
