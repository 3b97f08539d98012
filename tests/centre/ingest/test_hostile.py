"""Messages that somebody has made up: they harm no other kiosk, no batch, and no memory."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centre.ingest.branches import place
from centre.ingest.projecting import unit_event_rows
from centre.ingest.transaction import store_batch
from centre.link.received import Received
from centre.store import dead_letter_rows
from centre.store.database import Database
from centre.store.schema import dead_letter, event
from tests.centre.ingest.picture import empty, hurry
from tests.centre.ingest.played import (
    NOW,
    PlayedKiosk,
    changed,
    confirmed,
    counted,
    opened,
    renew_nothing,
    rows,
    runs,
    scanned,
    states,
    store,
)

NASTY = ["\0", "a\0b", "x" * 5000, "ü" * 300, "\u202e", "'; DROP TABLE event; --", "\\N", "\t\n", "💥" * 64, ""]


def data_of(message: Received) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.payload)["data"]
    return found


def other_kiosk_works(database: Database, evil: list[Received]) -> None:
    """Store messages together with those of a good kiosk, before and behind."""
    good = PlayedKiosk("good", journal="GOOD0000")
    before, behind = good.write(opened("SO-9"), scanned("G1", "SO-9")), good.write(scanned("G2", "SO-9"))
    store(database, before, evil, behind)
    assert [unit for _, order, _, unit, _ in counted(database) if order == "SO-9"] == ["G1", "G2"]


@pytest.mark.parametrize("field", ["box", "line", "sku", "order", "unit", "alias"])
def test_any_text_in_a_scan(database: Database, field: str) -> None:
    evil: list[Received] = []
    for number, text in enumerate(NASTY):
        first, scan, last = PlayedKiosk(f"evil-{number}").write(opened(), scanned("A"), scanned("B"))
        data = data_of(scan)
        match field:
            case "unit":
                data["unit"]["id"] = text
            case "alias":
                data["unit"]["aliases"] = [text, text, "A"]
            case _:
                data[field] = text
        fields = {"subject": text} if field == "order" else {}
        evil += [first, changed(scan, data=data, **fields), last]
    other_kiosk_works(database, evil)
    assert [through for _, _, _, through, _ in runs(database)] == [3] * (len(NASTY) + 1)


NUMBERS = [-1, 0, 2**31, 2**63, 2**64, 10**30, 1.5, "3", None]


@pytest.mark.parametrize("field", ["quantity", "line_scanned"])
def test_any_number_in_a_scan(database: Database, field: str) -> None:
    evil = []
    for kiosk, number in enumerate(NUMBERS):
        scan = PlayedKiosk(f"evil-{kiosk}").write(scanned(None, quantity=5))[0]
        evil.append(changed(scan, data={**data_of(scan), field: number}))
    other_kiosk_works(database, evil)
    assert len(runs(database)) == len(NUMBERS) + 1


def test_any_text_in_a_box(database: Database) -> None:
    evil = []
    for number, text in enumerate(NASTY):
        first, second, third = PlayedKiosk(f"evil-{number}").write(*[confirmed("A")] * 3)
        size = {"code": text, "length_mm": 10**20, "width_mm": -1, "height_mm": 0}
        contents = [{"line": text, "sku": text, "quantity": 2, "units": [text, text]}]
        data = data_of(first)
        evil.append(changed(first, data={**data, "label": text}))
        evil.append(changed(second, data={**data, "size": size}))
        evil.append(changed(third, data={**data, "contents": contents}))
    other_kiosk_works(database, evil)
    assert [through for _, _, _, through, _ in runs(database)] == [3] * (len(NASTY) + 1)


def test_a_huge_sequence_takes_no_memory(database: Database) -> None:
    scan = PlayedKiosk().write(scanned("A"))[0]
    huge = changed(scan, sequence="999999999999", id="3F0C9A1B-999999999999-7d1e40aa")
    other_kiosk_works(database, [huge, scan])
    assert runs(database)[0] == ("3F0C9A1B", 0, 0, 1, 999999999999)


def test_a_box_of_another_order_is_left_alone(database: Database) -> None:
    kiosk = PlayedKiosk()
    store(database, kiosk.write(opened(), scanned("A"), scanned("B", "SO-2"), confirmed("C", order="SO-2")))
    assert counted(database) == [("B1", "SO-1", "1", "A", 1)]


def test_one_message_that_cannot_be_stored_does_not_stop_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever nobody has thought of: an event is then stored without its meaning."""

    def fail(facts: Any) -> Any:
        if any("POISON" in str(fact.event) for fact in facts):
            raise ValueError("nobody has thought of this")
        return unit_event_rows(facts)

    monkeypatch.setattr("centre.ingest.event_counting.unit_event_rows", fail)
    other_kiosk_works(database, PlayedKiosk().write(opened(), scanned("POISON"), scanned("B")))
    assert [state for _, state in states(database)].count("not_understood") == 1
    assert runs(database)[0][3] == 3
    assert rows(database, dead_letter, "reason") == []


