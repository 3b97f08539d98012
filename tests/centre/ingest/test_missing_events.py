"""Which events are missing, and what becomes of those that a kiosk no longer has."""

from typing import Any

import pytest

from centre.ingest.gap_watch import THE_LAST, Missing, OldJournal, ToCheck
from centre.ingest.kiosk_views import HealthClaim
from centre.ingest.missing_events import find_missing, old_journals_of
from centre.ingest.resend_answers import Asked
from centre.store.database import Database
from centre.store.kiosk_rows import KioskName
from centre.store.schema import hole
from tests.centre.ingest.played import PlayedKiosk, counted, opened, rows, runs, scanned, states, store

KIOSK = KioskName("rtm1", "dock-3")
NOTHING = ToCheck((), {}, frozenset())


def found(database: Database, check: ToCheck = NOTHING) -> list[Missing]:
    with database.reading() as connection:
        return find_missing(connection, {"rtm1"}, check)


def scans(number: int) -> Any:
    return PlayedKiosk().write(opened(), *(scanned(f"U{each}") for each in range(number - 1)))


def answer(kiosk: PlayedKiosk, first: int, last: int, *pruned: tuple[int, int], transaction: str = "t1") -> Any:
    ranges = [{"from": f"{low:012d}", "through": f"{high:012d}"} for low, high in pruned]
    document = {"transaction": transaction, "request": "resend", "ok": True, "journal": kiosk.journal}
    return kiosk.on(
        f"response/{transaction}", {**document, "from": f"{first:012d}", "through": f"{last:012d}", "pruned": ranges}
    )


def test_the_range_before_the_next_stored_event(database: Database) -> None:
    messages = scans(9)
    store(database, messages[:2], messages[4], messages[8])
    assert found(database) == [Missing(KIOSK, "3F0C9A1B", 0, 3, 4)]
    store(database, messages[2:4])
    assert found(database) == [Missing(KIOSK, "3F0C9A1B", 0, 6, 8)]
    store(database, messages)
    assert found(database) == []


def test_another_centre_s_sites_are_left_to_it(database: Database) -> None:
    messages = PlayedKiosk(site="ams1").write(opened(), opened())
    store(database, messages[1])
    assert found(database, ToCheck((HealthClaim(KioskName("ams1", "dock-3"), 1, "J", 5, 5),), {}, frozenset())) == []


@pytest.mark.parametrize(("acked", "expected"), [(0, []), (4, []), (9, [Missing(KIOSK, "3F0C9A1B", 0, 5, 9)])])
def test_what_a_kiosk_takes_as_delivered_should_be_stored(
    database: Database, acked: int, expected: list[Missing]
) -> None:
    store(database, scans(4))
    claim = HealthClaim(KIOSK, 7, "3F0C9A1B", 12, acked)
    assert found(database, ToCheck((claim,), {}, frozenset())) == expected


def test_an_empty_centre_asks_from_the_first_event(database: Database) -> None:
    claim = HealthClaim(KIOSK, 7, "3F0C9A1B", 12, 10)
    assert found(database, ToCheck((claim,), {}, frozenset())) == [Missing(KIOSK, "3F0C9A1B", 0, 1, 10)]


def test_earlier_journals_are_asked_for_at_a_connect(database: Database) -> None:
    for number in range(8):
        kiosk = PlayedKiosk(journal=f"{number:08d}")
        store(database, [one._replace(received_at=f"2026-11-2{number}T00:00:00.000Z") for one in kiosk.write(opened())])
    with database.reading() as connection:
        old = old_journals_of(connection, {KIOSK, KioskName("rtm1", "unheard")})
    assert old == {OldJournal(KIOSK, f"{number:08d}"): THE_LAST for number in range(6, 1, -1)}
    assert Missing(KIOSK, "00000006", 0, 2, THE_LAST) in found(database, ToCheck((), old, frozenset()))


