"""Events of a kiosk as the ingest stores them, written to the tables directly."""

import json
from typing import Any

from sqlalchemy import Connection, func, insert, select

from centre.store import dead_letter_rows
from centre.store.schema import event, journal, kiosk
from centre.store.statements import upsert

__all__ = ["store_events", "stored_dead_letter", "stored_kiosk"]

AT = "2026-11-22T11:00:00.000Z"


def stored_kiosk(connection: Connection, site: str, name: str) -> int:
    """Return the id of a kiosk, which has one journal of the same id."""
    connection.execute(upsert(connection, kiosk).values(site=site, name=name).on_conflict_do_nothing())
    found = select(kiosk.c.id).where(kiosk.c.site == site, kiosk.c.name == name)
    number = int(connection.execute(found).scalar_one())
    if not connection.execute(select(journal.c.id).where(journal.c.id == number)).first():
        connection.execute(
            insert(journal).values(
                id=number, kiosk_id=number, journal="3F0C9A1B", branch=0, base=0, through=0, highest=0,
                first_event_at=AT, last_event_at=AT,
            )
        )  # fmt: skip
    return number


def store_events(
    connection: Connection, count: int, *, site: str = "main", name: str = "dock-1", order: str | None = "SO-1",
    type: str = "kiosk.scan.accepted.v1", data: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Store events, and return their documents. The documents have line feeds in them, as JSON may."""
    kiosk_id = stored_kiosk(connection, site, name)
    highest = select(func.coalesce(func.max(event.c.sequence), 0)).where(event.c.kiosk_id == kiosk_id)
    first = int(connection.execute(highest).scalar_one()) + 1
    documents = []
    for sequence in range(first, first + count):
        document = {
            "id": f"3F0C9A1B-{sequence:012}-7d1e40aa",
            "source": f"/kiosk/{site}/{name}",
            "type": type,
            "subject": order,
            "sequence": f"{sequence:012}",
            "data": data or {"order": order, "text": "line\nfeed"},
        }
        documents.append(document)
        connection.execute(
            insert(event).values(
                kiosk_id=kiosk_id, journal_id=kiosk_id, sequence=sequence, event_id=document["id"], type=type,
                order_name=order, time=AT, received_at=AT, state="projected",
                document=json.dumps(document, indent=1).replace("\n", "\r\n").encode(),
            )
        )  # fmt: skip
    return documents


def stored_dead_letter(connection: Connection, payload: bytes = b"\xff") -> None:
    """Store a message that was refused."""
    dead_letter_rows.add(connection, [("kiosk/v1/main/agent/dock-1/event/scan", "no CloudEvent", AT, payload)])
