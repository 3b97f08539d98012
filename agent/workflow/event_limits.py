"""What fits into one event of at most 64 KiB (`mqtt.md#event-documents`): a box's contents, the counts of lines."""

from collections.abc import Iterable

from agent.contract.events import Content, LineCount, Unit
from agent.contract.manifest import Line
from agent.workflow.state import Box, Order

__all__ = ["BOX_BYTES", "BOX_UNITS", "LINES_BYTES", "contents_of", "line_bytes", "line_counts", "misfits_of", "room_in"]

BOX_UNITS = 1000
"""How many devices a box holds at most."""

BOX_BYTES = 56_000
"""How many bytes of an event a box's contents may take. Only very long serial numbers reach it."""

LINES_BYTES = 60_000
"""How many bytes of an event the counts of lines may take: 500 lines with ids of 64 plain characters fit."""

_COUNT_BYTES = 56


def room_in(box: Box, line: Line, unit: Unit | None) -> bool:
    """Return whether a box has room for a device, or for pieces, of a line; if not, the scan is `box_full`."""
    return (unit is None or box.units < BOX_UNITS) and box.bytes_with(line.id, line.sku, unit) < BOX_BYTES


def contents_of(box: Box) -> tuple[Content, ...]:
    """Return what a box holds, by line and SKU, in the order in which they were first scanned."""
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
    """Return the counts of these lines; if they do not all fit into one event, those of the first lines."""
    left = LINES_BYTES
    counts = []
    for line in lines:
        left -= line_bytes(line)
        if left < 0:
            break
        counts.append(LineCount(line=line, ordered=order.ordered_on(line), scanned=order.scanned_on(line)))
    return tuple(counts)


def misfits_of(order: Order) -> tuple[LineCount, ...]:
    """Return the lines on which more is counted than ordered (`workflow.md#manifest-revisions`)."""
    return line_counts(order, (line for line in order.lines() if order.pending_on(line) < 0))


def line_bytes(line: str) -> int:
    """Return how many bytes the count of a line takes in an event at most."""
    return len(line.encode()) + line.count('"') + line.count("\\") + _COUNT_BYTES
