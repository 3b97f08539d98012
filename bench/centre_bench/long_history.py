"""Databases with a long history: what the centre itself stored, copied many times under other names by the database."""

from typing import NamedTuple

from sqlalchemy import Column, Connection, Table, func, insert, literal, select, text
from sqlalchemy.sql import ColumnElement

from bench.world import SITE
from centre.orders.index_renewal import renew_index
from centre.store import event_rows
from centre.store.counter_rows import advance, value
from centre.store.database import Database
from centre.store.index_rows import follow_through
from centre.store.order_rows import ORDERS_CHANGED
from centre.store.projection_rows import BOX_IDS
from centre.store.schema import box, event, journal, orders, piece, unit_event

__all__ = ["copy_history"]


class _Shift(NamedTuple):
    """How a copied row differs: a number is so much higher for each copy, a name gets the copy's number."""

    table: Table
    numbers: dict[str, int]
    """The first one is a key: the originals have the lowest."""
    names: tuple[str, ...]


def copy_history(database: Database, copies: int, now: str) -> None:
    """Copy all events so often, with the boxes, pieces, devices and packed orders that they have led to.

    All kiosks have written equally many events. The copies have other sequences, orders and identifiers. The documents
    in them stay those of the originals: they are as long as others.
    """
    with database.writing() as connection:
        renew_index(connection, now)
        shifts = _shifts(connection)
        units = [tuple(row) for row in connection.execute(select(unit_event.c.key, unit_event.c.position))]
    behind = shifts[0].numbers["position"]
    for number in range(1, copies + 1):
        with database.writing() as connection:
            for shift in shifts:
                _copy(connection, shift, number)
            rows = [(f"{key}-{number}", position + behind * number) for key, position in units]
            event_rows.insert_unit_events(connection, rows)
    with database.writing() as connection:
        _go_on_behind(connection, shifts, copies)
        connection.execute(text("ANALYZE"))


def _shifts(connection: Connection) -> list[_Shift]:
    position, box_id = _highest(connection, event.c.position), _highest(connection, box.c.id)
    in_event = {"position": position, "sequence": _highest(connection, event.c.sequence)}
    in_piece = {"id": _highest(connection, piece.c.id), "box_id": box_id, "position": position}
    return [
        _Shift(event, in_event, ("event_id", "order_name")),
        _Shift(box, {"id": box_id}, ("box", "order_name", "label")),
        _Shift(piece, in_piece, ("order_name", "unit", "unit_key")),
        _Shift(orders, {"changed": value(connection, ORDERS_CHANGED)}, ("name",)),
    ]


def _highest(connection: Connection, column: Column[int]) -> int:
    return connection.execute(select(func.max(column))).scalar() or 0


def _copy(connection: Connection, shift: _Shift, number: int) -> None:
    table, numbers, names = shift
    values: list[ColumnElement[object]] = []
    for column in table.columns:
        if column.name in numbers:
            values.append(column + numbers[column.name] * number)
        elif column.name in names:
            values.append(column + literal(f"-{number}"))
        elif column.name == "cleared_at":
            values.append(table.c.changed_at)  # packed long ago: its tombstone is cleared
        else:
            values.append(column)
    key, highest = next(iter(numbers.items()))
    originals = select(*values).where(table.c[key] <= highest)
    if table is orders:
        originals = originals.where(orders.c.status == "packed")
    connection.execute(insert(table).from_select([column.name for column in table.columns], originals))


def _go_on_behind(connection: Connection, shifts: list[_Shift], copies: int) -> None:
    """Have journals and counters go on behind the copies."""
    in_event, in_box, in_piece, in_orders = (shift.numbers for shift in shifts)
    more = in_event["sequence"] * copies
    connection.execute(
        journal.update().values(
            through=journal.c.through + more, highest=journal.c.highest + more,
            through_id=journal.c.through_id + literal(f"-{copies}"),
        )
    )  # fmt: skip
    advance(connection, event_rows.POSITIONS, in_event["position"] * copies)
    advance(connection, BOX_IDS, in_box["id"] * copies)
    follow_through(connection, SITE, advance(connection, ORDERS_CHANGED, in_orders["changed"] * copies))
    if connection.dialect.name == "postgresql":
        after = in_piece["id"] * (copies + 1)
        connection.execute(text("SELECT setval(pg_get_serial_sequence('piece', 'id'), :after)"), {"after": after})
