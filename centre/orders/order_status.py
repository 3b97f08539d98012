"""The resource of an order: its manifest, counts, boxes and people, as REST, exports and webhooks show it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from agent.contract.manifest import Role
from centre.orders.manifest_check import Document
from centre.orders.published_manifest import manifest_in_force
from centre.store.box_rows import BoxPiece, BoxRow
from centre.store.order_detail_rows import ConflictBrief
from centre.store.order_rows import OrderRow

__all__ = ["BoxContent", "LineStatus", "box_contents", "box_resource", "line_statuses", "order_resource"]


class LineStatus(Struct, frozen=True, kw_only=True):
    """One line of an order, or one that was counted and is no longer in the manifest: then `ordered` is 0."""

    line: str
    sku: str
    ordered: int
    scanned: int
    units: tuple[str, ...]
    """The published ids of what is counted."""

    @property
    def pending(self) -> int:
        """Pieces still to be counted; negative if too many are."""
        return self.ordered - self.scanned


class BoxContent(Struct, frozen=True, kw_only=True):
    """What a box holds of one line."""

    line: str
    sku: str
    quantity: int
    units: tuple[str, ...]


def box_contents(pieces: Iterable[BoxPiece]) -> list[BoxContent]:
    """Return the contents of a box, a line each, in the order in which the lines were begun."""
    found: dict[str, BoxContent] = {}
    for piece in pieces:
        before = found.get(piece.line)
        units = () if piece.unit is None else (piece.unit,)
        found[piece.line] = BoxContent(
            line=piece.line,
            sku=piece.sku if before is None else before.sku,
            quantity=piece.quantity + (0 if before is None else before.quantity),
            units=units if before is None else (*before.units, *units),
        )
    return list(found.values())


def line_statuses(manifest: Document | None, boxes: Iterable[BoxRow]) -> list[LineStatus]:
    """Return the lines in the order of the manifest, then those that only boxes have.

    What a manifest itself lists as counted elsewhere counts too, unless the centre knows that box. Of a packed order of
    which only the tombstone is left, what was counted is what was ordered: kiosks confirm no other packing.
    """
    manifest = manifest or {}
    lines: dict[str, tuple[str, int]] = {
        line["line"]: (line["sku"], line["quantity"]) for line in _list(manifest, "lines")
    }
    scanned: dict[str, int] = dict.fromkeys(lines, 0)
    units: dict[str, list[str]] = {name: [] for name in lines}

    def count(line: str, sku: str, quantity: int, found: Iterable[str]) -> None:
        lines.setdefault(line, (sku, 0))
        scanned[line] = scanned.get(line, 0) + quantity
        units.setdefault(line, []).extend(found)

    known = set()
    for box in boxes:
        known.add(box.box)
        for piece in box.pieces if box.state != "voided" else ():
            count(piece.line, piece.sku, piece.quantity, () if piece.unit is None else (piece.unit,))
    for entry in _list(manifest, "counted"):
        if entry["box"] not in known:
            count(entry["line"], "", entry["quantity"], entry.get("units") or ())
    is_tombstone = manifest.get("status") == "packed" and not manifest.get("lines")
    return [
        LineStatus(
            line=line,
            sku=sku,
            ordered=scanned[line] if is_tombstone else ordered,
            scanned=scanned[line],
            units=tuple(units[line]),
        )
        for line, (sku, ordered) in lines.items()
    ]


def _list(document: Document, name: str) -> Sequence[Mapping[str, Any]]:
    return document.get(name) or ()


def box_resource(box: BoxRow) -> dict[str, Any]:
    """Return a box as its order shows it."""
    return {
        "box": box.box,
        "site": box.site,
        "kiosk": box.kiosk,
        "state": box.state,
        "mode": box.mode,
        "size": None
        if box.size is None
        else {
            "code": box.size,
            "length_mm": box.length_mm,
            "width_mm": box.width_mm,
            "height_mm": box.height_mm,
        },
        "label": box.label,
        "confirmed": box.state == "confirmed",
        "confirmed_at": box.confirmed_at,
        "contents": [asdict(content) for content in box_contents(box.pieces)],
    }


def _is_there(box: BoxRow) -> bool:
    return box.state != "voided" and (box.state != "open" or bool(box.pieces))


def order_resource(
    row: OrderRow,
    boxes: Sequence[BoxRow],
    operators: Mapping[str, str],
    conflicts: Sequence[ConflictBrief],
    *,
    is_incomplete: bool,
) -> dict[str, Any]:
    """Return the resource. `boxes` are all boxes of the order. Those that are voided are left out, and so is one that
    was begun and is empty again: the kiosk has dropped it without a word.
    """
    manifest = manifest_in_force(row)
    lines = [
        {
            "line": line.line,
            "sku": line.sku,
            "ordered": line.ordered,
            "scanned": line.scanned,
            "pending": line.pending,
            "units": line.units,
        }
        for line in line_statuses(manifest, boxes)
    ]
    return {
        "order": row.name,
        "version": row.version,
        "revision": row.revision,
        "status": row.status,
        "site": row.site,
        "source": row.source,
        "changed": row.changed,
        "changed_at": row.changed_at,
        "manifest": manifest,
        "lines": lines,
        "boxes": [box_resource(box) for box in boxes if _is_there(box)],
        "operators": {role.value: operators.get(role.value) for role in Role},
        "opened_at": row.opened_at,
        "packed_at": row.packed_at,
        "conflicts": [asdict(conflict) for conflict in conflicts],
        "incomplete": is_incomplete,
    }
