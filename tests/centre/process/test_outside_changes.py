"""Changes by other processes wake this one."""

import asyncio

from centre.changes import Change, Changes
from centre.process.outside_changes import watch_for_changes
from centre.store.audit_rows import add_audit
from centre.store.database import Database


def test_an_audited_change_of_another_process_wakes_everybody(database: Database) -> None:
    async def go() -> frozenset[Change]:
        changes = Changes(asyncio.get_running_loop())
        waiter = changes.subscribe(*Change)
        task = asyncio.create_task(watch_for_changes(database, changes, poll_s=0.02))
        assert await waiter.wait(0.3) == frozenset()
        with database.writing() as connection:
            add_audit(connection, "2026-11-22T00:00:00.000Z", "command", "order.put", "4711")
        found = await waiter.wait(5)
        task.cancel()
        return found

    assert asyncio.run(go()) == frozenset(Change)