def test_a_message_that_can_never_be_stored_is_a_dead_letter(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(placement: Any, key: Any, arrival: Any) -> None:
        if arrival.order == "SO-666":
            raise LookupError("nobody has thought of this")
        place(placement, key, arrival)

    monkeypatch.setattr("centre.ingest.transaction.place", fail)
    other_kiosk_works(database, PlayedKiosk().write(opened("SO-666")))
    assert rows(database, dead_letter, "reason") == [("not_storable",)]


def test_dead_letters_are_bounded_and_the_dropped_ones_counted(database: Database) -> None:
    letters = [("t", "topic", NOW, str(number).encode()) for number in range(25)]
    with database.writing() as connection:
        for start in range(0, 25, 5):
            dead_letter_rows.add(connection, letters[start : start + 5], limit=10)
        assert dead_letter_rows.count(connection) == 10
        assert dead_letter_rows.dropped(connection) == 15
        assert [one.payload for one in dead_letter_rows.page(connection, limit=2)] == [b"15", b"16"]
        assert dead_letter_rows.page(connection, after=25, limit=2) == []


TOPICS = ["event/scan", "event/x", "status", "health", "station/1", "response/t", "nonsense", ""]
FIELDS = ["id", "source", "type", "subject", "time", "sequence", "data", "specversion", "connection"]
VALUES = st.one_of(
    st.none(), st.integers(), st.text(max_size=10), st.sampled_from(NASTY), st.lists(st.integers(), max_size=2)
)


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.sampled_from(FIELDS), VALUES), max_size=20))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_messages_in_a_batch(database: Database, evil: list[tuple[str, str, Any]]) -> None:
    hurry(database)
    empty(database)
    kiosk = PlayedKiosk()
    messages = []
    for rest, field, value in evil:
        message = changed(kiosk.write(scanned("A"))[0], **{field: value})
        messages.append(message._replace(topic=f"kiosk/v1/rtm1/agent/dock-3/{rest}"))
    other_kiosk_works(database, messages)


def test_a_flood_of_dead_letters_is_stored_in_one_go(database: Database) -> None:
    flood = [Received("b:1", f"kiosk/v1/rtm1/agent/x/{n}", b"x", False, NOW) for n in range(500)]
    stored = store_batch(database, flood, now=NOW, renew=renew_nothing)
    assert stored.letters == 500
    assert rows(database, event, "sequence") == []


def test_a_bad_message_costs_the_others_little(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def fail(facts: Any) -> Any:
        nonlocal tries
        tries += 1
        if any("POISON" in str(fact.event) for fact in facts):
            raise ValueError("nobody has thought of this")
        return unit_event_rows(facts)

    monkeypatch.setattr("centre.ingest.event_counting.unit_event_rows", fail)
    good = PlayedKiosk("good", journal="GOOD0000")
    messages = good.write(opened("SO-9"), *[scanned(f"G{number}", "SO-9") for number in range(254)])
    store(database, messages[:100], PlayedKiosk().write(scanned("POISON")), messages[100:])
    assert len(counted(database)) == 254
    assert tries <= 2 * 8 + 3
