"""What kiosks have packed for an order, in parts of bounded size (`mqtt.md#counted-parts`). Pure.

A box stays in the part that it was first put into, so that one box changes one part.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from agent.contract.counted import CountedBox, CountedContent, CountedPart
from agent.contract.manifest import unit_key
from centre.store.box_rows import BoxRow

__all__ = ["MAX_PART_BYTES", "ROOM_BYTES", "counted_boxes", "next_parts"]

MAX_PART_BYTES = 255 * 1024
"""The kiosk's limit is 256 KiB; the rest is for the fields beside the boxes."""

ROOM_BYTES = 192 * 1024
"""A part takes new boxes up to this size, so that boxes that are reopened can grow where they are."""

MAX_BOX_BYTES = 60_000
"""No kiosk takes a larger one, and none confirms one (`mqtt.md#counted-parts`)."""


def counted_boxes(rows: Iterable[BoxRow]) -> dict[str, CountedBox]:
    """Return the confirmed ones among the boxes of an order as kiosks get them, by id.

    A kiosk refuses a part that names a box or a unit twice. Where branches of one journal have the same box, the
    newest is taken; a unit that lies in two boxes stays in the first.
    """
    newest = {row.box: row for row in rows if row.state == "confirmed"}
    taken: set[str] = set()
    found = {}
    for name, row in newest.items():
        entry = CountedBox(box=name, kiosk=row.kiosk, contents=tuple(_contents(row, taken)))
        if entry.contents and len(msgspec.json.encode(entry)) <= MAX_BOX_BYTES:
            found[name] = entry
    return found


def _contents(row: BoxRow, taken: set[str]) -> Iterable[CountedContent]:
    quantities: dict[str, int] = {}
    units: dict[str, list[str]] = {}
    for piece in row.pieces:
        if piece.unit is not None:
            key = unit_key(piece.unit)
            if key in taken:
                continue
            taken.add(key)
            units.setdefault(piece.line, []).append(piece.unit)
        quantities[piece.line] = quantities.get(piece.line, 0) + piece.quantity
    for line, quantity in quantities.items():
        yield CountedContent(line=line, quantity=quantity, units=tuple(units.get(line, ())))


class _Part(Struct):
    """A part while it is filled."""

    boxes: list[CountedBox]
    size: int = 0

    def add(self, box: CountedBox, limit: int) -> bool:
        """Add a box if there is room for it."""
        size = len(msgspec.json.encode(box)) + 1
        if self.size + size > limit:
            return False
        self.boxes.append(box)
        self.size += size
        return True


def next_parts(
    order: str, known: Sequence[CountedPart], boxes: Mapping[str, CountedBox], gone: Collection[str]
) -> list[CountedPart]:
    """Return the parts that must change so that all parts together hold these boxes, and none that is gone.

    A box that is neither stays: a centre that was restored has not heard of it again yet.
    """
    parts = {part.part: _Part(boxes=[]) for part in known}
    placed = set()
    for part in known:
        for old in part.boxes:
            box = boxes.get(old.box, None if old.box in gone else old)
            if box is not None and old.box not in placed and parts[part.part].add(box, MAX_PART_BYTES):
                placed.add(old.box)
    for name, box in boxes.items():
        if name not in placed:
            _place(box, parts)
    revisions = {part.part: part.revision for part in known}
    before = {part.part: part.boxes for part in known}
    return [
        CountedPart(order=order, part=name, revision=revisions.get(name, 0) + 1, boxes=tuple(part.boxes))
        for name, part in parts.items()
        if before.get(name) != tuple(part.boxes)
    ]


def _place(box: CountedBox, parts: dict[str, _Part]) -> None:
    if any(part.add(box, ROOM_BYTES) for part in parts.values()):
        return
    name = next(str(number) for number in range(len(parts) + 1) if str(number) not in parts)
    parts[name] = _Part(boxes=[])
    parts[name].add(box, MAX_PART_BYTES)
