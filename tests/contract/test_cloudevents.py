"""Events as documents: written as the contract says, read back as they were, and nothing else is read.

Rules: `mqtt.md#event-documents`, `mqtt.md#event-ids-and-sequence`, `mqtt.md#event-types`.
"""

import json
from typing import Any

import pytest

from agent.contract.cloudevents import document, event_of, private_of, topic_of, undeliverable
from agent.contract.counted import CountedBox, CountedContent
from agent.contract.events import (
    EVENTS,
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Cause,
    Content,
    Event,
    Held,
    Kind,
    KindChosen,
    LineCount,
    ModeChosen,
    OrderCounted,
    OrderLeft,
    OrderOpened,
    OrderRevised,
    Outcome,
    PackingConfirmed,
    PackingLeft,
    PackingRefused,
    PackingStarted,
    Rejected,
    Released,
    Reopened,
    RoleAsked,
    RoleAssigned,
    Selected,
    SignedIn,
    SignedOut,
    Size,
    Unit,
    Voided,
    What,
)
from agent.contract.manifest import Flow, Role, Status
from agent.contract.reasons import Reason, Seen
from tests.contract.samples import ENVELOPE

AT: dict[str, Any] = {"station": "1", "by": "E7"}
COUNTS = {"line_scanned": 3, "line_pending": 7, "order_scanned": 3, "order_pending": 9}
COUNTED: dict[str, Any] = {
    "order": "SO-1001",
    "line": "1",
    "sku": "P13-128-BLK",
    "mode": Flow.USED,
    "unit": Unit(scheme="imei", id="490154203237518", aliases=("490154203237526",)),
    "quantity": 1,
    "box": "3F0C9A1B000017",
    "scanner": "left",
    "symbology": "C0",
    **COUNTS,
}
BOX: dict[str, Any] = {
    "box": "3F0C9A1B000017",
    "order": "SO-1001",
    "mode": Flow.POS,
    "contents": (Content(line="1", sku="P13", quantity=2, units=("A", "B")),),
}
COUNTED_BOX = CountedBox(box="B1", kiosk="dock-4", contents=(CountedContent(line="1", quantity=2, units=("A", "B")),))
LINES = (LineCount(line="1", ordered=2, scanned=3),)

ONE_OF_EACH: list[Event] = [
    SignedIn(**AT, operator="E7", cause=Cause.TAKEOVER),
    SignedOut(**AT, operator="E7", cause=Cause.IDLE),
    OrderOpened(**AT, order="SO-1001", revision=3, mode=None, manifest="{}"),
    OrderLeft(**AT, order="SO-1001", revision=3, mode=Flow.USED),
    RoleAsked(**AT, order="SO-1001", role="all"),
    RoleAssigned(**AT, order="SO-1001", role=Role.PACKING, operator="E8"),
    ModeChosen(**AT, order="SO-1001", mode=Flow.DISTRIBUTION),
    KindChosen(**AT, order="SO-1001", kind=Kind.SKU),
    PackingStarted(**AT, order="SO-1001"),
    PackingLeft(**AT, order="SO-1001"),
    PackingRefused(**AT, order="SO-1001", reason=Reason.QUANTITY_MISMATCH, lines=LINES),
    PackingConfirmed(
        **AT,
        order="SO-1001",
        revision=3,
        lines=LINES,
        boxes=("A", "B"),
        operators={"picking": "E7", "packing": "E7", "shipping": None},
    ),
    OrderRevised(
        order="SO-1001", revision=4, status=Status.WITHDRAWN, misfits=LINES, manifest="{}", changes=("x", (2, 3))
    ),
    OrderCounted(order="SO-1001", added=(COUNTED_BOX,), removed=("B2",)),
    Held(order="SO-1001", verdict="v1", unit="A", reason="counted twice", revision=2),
    Released(order="SO-1001", verdict="v1", unit="A", reason=None, outcome=Outcome.UNIT_REMOVED),
    Selected(**AT, order="SO-1001", what=What.QUANTITY, value="5"),
    Accepted(**AT, **COUNTED),
    Rejected(
        **AT,
        reason=Reason.WRONG_BARCODE,
        code="é\\n",
        seen=Seen.ICCID,
        symbology=None,
        scanner="left",
        order="SO-1001",
        count=7,
        clears=("quantity", "remove"),
    ),
    Voided(**AT, sequence="000000000041", **{**COUNTED, "unit": None, "quantity": 3}),
    BoxCreated(**AT, **BOX),
    BoxReopened(**AT, **BOX, state=Reopened.SCANNING),
    BoxVoided(**AT, **{**BOX, "contents": ()}),
    BoxSized(**AT, box="A", order="SO-1001", size="M", label=None),
    BoxConfirmed(**AT, **BOX, size=Size(code="M", length_mm=3, width_mm=2, height_mm=1), label="L"),
]


