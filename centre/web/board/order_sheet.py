"""One order as its pages show it: lines with counts, boxes with contents, facts. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from markupsafe import Markup
from msgspec import Struct

from centre.orders.order_status import box_contents, line_statuses
from centre.orders.published_manifest import manifest_in_force
from centre.store.box_rows import BoxRow
from centre.store.order_rows import OrderRow
from centre.web.board.bench_facts import OpenHold
from centre.web.board.looks import Appearance, Tone, box_look, line_look, order_look
from centre.web.board.naming import Naming
from centre.web.board.open_holds import hold_sentence
from centre.web.board.page_times import PageClock
from centre.web.board.plain_words import plural, role_words

__all__ = [
    "BoxSheet",
    "ContentSheet",
    "LineSheet",
    "OrderSheet",
    "box_sheet",
    "order_sheet",
    "ordered_pieces",
    "wanted_of",
]

Fact = tuple[str, Markup | str]


class Note(NamedTuple):
    """A sentence that stands before everything else."""

    tone: Tone
    sentence: str


class WantedLine(Struct, frozen=True):
    """A line of a manifest, as far as pages show it."""

    line: str
    sku: str
    quantity: int
    name: str | None = None
    serialized: bool = False
    flow: str | None = None


class Wanted(Struct, frozen=True):
    """A manifest, as far as pages show it."""

    lines: tuple[WantedLine, ...] = ()
    barcodes: tuple[str, ...] = ()
    type: str | None = None


_wanted = msgspec.json.Decoder(Wanted)


class _Quantity(Struct):
    quantity: int


class _Quantities(Struct):
    lines: tuple[_Quantity, ...] = ()


_quantities = msgspec.json.Decoder(_Quantities)


def wanted_of(manifest: str | None) -> Wanted | None:
    """Read a stored manifest; None if there is none."""
    return None if manifest is None else _wanted.decode(manifest)


def ordered_pieces(manifest: str | None) -> int | None:
    """Return how many pieces a stored manifest orders; None if there is none."""
    return None if manifest is None else sum(line.quantity for line in _quantities.decode(manifest).lines)


class LineSheet(Struct, frozen=True, kw_only=True):
    """One line of an order."""

    line: str
    sku: str
    name: str | None
    ordered: int
    scanned: int
    flow: str | None
    serialized: bool

    @property
    def pending(self) -> int:
        return self.ordered - self.scanned

    @property
    def look(self) -> Appearance:
        return line_look(self.scanned, self.ordered)


class ContentSheet(Struct, frozen=True, kw_only=True):
    """What a box holds of one line."""

    line: str
    sku: str
    name: str | None
    quantity: int
    units: Sequence[str]


class BoxSheet(Struct, frozen=True, kw_only=True):
    """One box."""

    name: str
    order: str
    label: str | None
    state: str
    place: str
    size: str | None
    confirmed_at: str | None
    contents: Sequence[ContentSheet]

    @property
    def look(self) -> Appearance:
        return box_look(self.state)

    @property
    def quantity(self) -> int:
        return sum(content.quantity for content in self.contents)

    @property
    def pieces(self) -> str:
        return plural(self.quantity, "piece")

    def facts(self, clock: PageClock) -> list[Fact]:
        """Return label, size and when it was confirmed, where there are any."""
        facts: list[Fact] = []
        if self.label:
            facts.append(("label", self.label))
        if self.size:
            facts.append(("size", self.size))
        if self.confirmed_at:
            facts.append(("confirmed", clock.at(self.confirmed_at)))
        return facts


class OrderSheet(Struct, frozen=True, kw_only=True):
    """One order."""

    name: str
    status: str
    has_manifest: bool
    source: str
    incomplete: bool
    holds: Sequence[OpenHold]
    lines: Sequence[LineSheet]
    boxes: Sequence[BoxSheet]
    barcodes: Sequence[str]
    scanned: int
    ordered: int | None
    facts: Sequence[Fact]
    people: Sequence[tuple[str, str]]

    @property
    def look(self) -> Appearance:
        return order_look(self.status)

    @property
    def is_closed(self) -> bool:
        return self.status in ("packed", "cancelled", "withdrawn")

    @property
    def notes(self) -> list[Note]:
        """What a person should know about the order before anything else."""
        notes = [Note(Tone.STOP, hold_sentence(hold, self.name)) for hold in self.holds]
        if self.incomplete:
            sentence = (
                "Events about this order are stored that do not count yet: wait for those before them, or upgrade."
            )
            notes.append(Note(Tone.WARN, sentence))
        if not self.has_manifest:
            notes.append(
                Note(Tone.WARN, "Kiosks work on this order, but the centre has no manifest of it: bring it in.")
            )
        return notes


def box_sheet(row: BoxRow, naming: Naming, names: dict[str, str | None] | None = None) -> BoxSheet:
    """Return a box with its contents put together by line. `names`: of the products, by line."""
    size = row.size
    if size and row.length_mm:
        size += f" ({row.length_mm} × {row.width_mm} × {row.height_mm} mm)"
    return BoxSheet(
        name=row.box,
        order=row.order_name,
        label=row.label,
        state=row.state,
        place=naming.bench(row.site, row.kiosk, None),
        size=size,
        confirmed_at=row.confirmed_at,
        contents=[
            ContentSheet(
                line=content.line,
                sku=content.sku,
                name=(names or {}).get(content.line),
                quantity=content.quantity,
                units=content.units,
            )
            for content in box_contents(row.pieces)
        ],
    )


def order_sheet(
    row: OrderRow,
    boxes: Sequence[BoxRow],
    operators: dict[str, str],
    clock: PageClock,
    naming: Naming,
    *,
    incomplete: bool,
    holds: Sequence[OpenHold] = (),
) -> OrderSheet:
    """Return an order as its pages show it. `operators`: by role; they are left out unless `naming` names any."""
    wanted = wanted_of(row.manifest)
    lines = _lines(row, wanted, boxes)
    names = {line.line: line.name for line in lines}
    return OrderSheet(
        name=row.name,
        status=row.status,
        has_manifest=wanted is not None,
        source=row.source,
        incomplete=incomplete,
        holds=holds,
        lines=lines,
        boxes=[box_sheet(box, naming, names) for box in boxes],
        barcodes=wanted.barcodes if wanted else (),
        scanned=sum(line.scanned for line in lines),
        ordered=None if wanted is None else sum(line.ordered for line in lines),
        facts=_facts(row, clock),
        people=_people(row, operators, naming),
    )


def _lines(row: OrderRow, wanted: Wanted | None, boxes: Sequence[BoxRow]) -> list[LineSheet]:
    described = {line.line: line for line in wanted.lines} if wanted else {}
    lines = []
    for line in line_statuses(manifest_in_force(row), boxes):
        known = described.get(line.line)
        lines.append(
            LineSheet(
                line=line.line,
                sku=line.sku,
                name=known.name if known else None,
                ordered=line.ordered,
                scanned=line.scanned,
                flow=(known.flow if known else None) or ("pos" if wanted and wanted.type == "pos" else None),
                serialized=known is not None and known.serialized,
            )
        )
    return lines


_SOURCES = {"centre": "the centre", "broker": "another system, by the broker", "kiosk": "kiosks alone"}


def _facts(row: OrderRow, clock: PageClock) -> list[Fact]:
    facts: list[Fact] = [("site", row.site or "all")]
    if row.revision is not None:
        facts.append(("revision", str(row.revision)))
    facts.append(("known from", _SOURCES.get(row.source, row.source)))
    if row.opened_at:
        facts.append(("first opened", clock.at(row.opened_at)))
    if row.packed_at:
        facts.append(("packed", clock.at(row.packed_at)))
    facts.append(("changed", clock.ago(row.changed_at)))
    return facts


def _people(row: OrderRow, operators: dict[str, str], naming: Naming) -> list[tuple[str, str]]:
    named = [(role, operators.get(role)) for role in ("picking", "packing", "shipping")]
    sites = [row.site] if row.site else sorted({site for site, _ in naming.operators or ()})
    found = []
    for role, operator in named:
        if operator is None or naming.operators is None:
            continue
        names = [naming.operators[site, operator] for site in sites if (site, operator) in naming.operators]
        words = role_words(role).lower()
        if role != "picking" and row.status != "packed":
            words = f"to be {words}"  # assigned, and not done yet
        found.append((words, names[0] if names else operator))
    return found
