"""The newest rows of what everything is noted in."""

from centre.store.audit_rows import add_audit
from centre.store.change_marks import ChangeMarks, change_marks
from centre.store.database import Database


def test_marks_follow_the_rows(database: Database) -> None:
    with database.writing() as connection:
        assert change_marks(connection) == ChangeMarks(0, 0)
        add_audit(connection, "2026-11-22T00:00:00.000Z", "command", "order.put", "4711")
        assert change_marks(connection) == ChangeMarks(1, 0)
