"""Devices by any of their identifiers: where they lie, which events name them, how they are marked."""

from collections.abc import Collection

from msgspec import Struct
from sqlalchemy import Connection, insert, select

from centre.store.order_rows import OrderStatus
from centre.store.schema import box, event, journal, kiosk, orders, piece, unit_event, unit_mark
from centre.store.statements import chunks

__all__ = ["UnitEvent", "UnitMark", "UnitPlace", "add_mark", "places_of_units", "unit_events", "unit_marks"]


class UnitPlace(Struct, frozen=True, kw_only=True):
    """A device in a box that is not voided."""

    unit: str
    order_name: str
    order_status: OrderStatus | None
    line: str
    sku: str
    box: str
    site: str
    kiosk: str
    position: int | None
    """Of the event that counted it."""


class UnitEvent(Struct, frozen=True, kw_only=True):
    """An event that names a device."""

    position: int
    site: str
    kiosk: str
    type: str
    time: str
    received_at: str
    document: bytes


class UnitMark(Struct, frozen=True, kw_only=True):
    """What a person has said about a device."""

    mark: str
    at: str
    by: str
    position: int
    """The newest event at that time."""


def places_of_units(connection: Connection, keys: Collection[str]) -> list[UnitPlace]:
    """Return where devices with these keys are counted, oldest first."""
    statement = (
        select(
            piece.c.unit,
            piece.c.order_name,
            orders.c.status.label("order_status"),
            piece.c.line,
            piece.c.sku,
            box.c.box,
            kiosk.c.site,
            kiosk.c.name.label("kiosk"),
            piece.c.position,
        )
        .join(box, box.c.id == piece.c.box_id)
        .join(journal, journal.c.id == box.c.journal_id)
        .join(kiosk, kiosk.c.id == journal.c.kiosk_id)
        .outerjoin(orders, orders.c.name == piece.c.order_name)
        .where(piece.c.unit_key.in_(list(keys)), box.c.state != "voided")
        .order_by(piece.c.id)
    )
    return [UnitPlace(**row._mapping) for row in connection.execute(statement)]


def unit_events(connection: Connection, keys: Collection[str], *, limit: int) -> list[UnitEvent]:
    """Return the newest events that name a device with one of these keys, oldest first."""
    positions = select(unit_event.c.position).where(unit_event.c.key.in_(list(keys))).distinct()
    newest = positions.order_by(unit_event.c.position.desc()).limit(limit)
    found = list(connection.execute(newest).scalars())
    events = []
    for some in chunks(sorted(found)):
        statement = (
            select(
                event.c.position,
                kiosk.c.site,
                kiosk.c.name.label("kiosk"),
                event.c.type,
                event.c.time,
                event.c.received_at,
                event.c.document,
            )
            .join(kiosk, kiosk.c.id == event.c.kiosk_id)
            .where(event.c.position.in_(some))
            .order_by(event.c.position)
        )
        events += [UnitEvent(**row._mapping) for row in connection.execute(statement)]
    return events


def unit_marks(connection: Connection, keys: Collection[str]) -> list[UnitMark]:
    """Return the marks of a device with these keys, oldest first."""
    statement = (
        select(unit_mark.c.mark, unit_mark.c.at, unit_mark.c.by, unit_mark.c.position)
        .where(unit_mark.c.key.in_(list(keys)))
        .order_by(unit_mark.c.id)
    )
    return [UnitMark(**row._mapping) for row in connection.execute(statement)]


def add_mark(connection: Connection, key: str, mark: UnitMark) -> None:
    """Mark a device. `key` is as `unit_key` gives it."""
    connection.execute(
        insert(unit_mark).values(key=key, mark=mark.mark, at=mark.at, by=mark.by, position=mark.position)
    )