def written(event: Event, sequence: int = 42) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document(event, ENVELOPE, sequence))
    return found


def read(document: dict[str, Any], private: dict[str, Any] | None = None) -> Event | None:
    return event_of(document, private or {})


def test_one_of_each_is_here() -> None:
    assert [type(event) for event in ONE_OF_EACH] == list(EVENTS.values())


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: event.type)
def test_event_is_read_as_it_was_written(event: Event) -> None:
    assert read(written(event), json.loads(json.dumps(private_of(event)))) == event


def test_document_is_that_of_the_contract() -> None:
    text = (
        '{"specversion":"1.0","id":"3F0C9A1B-000000000042-7d1e40aa","source":"/kiosk/rtm1/dock-3",'
        '"type":"kiosk.scan.accepted.v1","time":"2026-11-22T17:53:01.123Z","datacontenttype":"application/json",'
        '"sequence":"000000000042","bootid":"7d1e40aa-0000-0000-0000-000000000000","uptimems":"812345",'
        '"clocksynced":true,"subject":"SO-1001","station":"1","operator":"E7",'
        '"data":{"order":"SO-1001","line":"1","sku":"P13-128-BLK","mode":"used",'
        '"unit":{"scheme":"imei","id":"490154203237518","aliases":["490154203237526"]},'
        '"quantity":1,"box":"3F0C9A1B000017","scanner":"left","symbology":"C0",'
        '"line_scanned":3,"line_pending":7,"order_scanned":3,"order_pending":9}}'
    )
    assert document(Accepted(**AT, **COUNTED), ENVELOPE, 42).decode() == text


def test_attributes_are_left_out_where_there_is_nothing() -> None:
    event = Rejected(reason=Reason.NOT_SIGNED_IN, code="x", seen=None, symbology=None, scanner=None, order=None)
    assert not written(event).keys() & {"subject", "station", "operator"}
    assert written(event)["data"]["order"] is None


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: event.type)
def test_private_fields_are_not_published(event: Event) -> None:
    assert not written(event)["data"].keys() & {"station", "by", *event.private}


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: event.type)
def test_topic_is_that_of_the_category(event: Event) -> None:
    assert topic_of(document(event, ENVELOPE, 1)) == event.type.split(".")[0]


def test_private_fields_at_their_defaults_are_not_kept() -> None:
    assert private_of(OrderOpened(order="A", revision=1, mode=None)) == {}
    assert private_of(Released(order="A", verdict="v", unit="A", reason=None, outcome=Outcome.RELEASED)) == {}


# -- documents that are not ours ---------------------------------------------------------------------------------


def changed(**data: object) -> dict[str, Any]:
    document = written(Accepted(**AT, **COUNTED))
    return {**document, "data": {**document["data"], **data}}


@pytest.mark.parametrize(
    "change",
    [
        {"type": "kiosk.scan.weighed.v1"},
        {"type": "kiosk.scan.accepted.v2"},
        {"type": "scan.accepted"},
        {"weight": "12"},
    ],
    ids=["a type", "a later version of a type", "no published type", "an attribute"],
)
def test_what_a_later_version_has_added_is_refused(change: dict[str, str]) -> None:
    """`faults.md#another-version`"""
    with pytest.raises(ValueError, match="unknown"):
        read({**changed(), **change})


@pytest.mark.parametrize(("was", "becomes"), [("imei", "eid"), ("used", "rental")], ids=["a scheme of units", "a flow"])
def test_a_value_that_a_later_version_has_added_is_refused(was: str, becomes: str) -> None:
    """`faults.md#another-version`"""
    text = json.dumps(changed())
    assert f'"{was}"' in text
    with pytest.raises(ValueError, match="nvalid"):
        read(json.loads(text.replace(f'"{was}"', f'"{becomes}"')))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "kiosk.scan.accepted.v1"},
        {"type": "kiosk.scan.accepted.v1", "data": []},
        {"type": "kiosk.scan.accepted.v1", "data": {}},
        changed(mode="air"),
        changed(quantity="1"),
        changed(colour="blue"),
        changed(unit={"scheme": "imei", "id": "A", "aliases": [], "colour": "blue"}),
        changed(order=None),
    ],
)
def test_document_of_another_form_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read(document)


def test_stand_in_has_the_id_and_the_reason_of_its_original() -> None:
    """Rule: mqtt.md#refused-publish."""
    original = document(Accepted(**AT, **COUNTED), ENVELOPE, 42)
    stand_in = undeliverable(original, "quota exceeded")
    wanted = {
        **json.loads(original),
        "type": "kiosk.event.undeliverable.v1",
        "data": {"type": "kiosk.scan.accepted.v1", "reason": "quota exceeded", "bytes": len(original)},
    }
    assert json.loads(stand_in) == wanted
    assert topic_of(stand_in) == "journal"
