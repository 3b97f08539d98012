"""What the events mean, read and written in bulk: the tables `box`, `piece`, `orders` and `order_operator`.

The types are those of `centre.projection`, which changes them in memory.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder
from sqlalchemy import Connection, bindparam, delete, select

from centre.projection.projected_box import BoxStage, Piece, ProjectedBox
from centre.projection.projected_order import ProjectedOrder
from centre.projection.projector import BoxKey
from centre.store import counter_rows
from centre.store.schema import box, order_operator, orders, piece
from centre.store.statements import chunks, insert_rows, replace_rows

__all__ = ["load_boxes", "load_boxes_of_order", "load_projected_orders", "reopened_at", "write_boxes", "write_orders"]

BOX_IDS = "box.id"

_BOX_VALUES = (
    "mode",
    "state",
    "size",
    "length_mm",
    "width_mm",
    "height_mm",
    "label",
    "confirmed_at",
    "voided_by",
)
_BOX_COLUMNS = ("id", "journal_id", "box", "order_name", *_BOX_VALUES)
_PIECE_COLUMNS = ("box_id", "order_name", "line", "sku", "unit", "unit_key", "quantity", "position")


# -- boxes -----------------------------------------------------------------------------------------------------------

_SELECT_BOXES = select(box.c.id, box.c.journal_id, box.c.box, box.c.order_name, *(box.c[name] for name in _BOX_VALUES))


def load_boxes(connection: Connection, needed: Mapping[BoxKey, bool]) -> dict[BoxKey, ProjectedBox]:
    """Return the stored ones of these boxes; with their pieces where the value is true."""
    found: dict[BoxKey, ProjectedBox] = {}
    for names in chunks(sorted({name for _, name in needed})):
        for row in connection.execute(_SELECT_BOXES.where(box.c.box.in_(names))):
            if (row.journal_id, row.box) in needed:
                found[row.journal_id, row.box] = _box(row)
    _load_pieces(connection, [one for key, one in found.items() if needed[key]])
    return found


def load_boxes_of_order(connection: Connection, journal_id: int, order: str) -> dict[BoxKey, ProjectedBox]:
    """Return all boxes of one order in one run, with their pieces."""
    rows = connection.execute(_SELECT_BOXES.where(box.c.order_name == order, box.c.journal_id == journal_id))
    found = {(row.journal_id, row.box): _box(row) for row in rows}
    _load_pieces(connection, list(found.values()))
    return found


def _box(row: Sequence[Any]) -> ProjectedBox:
    loaded = ProjectedBox(row[1], row[2], row[3], row[0])
    for field, value in zip(_BOX_VALUES, row[4:], strict=True):
        setattr(loaded, field, value)
    loaded.state = BoxStage(loaded.state)
    loaded.is_changed = False
    return loaded


def _load_pieces(connection: Connection, boxes: Sequence[ProjectedBox]) -> None:
    by_id = {one.id: one for one in boxes}
    columns = (piece.c.box_id, piece.c.id, piece.c.line, piece.c.sku, piece.c.quantity, piece.c.unit)
    for ids in chunks([id for id in by_id if id is not None]):
        rows = connection.execute(
            select(*columns, piece.c.unit_key, piece.c.position).where(piece.c.box_id.in_(ids)).order_by(piece.c.id)
        )
        for box_id, id, line, sku, quantity, unit, key, position in rows:
            loaded = Piece(line=line, sku=sku, quantity=quantity, unit=unit, key=key, position=position, id=id)
            by_id[box_id].pieces.append(loaded)


_UPDATE_BOX = (
    box.update().where(box.c.id == bindparam("row_id")).values({name: bindparam(name) for name in _BOX_VALUES})
)


def write_boxes(connection: Connection, boxes: Collection[ProjectedBox]) -> None:
    """Write what is different in boxes and their pieces."""
    new = [one for one in boxes if one.id is None]
    if new:
        first = counter_rows.advance(connection, BOX_IDS, len(new)) - len(new) + 1
        for id, one in enumerate(new, first):
            one.id = id
        insert_rows(
            connection,
            box,
            _BOX_COLUMNS,
            [(one.id, one.journal_id, one.name, one.order, *_values(one)) for one in new],
        )
    is_new = {one.id for one in new}
    changed = [one for one in boxes if one.is_changed and one.id not in is_new]
    if changed:
        connection.execute(
            _UPDATE_BOX, [{"row_id": one.id, **dict(zip(_BOX_VALUES, _values(one), strict=True))} for one in changed]
        )
    _write_pieces(connection, boxes)


def _values(one: ProjectedBox) -> tuple[object, ...]:
    return tuple(getattr(one, name) for name in _BOX_VALUES)


def _write_pieces(connection: Connection, boxes: Iterable[ProjectedBox]) -> None:
    removed: list[int] = []
    changed: list[dict[str, int | None]] = []
    new: list[tuple[object, ...]] = []
    for one in boxes:
        removed += one.removed
        for each in one.pieces:
            if each.id is None:
                new.append(
                    (one.id, one.order, each.line, each.sku, each.unit, each.unit_key, each.quantity, each.position)
                )
            elif each.is_changed:
                changed.append({"row_id": each.id, "new": each.quantity})
    for ids in chunks(removed):
        connection.execute(delete(piece).where(piece.c.id.in_(ids)))
    if changed:
        connection.execute(
            piece.update().where(piece.c.id == bindparam("row_id")).values(quantity=bindparam("new")), changed
        )
    insert_rows(connection, piece, _PIECE_COLUMNS, new)


# -- orders ----------------------------------------------------------------------------------------------------------


class _Reopen(Struct):
    reopen: int = 0


_REOPEN = Decoder(_Reopen)


def load_projected_orders(connection: Connection, names: Collection[str]) -> dict[str, ProjectedOrder]:
    """Return these orders; those that the centre does not know as new ones. Call it under `lock_orders`."""
    found = {name: ProjectedOrder(name) for name in names}
    columns = (orders.c.name, orders.c.status, orders.c.opened_at, orders.c.packed_at)
    for some in chunks(list(names)):
        for name, status, opened_at, packed_at in connection.execute(select(*columns).where(orders.c.name.in_(some))):
            found[name] = ProjectedOrder(name, status=status, opened_at=opened_at, packed_at=packed_at, is_new=False)
    return found


def reopened_at(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Return the revision that undoes earlier packings of these orders, where a manifest names one."""
    found = {}
    for name, manifest in connection.execute(
        select(orders.c.name, orders.c.manifest).where(orders.c.name.in_(names), orders.c.manifest.contains('"reopen"'))
    ):
        with suppress(DecodeError, ValidationError):
            found[name] = _REOPEN.decode(manifest).reopen
    return found


