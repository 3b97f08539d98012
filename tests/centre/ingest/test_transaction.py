"""From a batch of messages to rows: stored once, counted without a gap, whatever comes."""

import json

import pytest

from centre.centre_errors import DatabaseDown
from centre.ingest.transaction import go_on
from centre.store.database import Database
from centre.store.schema import box, conflict, dead_letter, event, orders, unit_event
from tests.centre.ingest.played import (
    NOW,
    PlayedKiosk,
    changed,
    confirmed,
    counted,
    created,
    event_id,
    opened,
    renew_nothing,
    rows,
    runs,
    scanned,
    stand_in,
    states,
    store,
)


def letters(database: Database) -> list[str]:
    return [reason for (reason,) in rows(database, dead_letter, "reason")]


def test_events_are_stored_as_they_came_and_counted(database: Database) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), scanned("A"), scanned("B"), created("A", "B"), confirmed("A", "B"))
    stored = store(database, messages)
    assert stored.events == 5
    assert stored.orders == {"SO-1"}
    assert {bytes(document) for (document,) in rows(database, event, "document")} == {one.payload for one in messages}
    assert states(database) == [(number, "projected") for number in range(1, 6)]
    assert counted(database) == [("B1", "SO-1", "1", "A", 1), ("B1", "SO-1", "1", "B", 1)]
    assert rows(database, orders, "name", "source", "status", "opened_at") == [
        ("SO-1", "kiosk", "in_progress", "2026-11-22T17:53:01.123Z")
    ]
    assert rows(database, unit_event, "key", "position") == [("A", 2), ("A-2", 2), ("B", 3), ("B-2", 3)]
    assert runs(database) == [("3F0C9A1B", 0, 0, 5, 5)]


def test_an_event_that_comes_again_changes_nothing(database: Database) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), scanned("A"))
    store(database, messages)
    stored = store(database, messages, messages)
    assert stored.events == 0
    assert len(stored.touched) == 1
    assert counted(database) == [("B1", "SO-1", "1", "A", 1)]


def test_an_event_twice_in_one_batch_is_stored_once(database: Database) -> None:
    messages = PlayedKiosk().write(opened(), scanned("A"))
    assert store(database, messages, messages).events == 2


def test_what_is_beyond_a_gap_waits(database: Database) -> None:
    first, second, third = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))
    store(database, first, third)
    assert states(database) == [(1, "projected"), (3, "waiting")]
    assert counted(database) == []
    assert runs(database) == [("3F0C9A1B", 0, 0, 1, 3)]
    store(database, second)
    assert states(database) == [(1, "projected"), (2, "projected"), (3, "projected")]
    assert [row[3] for row in counted(database)] == ["A", "B"]


def test_a_second_document_under_a_stored_id_is_a_dead_letter(database: Database) -> None:
    first, second = PlayedKiosk().write(opened(), scanned("A"))
    other = changed(second, subject="SO-2")
    store(database, first, second)
    store(database, other)
    store(database, other, other)
    assert letters(database) == ["second_document"] * 3
    assert counted(database) == [("B1", "SO-1", "1", "A", 1)]


@pytest.mark.parametrize("first", ["stand_in", "original"])
@pytest.mark.parametrize("together", [True, False])
def test_an_original_takes_the_place_of_its_stand_in(database: Database, first: str, together: bool) -> None:
    opening, scan, last = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))
    order = [stand_in(scan), scan] if first == "stand_in" else [scan, stand_in(scan)]
    if together:
        store(database, opening, order, last)
    else:
        store(database, opening, order[0], last)
        store(database, order[1])
        store(database, stand_in(scan))
    assert [row[3] for row in counted(database)] == ["A", "B"]
    assert states(database) == [(1, "projected"), (2, "projected"), (3, "projected")]
    assert letters(database) == []


def test_a_replaced_stand_in_goes_to_the_end_of_the_feed(database: Database) -> None:
    opening, scan, last = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))
    store(database, opening, stand_in(scan), last)
    assert states(database) == [(1, "projected"), (2, "stand_in"), (3, "projected")]
    store(database, scan)
    assert rows(database, event, "position", "sequence") == [(1, 1), (3, 3), (4, 2)]


