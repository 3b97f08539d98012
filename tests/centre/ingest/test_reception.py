"""One message at a time: what it is, or why it is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.contract.events import Accepted
from centre.ingest.kiosk_views import ViewArrival, ViewKind
from centre.ingest.reception import (
    EventArrival,
    LetterReason,
    RefusedMessage,
    ResponseArrival,
    event_in,
    receive,
)
from centre.link.received import Received
from centre.store.kiosk_rows import KioskName
from tests.centre.ingest.played import NOW, PlayedKiosk, changed, opened, scanned

ROOT = "kiosk/v1/rtm1/agent/dock-3"
SCAN = PlayedKiosk().write(scanned("A"))[0]


def message(topic: str, payload: bytes = b"{}") -> Received:
    return Received("broker:1883", topic, payload, False, NOW)


def reason(received: Received) -> LetterReason | None:
    found = receive(received)
    return found.reason if isinstance(found, RefusedMessage) else None


def test_an_event() -> None:
    found = receive(SCAN)
    assert isinstance(found, EventArrival)
    assert found.kiosk == KioskName("rtm1", "dock-3")
    assert (found.journal, found.sequence, found.boot) == ("3F0C9A1B", 1, "7d1e40aa")
    assert (found.order, found.type) == ("SO-1", "kiosk.scan.accepted.v1")
    assert (found.time, found.clock_synced) == ("2026-11-22T17:53:01.123Z", True)
    assert isinstance(found.event, Accepted)
    assert found.document == SCAN.payload
    assert event_in(found.document, "SO-1") == found.event


@pytest.mark.parametrize(
    "fields",
    [
        {"clocksynced": False},
        {"time": "yesterday"},
        {"time": "2026-13-45T99:99:99.999Z"},
        {"time": "0001-01-01T00:00:00.000Z"},
        {"time": "9999-12-31T23:59:59.999Z"},
        {"time": None},
        {"time": ...},
    ],
)
def test_without_a_good_time_that_of_the_receipt_counts(fields: dict[str, Any]) -> None:
    found = receive(changed(SCAN, **fields))
    assert isinstance(found, EventArrival)
    assert (found.time, found.clock_synced) == (NOW, False)
    assert found.event is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "kiosk.scan.guessed.v1"},
        {"type": "kiosk.scan.accepted.v2"},
        {"type": "x" * 5000},
        {"type": "\0\n"},
        {"specversion": "2.0"},
        {"data": None},
        {"data": ...},
        {"data": []},
        {"data": {"order": "SO-1"}},
        {"subject": 5},
        {"subject": ...},
        {"subject": "SO-2"},
        {"subject": "\0"},
        {"subject": "x" * 65},
        {"time": 5},
        {"clocksynced": "yes"},
    ],
)
def test_what_is_not_understood_is_an_event_all_the_same(fields: dict[str, Any]) -> None:
    found = receive(changed(SCAN, **fields))
    assert isinstance(found, EventArrival)
    assert found.event is None
    assert found.sequence == 1
    assert "\0" not in found.type
    assert len(found.type) <= 128
    assert found.order is None or found.order.isprintable()


def test_unknown_attributes_and_fields_are_ignored() -> None:
    data = {**json.loads(SCAN.payload)["data"], "weight_g": 174}
    found = receive(changed(SCAN, data=data, trace="x"))
    assert isinstance(found, EventArrival)
    assert isinstance(found.event, Accepted)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"source": "/kiosk/rtm1/dock-4"}, LetterReason.SOURCE),
        ({"source": "/kiosk/rtm2/dock-3"}, LetterReason.SOURCE),
        ({"source": "/kiosk/rtm1/dock-3/"}, LetterReason.SOURCE),
        ({"source": 5}, LetterReason.NOT_AN_EVENT),
        ({"specversion": ...}, LetterReason.NOT_AN_EVENT),
        ({"type": ...}, LetterReason.NOT_AN_EVENT),
        ({"type": 5}, LetterReason.NOT_AN_EVENT),
        ({"id": ...}, LetterReason.NOT_AN_EVENT),
        ({"id": "3F0C9A1B-1-7d1e40aa"}, LetterReason.NOT_AN_EVENT),
        ({"id": "3F0C9A1\0-000000000001-7d1e40aa"}, LetterReason.NOT_AN_EVENT),
        ({"id": "3F0C9A1B-000000000001-" + "x" * 100}, LetterReason.NOT_AN_EVENT),
        ({"sequence": "000000000002"}, LetterReason.NOT_AN_EVENT),
        ({"sequence": 1}, LetterReason.NOT_AN_EVENT),
        ({"sequence": "٠٠٠٠٠٠٠٠٠٠٠١"}, LetterReason.NOT_AN_EVENT),
        ({"sequence": "000000000000", "id": "3F0C9A1B-000000000000-7d1e40aa"}, LetterReason.NOT_AN_EVENT),
    ],
)
def test_events_that_are_refused(fields: dict[str, Any], expected: LetterReason) -> None:
    assert reason(changed(SCAN, **fields)) is expected


def test_bytes_that_are_no_text_are_no_event_wherever_they_stand() -> None:
    """The feed hands out the documents as they are, and must stay JSON."""
    for end in (b',"trace":"\xff"}', b',"tr\xe9ce":1}', b',"trace":"\xed\xa0\x80"}'):
        assert reason(SCAN._replace(payload=SCAN.payload[:-1] + end)) is LetterReason.NOT_AN_EVENT
    assert isinstance(receive(SCAN._replace(payload=SCAN.payload[:-1] + ',"träce":"é"}'.encode())), EventArrival)


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        (f"{ROOT}/event/scan", b"", LetterReason.NOT_AN_EVENT),
        (f"{ROOT}/event/scan", b"\xff\xfe", LetterReason.NOT_AN_EVENT),
        (f"{ROOT}/event/scan", b"5", LetterReason.NOT_AN_EVENT),
        (f"{ROOT}/event/scan", b"[" * 60_000, LetterReason.NOT_AN_EVENT),
        (f"{ROOT}/event/scan", b'{"id":"\\ud800"}', LetterReason.NOT_AN_EVENT),
        (f"{ROOT}/event/scan", b'{"a":"' + b"x" * 65_536 + b'"}', LetterReason.TOO_LARGE),
        (f"{ROOT}/status", b"[]", LetterReason.NOT_A_VIEW),
        (f"{ROOT}/status", b'{"connection":-1}', LetterReason.NOT_A_VIEW),
        (f"{ROOT}/status", b'{"connection":99999999999999999999}', LetterReason.NOT_A_VIEW),
        (f"{ROOT}/status", b'{"connection":1.5}', LetterReason.NOT_A_VIEW),
        (f"{ROOT}/health", b"[" * 60_000, LetterReason.NOT_A_VIEW),
        (f"{ROOT}/station/1", b"\xff", LetterReason.NOT_A_VIEW),
        (f"{ROOT}/station/1", b" " * 65_537, LetterReason.TOO_LARGE),
        (f"{ROOT}/station/a b", b"{}", LetterReason.TOPIC),
        (f"{ROOT}/status/x", b"{}", LetterReason.TOPIC),
        (f"{ROOT}/nothing", b"{}", LetterReason.TOPIC),
        (f"{ROOT}", b"{}", LetterReason.TOPIC),
        ("kiosk/v1/rtm1/agent/dock 3/status", b"{}", LetterReason.TOPIC),
        ("kiosk/v1/rtm1/agent//status", b"{}", LetterReason.TOPIC),
        ("kiosk/v1/" + "x" * 65 + "/agent/dock-3/status", b"{}", LetterReason.TOPIC),
        ("kiosk/v1/rtm1/order/SO-1", b"{}", LetterReason.TOPIC),
        ("", b"", LetterReason.TOPIC),
    ],
)
def test_messages_that_are_refused(topic: str, payload: bytes, expected: LetterReason) -> None:
    assert reason(message(topic, payload)) is expected


def test_of_a_message_that_is_too_large_only_the_beginning_is_kept() -> None:
    found = receive(message(f"{ROOT}/event/scan", b"x" * 300_000))
    assert isinstance(found, RefusedMessage)
    assert len(found.payload) == 4096


def test_views_and_responses() -> None:
    status = receive(message(f"{ROOT}/status", b'{"state":"online","connection":7}'))
    assert isinstance(status, ViewArrival)
    assert (status.kind, status.connection) == (ViewKind.STATUS, 7)
    station = receive(message(f"{ROOT}/station/1", b""))
    assert isinstance(station, ViewArrival)
    assert (station.kind, station.station, station.text) == (ViewKind.STATION, "1", None)
    answer = receive(message(f"{ROOT}/response/t%2D1", b"{}"))
    assert answer == ResponseArrival(KioskName("rtm1", "dock-3"), "t%2D1", b"{}")


ENDS = [f"{ROOT}/{end}" for end in ("event/x", "health", "station/1")]


@given(topic=st.one_of(st.text(max_size=40), st.sampled_from(ENDS)), payload=st.binary(max_size=60))
@settings(deadline=None)
def test_any_message_is_something(topic: str, payload: bytes) -> None:
    found = receive(message(topic, payload))
    if isinstance(found, RefusedMessage):
        assert found.topic.isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
    st.sampled_from(["id", "source", "type", "subject", "time", "sequence", "clocksynced", "data", "specversion"]),
)
@settings(deadline=None)
def test_any_value_in_any_attribute_is_taken(value: Any, name: str) -> None:
    receive(changed(PlayedKiosk().write(opened())[0], **{name: value}))
