"""What is printed for an order: the packing list, also as CSV, and the ticket that starts the work. Pure."""

import csv
import io
from collections.abc import Sequence

from msgspec import Struct

from centre.web.board.order_barcode import PrintedBarcode, order_barcode
from centre.web.board.order_sheet import BoxSheet, Fact, LineSheet, OrderSheet
from centre.web.board.page_times import PageClock
from centre.web.board.plain_words import plural

__all__ = ["PackingList", "Ticket", "packing_list", "packing_list_csv", "ticket"]


class PackingList(Struct, frozen=True, kw_only=True):
    """What lies in which box of an order."""

    order: str
    is_packed: bool
    facts: Sequence[Fact]
    boxes: Sequence[BoxSheet]
    total: str


class TicketLine(Struct, frozen=True, kw_only=True):
    """One line of a ticket."""

    line: str
    sku: str
    name: str | None
    how: str
    ordered: int


class Ticket(Struct, frozen=True, kw_only=True):
    """The paper that starts the work on an order."""

    order: str
    site: str | None
    barcode: PrintedBarcode
    lines: Sequence[TicketLine]
    total: int
    closed_note: str | None


def packing_list(order: OrderSheet, clock: PageClock) -> PackingList:
    """Return the packing list of an order. Dissolved and empty boxes are left out."""
    boxes = _packed_boxes(order)
    facts = [fact for fact in order.facts if fact[0] in ("site", "packed")]
    facts += [(label, name) for label, name in order.people]
    facts.append(("printed", clock.at(clock.now.isoformat())))
    pieces = sum(box.quantity for box in boxes)
    return PackingList(
        order=order.name,
        is_packed=order.status == "packed",
        facts=facts,
        boxes=boxes,
        total=f"{plural(pieces, 'piece')} in {plural(len(boxes), 'box', 'boxes')}",
    )


def packing_list_csv(order: OrderSheet) -> str:
    """Return the packing list as CSV: a row for each serial number, or for pieces of a line without any.

    A spreadsheet would run a text that begins like a formula: such texts get an apostrophe in front.
    """
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\r\n")
    rows.writerow(("order", "box", "label", "size", "kiosk", "confirmed", "line", "sku", "unit", "quantity"))
    for box in _packed_boxes(order):
        start = (order.name, box.name, box.label, box.size, box.place, box.confirmed_at)
        for content in box.contents:
            for unit in content.units:
                rows.writerow(map(_cell, (*start, content.line, content.sku, unit, 1)))
            rest = content.quantity - len(content.units)
            if rest:
                rows.writerow(map(_cell, (*start, content.line, content.sku, None, rest)))
    return stream.getvalue()


def _cell(value: str | int | None) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _packed_boxes(order: OrderSheet) -> list[BoxSheet]:
    return [box for box in order.boxes if box.state != "voided" and box.quantity]


def ticket(order: OrderSheet, site: str | None) -> Ticket:
    """Return the ticket of an order."""
    return Ticket(
        order=order.name,
        site=site,
        barcode=order_barcode(order.name, order.barcodes),
        lines=[_ticket_line(line) for line in order.lines],
        total=sum(line.ordered for line in order.lines),
        closed_note=f"This order is {order.look.word}: kiosks do not open it." if order.is_closed else None,
    )


def _ticket_line(line: LineSheet) -> TicketLine:
    how = f"{line.flow or 'any mode'}, {'each device by its barcode' if line.serialized else 'by product'}"
    return TicketLine(line=line.line, sku=line.sku, name=line.name, how=how, ordered=line.ordered)