def test_an_original_that_comes_late_takes_effect_at_its_place(database: Database) -> None:
    opening, scan, box_event = PlayedKiosk().write(opened(), scanned("A"), created())
    store(database, opening, stand_in(scan), box_event)
    store(database, scan)
    assert counted(database) == []  # the box was told to be empty after that
    assert rows(database, box, "box", "state") == [("B1", "created")]


def test_an_event_that_is_not_understood_fills_its_place(database: Database) -> None:
    first, second, third = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))
    store(database, first, changed(second, type="kiosk.scan.guessed.v1"), third)
    assert states(database) == [(1, "projected"), (2, "not_understood"), (3, "projected")]
    assert runs(database) == [("3F0C9A1B", 0, 0, 3, 3)]
    assert rows(database, event, "sequence", "order_name")[1] == (2, "SO-1")


def test_a_card_that_was_copied_gets_a_branch(database: Database) -> None:
    kiosk = PlayedKiosk()
    shared = kiosk.write(opened(), scanned("A"))
    clone = kiosk.copy(boot="eeeeeeee-1")
    own, other = kiosk.write(scanned("B"), scanned("C")), clone.write(scanned("D"), scanned("E"))
    store(database, shared, own)
    store(database, other)
    assert runs(database) == [("3F0C9A1B", 0, 0, 4, 4), ("3F0C9A1B", 1, 2, 4, 4)]
    assert sorted(row[3] for row in counted(database)) == ["A", "B", "C", "D", "E"]
    ((kind, details),) = rows(database, conflict, "kind", "details")
    assert kind == "old_copy"
    assert json.loads(details)["events"] == [event_id(own[0]), event_id(other[0])]


def test_two_journals_written_at_once_are_of_two_kiosks(database: Database) -> None:
    one, two = PlayedKiosk(), PlayedKiosk(journal="AAAAAAAA", boot="eeeeeeee-1")
    for minute, kiosk in enumerate((one, two, one, two)):
        kiosk.time = f"2026-11-22T17:{minute:02}:00.000Z"
        store(database, kiosk.write(opened()))
    assert rows(database, conflict, "kind", "state") == [("two_kiosks_one_name", "open")]
    ((details,),) = rows(database, conflict, "details")
    events = json.loads(details)["events"]
    assert [one.split("-")[0] for one in events] == ["3F0C9A1B", "AAAAAAAA"]


def test_a_journal_that_follows_another_is_no_conflict(database: Database) -> None:
    one, two = PlayedKiosk(), PlayedKiosk(journal="AAAAAAAA")
    last = one.write(opened(), scanned("A"))
    two.time = "2026-11-22T17:54:00.000Z"
    store(database, two.write(opened()))
    store(database, last)
    assert rows(database, conflict, "kind") == []


def test_a_long_wait_is_counted_in_several_transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centre.ingest.runs.CHUNK", 2)
    first, *others = PlayedKiosk().write(*(scanned(f"U{number}") for number in range(8)))
    store(database, others)
    assert store(database, first).has_more
    while go_on(database, now=NOW, renew=renew_nothing).has_more:
        pass
    assert len(counted(database)) == 8
    assert runs(database) == [("3F0C9A1B", 0, 0, 8, 8)]


def forget(database: Database) -> None:
    """Forget the documents that count."""
    with database.writing() as connection:
        connection.execute(event.update().where(event.c.state == "projected").values(document=b""))


def test_an_event_whose_document_is_forgotten_is_still_known(database: Database) -> None:
    messages = PlayedKiosk().write(opened(), scanned("A"), scanned("B"))
    store(database, messages)
    forget(database)
    assert store(database, messages).events == 0
    assert len(counted(database)) == 2
    assert letters(database) == []


def test_an_event_that_comes_late_leaves_what_came_from_forgotten_ones(database: Database) -> None:
    messages = PlayedKiosk().write(opened(), scanned("A"), scanned("B"), scanned("C"))
    store(database, messages[:2], stand_in(messages[2]), messages[3])
    forget(database)
    store(database, messages[2])
    assert [row[3] for row in counted(database)] == ["A", "B", "C"]


def test_a_database_that_is_down_stores_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseDown("disk full")

    messages = PlayedKiosk().write(opened())
    with monkeypatch.context() as patch:
        patch.setattr("centre.ingest.transaction.count", fail)
        with pytest.raises(DatabaseDown):
            store(database, messages)
    assert rows(database, event, "sequence") == []
    assert store(database, messages).events == 1
