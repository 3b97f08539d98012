"""Boxes and what lies in them, as the events tell."""

from collections.abc import Collection
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, Select, select

from centre.store.schema import box, journal, kiosk, piece
from centre.store.statements import chunks

__all__ = ["BoxPiece", "BoxRow", "BoxState", "boxes_named", "boxes_of_orders"]

BoxState: TypeAlias = Literal["open", "created", "confirmed", "voided"]


class BoxPiece(Struct, frozen=True, kw_only=True):
    """Pieces of a line in a box: one device, or a number of pieces."""

    line: str
    sku: str
    unit: str | None
    quantity: int


class BoxRow(Struct, frozen=True, kw_only=True):
    """One box of one branch of a journal."""

    id: int
    box: str
    order_name: str
    site: str
    kiosk: str
    mode: str | None
    state: BoxState
    size: str | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    label: str | None
    confirmed_at: str | None
    voided_by: str | None
    pieces: tuple[BoxPiece, ...]


_COLUMNS = [
    box.c[name]
    for name in BoxRow.__struct_fields__
    if name not in ("site", "kiosk", "pieces")
]  # fmt: skip


def _boxes() -> Select[tuple[object, ...]]:
    return (
        select(*_COLUMNS, kiosk.c.site, kiosk.c.name.label("kiosk"))
        .join(journal, journal.c.id == box.c.journal_id)
        .join(kiosk, kiosk.c.id == journal.c.kiosk_id)
        .order_by(box.c.id)
    )


def _with_pieces(connection: Connection, statement: Select[tuple[object, ...]]) -> list[BoxRow]:
    rows = connection.execute(statement).mappings().all()
    pieces: dict[int, list[BoxPiece]] = {row["id"]: [] for row in rows}
    for ids in chunks(list(pieces)):
        found = (
            select(piece.c.box_id, piece.c.line, piece.c.sku, piece.c.unit, piece.c.quantity)
            .where(piece.c.box_id.in_(ids))
            .order_by(piece.c.id)
        )
        for one in connection.execute(found):
            pieces[one.box_id].append(BoxPiece(line=one.line, sku=one.sku, unit=one.unit, quantity=one.quantity))
    return [BoxRow(**row, pieces=tuple(pieces[row["id"]])) for row in rows]


def boxes_of_orders(connection: Connection, names: Collection[str]) -> list[BoxRow]:
    """Return all boxes of these orders, oldest first."""
    found = []
    for piece_of_names in chunks(list(names)):
        found += _with_pieces(connection, _boxes().where(box.c.order_name.in_(piece_of_names)))
    return found


def boxes_named(connection: Connection, name: str) -> list[BoxRow]:
    """Return the boxes with this id: several, if a journal has branches."""
    return _with_pieces(connection, _boxes().where(box.c.box == name))