def test_what_a_kiosk_no_longer_has_is_a_hole(database: Database) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), *(scanned(f"U{number}") for number in range(9)))
    store(database, messages[0], messages[7:])
    asked = {"t1": Asked(KIOSK, "3F0C9A1B", 2, 7)}
    stored = store(database, answer(kiosk, 2, 7, (1, 4)), asked=asked)
    assert stored.responses
    assert rows(database, hole, "first", "last") == [(2, 4)]
    assert runs(database) == [("3F0C9A1B", 0, 0, 4, 10)]
    store(database, messages[4:7])
    assert runs(database) == [("3F0C9A1B", 0, 0, 10, 10)]
    assert len(counted(database)) == 6
    assert found(database) == []


def test_an_event_that_comes_into_a_hole_counts_at_its_place(database: Database) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), *(scanned(f"U{number}") for number in range(9)))
    store(database, messages[9])
    store(database, answer(kiosk, 1, 9, (1, 9)), asked={"t1": Asked(KIOSK, "3F0C9A1B", 1, 9)})
    store(database, messages[4], messages[8])
    assert rows(database, hole, "first", "last") == [(1, 4), (6, 8)]
    assert states(database) == [(5, "projected"), (9, "projected"), (10, "projected")]
    assert [row[3] for row in counted(database)] == ["U3", "U7", "U8"]
    store(database, messages)
    assert rows(database, hole, "first") == []
    assert len(counted(database)) == 9


def test_an_empty_centre_learns_what_was_pruned(database: Database) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(opened(), *(scanned(f"U{number}") for number in range(9)))
    asked = {"t1": Asked(KIOSK, "3F0C9A1B", 1, 8)}
    store(database, answer(kiosk, 1, 8, (1, 6)), messages[6:], asked=asked)
    assert runs(database) == [("3F0C9A1B", 0, 0, 10, 10)]
    assert rows(database, hole, "first", "last") == [(1, 6)]


def test_a_hole_is_only_where_nothing_is_stored(database: Database) -> None:
    kiosk = PlayedKiosk()
    messages = kiosk.write(*(scanned(f"U{number}") for number in range(10)))
    store(database, messages[0], messages[4], messages[9])
    asked = {"t1": Asked(KIOSK, "3F0C9A1B", 2, 9)}
    store(database, messages[6], answer(kiosk, 2, 9, (1, THE_LAST)), asked=asked)
    assert rows(database, hole, "first", "last") == [(2, 4), (6, 6), (8, 9)]
    assert runs(database) == [("3F0C9A1B", 0, 0, 10, 10)]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"t1": Asked(KioskName("rtm1", "dock-4"), "3F0C9A1B", 2, 9)},
        {"t2": Asked(KIOSK, "3F0C9A1B", 2, 9)},
    ],
)
def test_an_answer_to_no_question_makes_no_hole(database: Database, asked: dict[str, Asked]) -> None:
    kiosk = PlayedKiosk()
    store(database, answer(kiosk, 2, 9, (2, 9)), asked=asked)
    assert rows(database, hole, "first") == []


ILLEGIBLE = [
    b"",
    b"[]",
    b"{}",
    b'{"transaction":"t1","request":"resend","ok":true,"pruned":[{"from":"x"}]}',
    b"[" * 9000,
]


@pytest.mark.parametrize("payload", ILLEGIBLE)
def test_an_illegible_answer_makes_no_hole(database: Database, payload: bytes) -> None:
    store(database, PlayedKiosk().on("response/t1", payload), asked={"t1": Asked(KIOSK, "3F0C9A1B", 2, 9)})
    assert rows(database, hole, "first") == []


def test_a_kiosk_that_makes_up_journals_keeps_no_other_from_being_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centre.ingest.missing_events.GAPS_MAX", 5)
    for number in range(20):
        evil = PlayedKiosk("evil", journal=f"EVIL{number:04d}")
        store(database, evil.write(opened(), opened())[1])
    store(database, scans(3)[2])
    wanted = [one.kiosk.name for one in found(database)]
    assert wanted.count("dock-3") == 1
    assert wanted.count("evil") == 4
