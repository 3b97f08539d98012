"""What is acknowledged: never more than is stored, and of the journal that the kiosk has."""

import json

from centre.ingest.acknowledgements import Acknowledgement, acks_of_all, acks_of_batch
from centre.ingest.resend_answers import Asked
from centre.ingest.transaction import Stored
from centre.store.database import Database
from centre.store.kiosk_rows import KioskName
from tests.centre.ingest.played import PlayedKiosk, event_id, opened, scanned, store


def acks(database: Database, stored: Stored) -> list[tuple[str, int, str | None]]:
    with database.reading() as connection:
        return [(ack.journal, ack.through, ack.event_id) for ack in acks_of_batch(connection, stored.touched)]


def test_message() -> None:
    ack = Acknowledgement("rtm1", "dock-3", "3F0C9A1B", 42, "3F0C9A1B-000000000042-7d1e40aa")
    assert ack.topic == "kiosk/v1/rtm1/agent/dock-3/ack"
    assert json.loads(ack.payload) == {
        "journal": "3F0C9A1B",
        "through": "000000000042",
        "id": "3F0C9A1B-000000000042-7d1e40aa",
    }
    assert "id" not in json.loads(ack._replace(event_id=None).payload)


def test_the_end_of_the_gapless_run(database: Database) -> None:
    messages = PlayedKiosk().write(*(scanned(f"U{number}") for number in range(5)))
    assert acks(database, store(database, messages[1:])) == []
    assert acks(database, store(database, messages[0])) == [("3F0C9A1B", 5, event_id(messages[4]))]
    assert acks(database, store(database, messages[2])) == [("3F0C9A1B", 5, event_id(messages[4]))]


def test_in_a_hole_there_is_no_id(database: Database) -> None:
    kiosk = PlayedKiosk()
    ranges = [{"from": "000000000001", "through": "000000000009"}]
    document = {"transaction": "t1", "request": "resend", "ok": True, "through": "000000000009", "pruned": ranges}
    asked = {"t1": Asked(KioskName("rtm1", "dock-3"), "3F0C9A1B", 1, 9)}
    store(database, kiosk.on("response/t1", document), asked=asked)
    with database.reading() as connection:
        assert [ack[2:] for ack in acks_of_all(connection, {"rtm1"})] == [("3F0C9A1B", 9, None)]


def test_a_branch_is_never_acknowledged(database: Database) -> None:
    kiosk = PlayedKiosk()
    shared = kiosk.write(scanned("A"))
    clone = kiosk.copy(boot="eeeeeeee-1")
    own = kiosk.write(scanned("B"), scanned("C"))
    store(database, shared, own)
    stored = store(database, clone.write(*(scanned(f"X{number}") for number in range(9))))
    assert acks(database, stored) == [("3F0C9A1B", 3, event_id(own[1]))]


def test_of_two_journals_that_of_the_status_goes_last(database: Database) -> None:
    old, new = PlayedKiosk(), PlayedKiosk(journal="AAAAAAAA")
    first, last = old.write(scanned("A")), new.write(scanned("B"))
    store(database, last)
    store(database, new.on("status", {"connection": 1, "journal": "AAAAAAAA"}))
    expected = [("3F0C9A1B", 1, event_id(first[0])), ("AAAAAAAA", 1, event_id(last[0]))]
    assert acks(database, store(database, first)) == expected
    assert acks(database, store(database, last, first)) == expected
    with database.reading() as connection:
        assert [ack.journal for ack in acks_of_all(connection, {"rtm1"})] == ["AAAAAAAA"]


def test_without_a_status_the_newest_journal_is_acknowledged_at_a_connect(database: Database) -> None:
    for journal, at in (("3F0C9A1B", "2026-11-22T18:00:01.000Z"), ("AAAAAAAA", "2026-11-22T18:00:00.000Z")):
        store(database, [one._replace(received_at=at) for one in PlayedKiosk(journal=journal).write(opened())])
    store(database, PlayedKiosk("dock-4").write(opened()), PlayedKiosk(site="ams1").write(opened()))
    store(database, PlayedKiosk().on("status", b'{"connection":1,"journal":"unknown!"}'))
    with database.reading() as connection:
        found = {(ack.kiosk, ack.journal) for ack in acks_of_all(connection, {"rtm1"})}
    assert found == {("dock-3", "3F0C9A1B"), ("dock-4", "3F0C9A1B")}
