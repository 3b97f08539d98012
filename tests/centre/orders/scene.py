"""Rows as the ingest writes them, for tests that need boxes, pieces and events without it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from agent.contract.manifest import unit_key
from centre.orders.renewal import renew_messages
from centre.store.database import Database
from centre.store.message_rows import messages_of_orders
from centre.store.order_rows import load_orders, lock_orders, save_orders, with_change
from centre.store.schema import box, event, journal, kiosk, piece, unit_event

NOW = "2026-11-28T10:00:00.000Z"


def manifest(*lines: Mapping[str, Any], order: str = "SO-1", **more: Any) -> dict[str, Any]:
    """Return a manifest; without lines it orders two cases."""
    case = {"line": "1", "sku": "CASE-13", "flow": "used", "serialized": False, "quantity": 2}
    return {"order": order, "type": "normal", "status": "open", "lines": list(lines) or [case], **more}


def phones(line: str = "1", quantity: int = 2) -> dict[str, Any]:
    """Return a line of phones."""
    return {"line": line, "sku": "P13", "flow": "used", "serialized": True, "quantity": quantity}


def published(database: Database, order: str = "SO-1") -> dict[str, Any]:
    """Return what is to be retained about an order, by the end of its topic."""
    with database.reading() as connection:
        return {
            message.topic.removeprefix("kiosk/v1/"): json.loads(message.payload) if message.payload else None
            for message in messages_of_orders(connection, [order])[order]
        }


def journal_of(connection: Connection, name: str = "dock-3", site: str = "rtm1") -> int:
    """Return the id of a kiosk's journal, which is made if there is none."""
    statement = select(journal.c.id).join(kiosk, kiosk.c.id == journal.c.kiosk_id).where(kiosk.c.name == name)
    found = connection.execute(statement).scalar()
    if found is None:
        key = connection.execute(insert(kiosk).values(site=site, name=name).returning(kiosk.c.id)).scalar_one()
        values = {
            "kiosk_id": key,
            "journal": f"J{key:07d}",
            "branch": 0,
            "base": 0,
            "through": 0,
            "highest": 0,
            "first_event_at": NOW,
            "last_event_at": NOW,
        }
        found = connection.execute(insert(journal).values(values).returning(journal.c.id)).scalar_one()
    return int(found)


def add_box(
    connection: Connection,
    name: str,
    units: Sequence[str] = (),
    *,
    order: str = "SO-1",
    line: str = "1",
    quantity: int = 0,
    state: str = "confirmed",
    at: str = "dock-3",
) -> int:
    """Write a box with devices, or with a number of pieces, and return its id."""
    values = {
        "journal_id": journal_of(connection, at),
        "box": name,
        "order_name": order,
        "mode": "used",
        "state": state,
        "size": "M",
        "length_mm": 300,
        "width_mm": 200,
        "height_mm": 150,
        "label": f"ZL{name}",
        "confirmed_at": NOW if state == "confirmed" else None,
    }
    key = connection.execute(insert(box).values(values).returning(box.c.id)).scalar_one()
    for unit in units:
        values = {"box_id": key, "order_name": order, "line": line, "sku": "P13", "unit": unit, "quantity": 1}
        connection.execute(insert(piece).values(**values, unit_key=unit_key(unit)))
    if quantity:
        connection.execute(
            insert(piece).values(box_id=key, order_name=order, line=line, sku="CASE-13", quantity=quantity)
        )
    return int(key)


def set_box(connection: Connection, key: int, **values: Any) -> None:
    """Change columns of a box."""
    connection.execute(update(box).where(box.c.id == key).values(**values))


def add_event(
    connection: Connection,
    type: str,
    data: Mapping[str, Any],
    *,
    units: Sequence[str] = (),
    at: str = "dock-3",
    state: str = "projected",
    order: str | None = "SO-1",
) -> int:
    """Write an event that names these devices, and return its position."""
    key = journal_of(connection, at)
    owner = connection.execute(select(journal.c.kiosk_id).where(journal.c.id == key)).scalar_one()
    count = len(connection.execute(select(event.c.position)).all()) + 1
    document = {"type": type, "data": {"order": order, **data}, "station": "1", "operator": "E7"}
    values = {
        "kiosk_id": owner,
        "journal_id": key,
        "sequence": count,
        "event_id": f"J-{count:012d}-boot",
        "type": type,
        "order_name": order,
        "time": NOW,
        "received_at": NOW,
        "state": state,
        "document": json.dumps(document).encode(),
    }
    position = connection.execute(insert(event).values(values).returning(event.c.position)).scalar_one()
    for unit in units:
        connection.execute(insert(unit_event).values(key=unit_key(unit), position=position))
    return int(position)


def set_order(connection: Connection, order: str = "SO-1", now: str = NOW, **values: Any) -> None:
    """Change an order as the projection of an event does, and renew its messages."""
    from msgspec.structs import replace

    (changed,) = lock_orders(connection)
    row = load_orders(connection, [order])[order]
    save_orders(connection, [with_change(replace(row, **values), changed, now)])
    renew_messages(connection, [order], now)
