"""What a database says about the events, without what depends on when each event came."""

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy import event as engine_event

from centre.store.database import Database
from centre.store.schema import (
    box,
    conflict,
    dead_letter,
    event,
    hole,
    journal,
    kiosk,
    metadata,
    order_operator,
    orders,
    piece,
    unit_event,
)

__all__ = ["empty", "hurry", "picture"]

_RUN = (kiosk.c.site, kiosk.c.name, journal.c.journal, journal.c.branch)


def picture(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all tables that events lead to; ids are replaced by the names of what they are of.

    Left out are positions, times of receipt, and the numbers of an order's changes: they tell the order of arrival.
    """
    with database.reading() as connection:
        events = event.join(journal).join(kiosk, kiosk.c.id == journal.c.kiosk_id)
        boxes = box.join(journal).join(kiosk)
        return {
            "events": _rows(
                connection,
                select(
                    *_RUN, event.c.sequence, event.c.event_id, event.c.type, event.c.order_name, event.c.time,
                    event.c.state, event.c.document,
                ).select_from(events),
            ),
            "runs": _rows(
                connection,
                select(
                    *_RUN, journal.c.base, journal.c.through, journal.c.through_id, journal.c.highest,
                    journal.c.written_from, journal.c.written_to,
                ).select_from(journal.join(kiosk)),
            ),
            "holes": _rows(
                connection, select(*_RUN, hole.c.first, hole.c.last).select_from(hole.join(journal).join(kiosk))
            ),
            "boxes": _rows(
                connection,
                select(
                    *_RUN, *(c for c in box.c if c.name not in ("id", "journal_id"))
                ).select_from(boxes),
            ),
            "pieces": _rows(
                connection,
                select(
                    *_RUN, box.c.box, event.c.sequence,
                    *(c for c in piece.c if c.name not in ("id", "box_id", "position")),
                )
                .select_from(boxes.join(piece).outerjoin(event, event.c.position == piece.c.position)),
            ),
            "units": _rows(
                connection,
                select(unit_event.c.key, event.c.event_id).join_from(
                    unit_event, event, unit_event.c.position == event.c.position
                ),
            ),
            "orders": _rows(
                connection,
                select(orders.c.name, orders.c.source, orders.c.status, orders.c.opened_at, orders.c.packed_at),
            ),
            "operators": _rows(connection, select(order_operator)),
            "conflicts": _rows(connection, select(conflict.c.kind, conflict.c.state)),
            "letters": _rows(connection, select(dead_letter.c.reason, dead_letter.c.payload)),
        }  # fmt: skip


def _rows(connection: Connection, statement: Any) -> list[tuple[Any, ...]]:
    rows = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in connection.execute(statement)]
    return sorted(rows, key=repr)


def empty(database: Database) -> None:
    """Delete all rows."""
    with database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def hurry(database: Database) -> None:
    """Let SQLite not wait for the disk."""
    if database.is_sqlite:
        database.engine.dispose()

        @engine_event.listens_for(database.engine, "connect")
        def do_not_wait(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous = OFF")
