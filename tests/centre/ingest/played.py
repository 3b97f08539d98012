"""Kiosks that write journals, and what a centre makes of them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from agent.contract.cloudevents import Envelope, document, topic_of, undeliverable
from agent.contract.event_values import Content, Unit
from agent.contract.events import Accepted, BoxConfirmed, BoxCreated, Event, OrderOpened
from agent.contract.manifest import Flow
from centre.ingest.transaction import Stored, store_batch
from centre.link.received import Received
from centre.store.database import Database
from centre.store.schema import box, event, journal, metadata, piece

NOW = "2026-11-22T18:00:00.000Z"
BOOT = "7d1e40aa-0000-4000-8000-000000000000"
USED = Flow("used")


class PlayedKiosk:
    """Writes events like a kiosk, and puts them into messages."""

    def __init__(
        self, name: str = "dock-3", *, site: str = "rtm1", journal: str = "3F0C9A1B", boot: str = BOOT
    ) -> None:
        self.site = site
        self.name = name
        self.journal = journal
        self.boot = boot
        self.sequence = 0
        self.written: list[Received] = []
        self.time = "2026-11-22T17:53:01.123Z"

    def write(self, *events: Event, clock_synced: bool = True) -> list[Received]:
        """Write events to the journal; return their messages."""
        messages = []
        for one in events:
            self.sequence += 1
            envelope = Envelope(
                source=f"/kiosk/{self.site}/{self.name}",
                journal=self.journal,
                boot_id=self.boot,
                time=self.time,
                uptime_ms=1000,
                clock_synced=clock_synced,
            )
            messages.append(self.message(document(one, envelope, self.sequence)))
        self.written += messages
        return messages

    def message(self, payload: bytes, *, topic: str | None = None) -> Received:
        """Return a document as a message on this kiosk's topic."""
        return self.on(topic or f"event/{topic_of(payload)}", payload)

    def on(self, rest: str, payload: bytes | Mapping[str, Any], *, retained: bool = False, at: str = NOW) -> Received:
        """Return a message on a topic below the kiosk's own."""
        text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return Received("broker:1883", f"kiosk/v1/{self.site}/agent/{self.name}/{rest}", text, retained, at)

    def copy(self, *, boot: str) -> "PlayedKiosk":
        """Return a kiosk with a copy of this one's card."""
        other = PlayedKiosk(self.name, site=self.site, journal=self.journal, boot=boot)
        other.sequence = self.sequence
        return other


def changed(message: Received, **fields: Any) -> Received:
    """Return a message whose JSON document has other fields; those that are `...` are left out."""
    document = {**json.loads(message.payload), **fields}
    text = json.dumps({name: value for name, value in document.items() if value is not ...})
    return message._replace(payload=text.encode())


def stand_in(message: Received) -> Received:
    """Return the stand-in of an event."""
    return message._replace(payload=undeliverable(message.payload, "refused"))


def event_id(message: Received) -> str:
    return str(json.loads(message.payload)["id"])


# -- events ----------------------------------------------------------------------------------------------------------


def opened(order: str = "SO-1", revision: int = 1) -> Event:
    return OrderOpened(station="1", by="E7", order=order, revision=revision, mode=USED)


def scanned(unit: str | None, order: str = "SO-1", box: str = "B1", quantity: int = 1, line: str = "1") -> Event:
    return Accepted(
        station="1",
        by="E7",
        order=order,
        line=line,
        sku="P13",
        mode=USED,
        unit=None if unit is None else Unit(scheme="serial", id=unit, aliases=(f"{unit}-2",)),
        quantity=quantity,
        box=box,
        scanner="left",
        symbology=None,
        line_scanned=1,
        line_pending=0,
        order_scanned=1,
        order_pending=0,
    )


def contents(*units: str, line: str = "1") -> tuple[Content, ...]:
    return (Content(line=line, sku="P13", quantity=len(units), units=units),) if units else ()


def created(*units: str, order: str = "SO-1", box: str = "B1") -> Event:
    return BoxCreated(station="1", by="E7", box=box, order=order, mode=USED, contents=contents(*units))


def confirmed(*units: str, order: str = "SO-1", box: str = "B1") -> Event:
    return BoxConfirmed(
        station="1", by="E7", box=box, order=order, mode=USED, contents=contents(*units), size=None, label=None
    )


# -- the centre ------------------------------------------------------------------------------------------------------


def renew_nothing(_connection: Connection, _orders: Collection[str], _now: str) -> None:
    """Stands for `renew_messages` where no messages are of interest."""


def store(database: Database, *messages: Received | Iterable[Received], **options: Any) -> Stored:
    """Store messages in one batch."""
    flat: list[Received] = []
    for message in messages:
        flat += [message] if isinstance(message, Received) else message
    return store_batch(database, flat, now=options.pop("now", NOW), renew=renew_nothing, **options)


def rows(database: Database, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """Return the values of some columns of all rows of a table, sorted."""
    with database.reading() as connection:
        found = connection.execute(select(*(table.c[column] for column in columns))).all()
    return sorted((tuple(row) for row in found), key=repr)


def counted(database: Database) -> list[tuple[Any, ...]]:
    """Return what lies in which box."""
    with database.reading() as connection:
        found = connection.execute(
            select(box.c.box, piece.c.order_name, piece.c.line, piece.c.unit, piece.c.quantity).join_from(piece, box)
        ).all()
    return sorted((tuple(row) for row in found), key=repr)


def states(database: Database) -> list[tuple[Any, ...]]:
    """Return the (sequence, state) of all events."""
    return sorted(rows(database, event, "sequence", "state"))


def runs(database: Database) -> list[tuple[Any, ...]]:
    """Return (journal, branch, base, through, highest) of all runs."""
    return rows(database, journal, "journal", "branch", "base", "through", "highest")


def tables(database: Database, left_out: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, without the columns named in `left_out`; a table with ("*",) is left out."""
    return {
        table.name: rows(database, table, *(c.name for c in table.c if c.name not in left_out.get(table.name, ())))
        for table in metadata.sorted_tables
        if "*" not in left_out.get(table.name, ())
    }
