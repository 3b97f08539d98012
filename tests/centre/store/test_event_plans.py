"""No query reads all events: that would take minutes where there are ten million."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import event as engine_event

from centre.projection.understand import KNOWN_TYPES
from centre.store import event_rows, journal_rows
from centre.store.database import Database
from centre.store.order_detail_rows import unfinished_orders
from centre.store.schema import metadata
from centre.store.summary_rows import summary

QUERIES: dict[str, Callable[[Connection], object]] = {
    "slots": lambda c: event_rows.slots(c, 1, [1, 2]),
    "sequences": lambda c: event_rows.sequences_between(c, 1, 1, 9),
    "waiting": lambda c: event_rows.waiting_after(c, 1, 5, 10),
    "of an order": lambda c: event_rows.of_order(c, 1, "SO-1"),
    "not understood": lambda c: event_rows.not_understood(c, KNOWN_TYPES),
    "feed by type": lambda c: event_rows.feed(c, after=5, limit=10, type="kiosk.scan.accepted.v1"),
    "feed by order": lambda c: event_rows.feed(c, after=5, limit=10, order="SO-1"),
    "feed by kiosk": lambda c: event_rows.feed(c, after=5, limit=10, site="rtm1", kiosk_name="dock-3"),
    "feed": lambda c: event_rows.feed(c, after=5, limit=10),
    "next stored": lambda c: journal_rows.next_stored(c, 1, 5),
    "unfinished runs": journal_rows.unfinished,
    "unfinished orders": lambda c: unfinished_orders(c, ["SO-1", "SO-2"]),
    "summary": summary,
}


@pytest.mark.parametrize("name", QUERIES)
def test_an_index_is_used(tmp_path: Path, name: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/centre.sqlite")
    with database.writing() as connection:
        metadata.create_all(connection)
    seen: list[tuple[str, Any]] = []

    @engine_event.listens_for(database.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    with database.reading() as connection:
        QUERIES[name](connection)
        for statement, parameters in [one for one in seen if one[0].startswith("SELECT")]:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            is_newest_only = re.search(r"ORDER BY event.position DESC\s+LIMIT", statement)
            assert is_newest_only or "SCAN event" not in plan, (statement, plan)
    database.dispose()
