"""The feed's statements: no page sorts, or reads what is before its start, however many events are stored."""

from typing import Any

import pytest
from sqlalchemy import Connection, event

from centre.store.database import Database
from centre.store.event_feed_rows import EventFilter, feed_page, feed_positions

FILTERS = [
    EventFilter(after=5),
    EventFilter(after=5, kiosk="dock-1"),
    EventFilter(after=5, site="main"),
    EventFilter(after=5, site="main", kiosk="dock-1"),
    EventFilter(after=5, type="kiosk.scan.accepted.v1"),
    EventFilter(after=5, type="kiosk.scan.accepted.v1", kiosk="dock-1"),
    EventFilter(after=5, order="SO-1"),
    EventFilter(after=5, order="SO-1", type="kiosk.scan.accepted.v1", site="main"),
]


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
@pytest.mark.parametrize("read", [feed_page, feed_positions])
def test_a_page_reads_an_index_by_position(sqlite_database: Database, read: object, wanted: EventFilter) -> None:
    plans: list[str] = []

    def explain(
        connection: Connection, cursor: object, statement: str, parameters: object, context: object, many: bool
    ) -> None:
        if statement.startswith("SELECT"):
            raw: Any = connection.connection.driver_connection
            plans.extend(row[-1] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    with sqlite_database.reading() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        assert read(connection, wanted, 10) == []  # type: ignore[operator]
    assert "position>?" in plans[0] or "rowid>?" in plans[0]
    if wanted.order is not None:
        assert "order_name=?" in plans[0]
    assert not any("TEMP B-TREE" in line for line in plans)