_UPDATE_ORDER = (
    orders.update()
    .where(orders.c.name == bindparam("row_name"))
    .values(
        {name: bindparam(name) for name in ("status", "opened_at", "packed_at", "changed", "changed_at")}
        | {"version": orders.c.version + 1}
    )
)


def write_orders(connection: Connection, changed: Collection[ProjectedOrder], numbers: Iterable[int], now: str) -> None:
    """Write orders, each as changed now, with the operators that were named. `numbers` are those of `lock_orders`."""
    if not changed:
        return
    new: list[tuple[object, ...]] = []
    updates: list[dict[str, object]] = []
    for number, order in zip(numbers, sorted(changed, key=lambda one: one.name), strict=False):
        if order.is_new:
            new.append((order.name, "kiosk", order.status, 1, number, now, order.opened_at, order.packed_at))
        else:
            updates.append(
                {
                    "row_name": order.name,
                    "status": order.status,
                    "opened_at": order.opened_at,
                    "packed_at": order.packed_at,
                    "changed": number,
                    "changed_at": now,
                }
            )
    columns = ("name", "source", "status", "version", "changed", "changed_at", "opened_at", "packed_at")
    insert_rows(connection, orders, columns, new)
    if updates:
        connection.execute(_UPDATE_ORDER, updates)
    _write_operators(connection, changed)


def _write_operators(connection: Connection, changed: Iterable[ProjectedOrder]) -> None:
    rows = [
        {"order_name": order.name, "role": role, "operator": operator}
        for order in changed
        for role, operator in order.operators.items()
    ]
    replace_rows(connection, order_operator, rows)
