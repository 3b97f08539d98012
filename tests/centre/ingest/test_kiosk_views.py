"""What kiosks say of themselves, and whether they are online."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from centre.ingest.kiosk_views import HealthClaim, Reach, ViewArrival, claim_of, reach
from centre.ingest.reception import receive
from centre.moments import moment
from centre.store import kiosk_rows
from centre.store.database import Database
from centre.store.kiosk_rows import KioskName, KioskRow
from centre.store.schema import dead_letter, kiosk
from tests.centre.ingest.played import NOW, PlayedKiosk, opened, rows, store

KIOSK = PlayedKiosk()
EARLIER, LATER = "2026-11-22T17:00:00.000Z", "2026-11-22T19:00:00.000Z"


def view(rest: str, number: int, *, retained: bool = False, at: str = NOW, **fields: Any) -> Any:
    return KIOSK.on(rest, {"connection": number, **fields}, retained=retained, at=at)


def known(database: Database) -> KioskRow:
    with database.reading() as connection:
        row = kiosk_rows.kiosk_of(connection, "rtm1", "dock-3")
    assert row is not None
    return row


def said(text: str | None) -> Any:
    return None if text is None else json.loads(text).get("n")


@pytest.mark.parametrize("together", [True, False])
def test_the_highest_connection_wins(database: Database, together: bool) -> None:
    messages = [
        view(rest, number, n=place)
        for rest in ("status", "health", "station/1")
        for place, number in enumerate((7, 8, 8, 7))
    ]
    if together:
        store(database, messages)
    else:
        for message in messages:
            store(database, message)
    row = known(database)
    assert (said(row.status), said(row.health)) == (2, 2)
    with database.reading() as connection:
        assert [said(one.view) for one in kiosk_rows.stations_of(connection)] == [2]


def test_a_view_without_a_connection_number_is_of_an_older_kiosk(database: Database) -> None:
    for place in (1, 2):
        store(database, *(KIOSK.on(rest, {"n": place}) for rest in ("status", "health", "station/1")))
    assert (said(known(database).status), said(known(database).health)) == (2, 2)
    store(database, view("status", 1, n=3))
    store(database, KIOSK.on("status", {"n": 4}))
    assert said(known(database).status) == 3
    assert rows(database, dead_letter, "id") == []


def test_an_empty_message_takes_a_view_away(database: Database) -> None:
    for rest in ("status", "health", "station/1", "station/2"):
        store(database, view(rest, 7))
    for rest in ("status", "health", "station/1"):
        store(database, KIOSK.on(rest, b""))
    row = known(database)
    assert (row.status, row.health, row.status_connection, row.health_received_at) == (None, None, None, None)
    with database.reading() as connection:
        assert [one.name for one in kiosk_rows.stations_of(connection)] == ["2"]
    store(database, view("status", 1))
    assert known(database).status_connection == 1  # a new card may begin again


def test_a_retained_copy_of_health_does_not_tell_when_it_came(database: Database) -> None:
    store(database, view("health", 7, retained=True))
    assert known(database).health_received_at is None
    store(database, view("health", 7, at=EARLIER))
    store(database, view("health", 7, retained=True, at=LATER))
    assert known(database).health_received_at == EARLIER


def test_a_retained_copy_of_status_that_comes_again_says_nothing_new(database: Database) -> None:
    store(database, view("status", 7, retained=True, at=EARLIER))
    store(database, view("status", 7, retained=True, at=LATER))
    assert known(database).status_received_at == EARLIER
    store(database, view("status", 8, retained=True, at=LATER))
    assert known(database).status_received_at == LATER


def test_what_is_no_view_is_a_dead_letter(database: Database) -> None:
    store(database, KIOSK.on("health", b"nonsense"))
    assert rows(database, dead_letter, "reason") == [("no_view",)]


def retire(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(kiosk.update().values(retired_at=NOW))


def test_a_retired_kiosk_that_works_is_back(database: Database) -> None:
    event = PlayedKiosk().write(opened())
    store(database, event)
    for message, is_back in (
        (event[0], False),
        (view("status", 7, retained=True), False),
        (KIOSK.on("health", b""), False),
        (view("health", 7), True),
        (PlayedKiosk(journal="AAAAAAAA").write(opened())[0], True),
    ):
        retire(database)
        store(database, message)
        assert (known(database).retired_at is None) is is_back


@pytest.mark.parametrize(
    ("status", "status_age_s", "health_age_s", "expected"),
    [
        (None, None, 1, Reach.UNKNOWN),
        ("nonsense", 1, 1, Reach.UNKNOWN),
        ('{"state":"online"}', 1, None, Reach.ONLINE),
        ('{"state":"online"}', 1000, 1, Reach.ONLINE),
        ('{"state":"online"}', 1000, 119, Reach.ONLINE),
        ('{"state":"online"}', 1000, 121, Reach.OFFLINE),
        ('{"state":"online"}', 1000, None, Reach.OFFLINE),
        ('{"state":"offline"}', 1, 1, Reach.OFFLINE),
        ('{"state":"failed"}', 1, 1, Reach.FAILED),
        ('{"state":"dancing"}', 1, 1, Reach.OFFLINE),
    ],
)
def test_reach(status: str | None, status_age_s: int | None, health_age_s: int | None, expected: Reach) -> None:
    now = datetime(2026, 11, 22, 18, tzinfo=UTC)

    def before(age_s: int | None) -> str | None:
        return None if age_s is None else moment(now - timedelta(seconds=age_s))

    row = KioskRow(1, "rtm1", "dock-3", status, 1, before(status_age_s), None, None, before(health_age_s), None, None)
    assert reach(row, now, 120) is expected


HEALTH = {"connection": 7, "uplink": {"last": "000000000042", "acked": "000000000040"}, "journal": {"id": "3F0C9A1B"}}


def claim(document: dict[str, Any], rest: str = "health") -> HealthClaim | None:
    arrival = receive(KIOSK.on(rest, document))
    assert isinstance(arrival, ViewArrival)
    return claim_of(arrival)


def test_what_a_kiosk_says_of_its_journal() -> None:
    assert claim(HEALTH) == HealthClaim(KioskName("rtm1", "dock-3"), 7, "3F0C9A1B", 42, 40)


@pytest.mark.parametrize(
    "fields",
    [
        {"uplink": None},
        {"uplink": {"last": "42", "acked": "000000000040"}},
        {"uplink": {"last": 42, "acked": 40}},
        {"journal": {"id": None}},
        {"journal": {"id": "\0" * 8}},
        {"journal": {"id": "short"}},
        {"journal": {}},
    ],
)
def test_what_is_not_legible_says_nothing(fields: dict[str, Any]) -> None:
    assert claim({**HEALTH, **fields}) is None


def test_only_health_tells_of_the_journal() -> None:
    assert claim(HEALTH, "status") is None
