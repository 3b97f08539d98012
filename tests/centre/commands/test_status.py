"""Whether a centre runs, and what it has stored."""

import json
from datetime import timedelta
from pathlib import Path

from centre.process.file_locks import locked
from centre.store.audit_rows import add_audit
from centre.store.database import Database
from centre.store.lease_rows import take_lease
from tests.centre.commands.conftest import Command


def test_without_a_running_centre(centre: Command) -> None:
    centre("database", "upgrade")
    done = centre("status")
    assert done.code == 1
    assert [line.split(maxsplit=1)[0] for line in done.out.splitlines()] == [
        "centre", "kiosks", "orders", "events", "unfinished", "holes", "dead", "conflicts",
    ]  # fmt: skip
    assert done.out.splitlines()[0] == "centre        not running"


def test_with_a_running_centre(centre: Command, database_url: str) -> None:
    centre("database", "upgrade")
    if database_url.startswith("sqlite"):
        with locked(Path(database_url.removeprefix("sqlite:///") + ".lock")):
            done = centre("status", "--json")
    else:
        database = Database(database_url)
        with database.writing() as connection:
            take_lease(connection, "main", "here", timedelta(seconds=60))
            add_audit(connection, "2026-11-22T00:00:00.000Z", "command", "a", "b")
        database.dispose()
        done = centre("status", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["running"] is True
    assert [lease["site"] for lease in found["leases"]] == ([] if database_url.startswith("sqlite") else ["main"])
    assert found["orders"] == {}
