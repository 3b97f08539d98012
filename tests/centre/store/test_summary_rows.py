"""How much there is of everything."""

from datetime import timedelta

from centre.store.database import Database
from centre.store.lease_rows import take_lease
from centre.store.schema import dead_letter, kiosk, orders
from centre.store.summary_rows import leases, summary


def test_an_empty_database(database: Database) -> None:
    with database.reading() as connection:
        found = summary(connection)
    assert (found.kiosks, found.orders, found.events, found.newest_event_at) == (0, {}, 0, None)


def test_what_is_there_is_counted(database: Database) -> None:
    at = "2026-11-22T00:00:00.000Z"
    with database.writing() as connection:
        connection.execute(kiosk.insert().values(site="s", name="k"))
        connection.execute(dead_letter.insert().values(topic="t", reason="r", received_at=at, payload=b""))
        for changed, status in enumerate(("open", "open", "packed")):
            connection.execute(
                orders.insert().values(
                    name=str(changed), source="centre", status=status, version=1, changed=changed, changed_at=at
                )
            )
        take_lease(connection, "s", "me", timedelta(seconds=60))
        found = summary(connection)
        (lease,) = leases(connection)
    assert (found.kiosks, found.dead_letters, found.orders) == (1, 1, {"open": 2, "packed": 1})
    assert (lease.site, lease.holder, lease.epoch) == ("s", "me", 1)
