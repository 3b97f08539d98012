"""Which documents are understood: those of every event type, of newer kiosks too."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from agent.contract.event_values import Cause, Kind, LineCount, Outcome, Reopened, Size, Unit, What
from agent.contract.events import (
    EVENTS,
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    KindChosen,
    ModeChosen,
    OrderCounted,
    OrderLeft,
    OrderOpened,
    OrderRevised,
    PackingConfirmed,
    PackingLeft,
    PackingRefused,
    PackingStarted,
    Rejected,
    Released,
    RoleAsked,
    RoleAssigned,
    Selected,
    SignedIn,
    SignedOut,
    Voided,
)
from agent.contract.manifest import Role, Status
from agent.contract.reasons import Reason
from centre.projection.understand import NotUnderstood, is_order_name, understand
from tests.centre.ingest.played import USED, PlayedKiosk, contents, scanned

COUNTS: dict[str, Any] = {"line_scanned": 1, "line_pending": 0, "order_scanned": 1, "order_pending": 0}
SCAN: dict[str, Any] = {
    "order": "SO-1", "line": "1", "sku": "P13", "mode": USED, "quantity": 1, "box": "B1", "scanner": None,
    "symbology": None, "unit": Unit(scheme="serial", id="A", aliases=("B",)), **COUNTS,
}  # fmt: skip
BOX: dict[str, Any] = {"box": "B1", "order": "SO-1", "mode": USED, "contents": contents("A")}
LINE = LineCount(line="1", ordered=2, scanned=1)

EACH: list[Event] = [
    SignedIn(operator="E7", cause=Cause.BADGE),
    SignedOut(operator="E7", cause=Cause.IDLE),
    OrderOpened(order="SO-1", revision=1, mode=None),
    OrderLeft(order="SO-1", revision=1, mode=USED),
    RoleAsked(order="SO-1", role="all"),
    RoleAssigned(order="SO-1", role=Role.PICKING, operator="E7"),
    ModeChosen(order="SO-1", mode=USED),
    KindChosen(order="SO-1", kind=Kind.SERIAL),
    PackingStarted(order="SO-1"),
    PackingLeft(order="SO-1"),
    PackingRefused(order="SO-1", reason=Reason.QUANTITY_MISMATCH, lines=(LINE,)),
    PackingConfirmed(order="SO-1", revision=1, lines=(LINE,), boxes=(), operators={"picking": "E7", "packing": None}),
    OrderRevised(order="SO-1", revision=2, status=Status.OPEN, misfits=(LINE,)),
    OrderCounted(order="SO-1", added=(), removed=("B9",)),
    Held(verdict="v", order="SO-1", unit="A", reason="blocked"),
    Released(verdict="v", order="SO-1", unit=None, reason=None, outcome=Outcome.RELEASED),
    Selected(order="SO-1", what=What.PRODUCT, value="P13"),
    Accepted(**SCAN),
    Rejected(reason=Reason.NOT_ON_ORDER, code="x", seen=None, symbology=None, scanner=None, order=None),
    Voided(sequence="000000000001", **SCAN),
    BoxCreated(**BOX),
    BoxReopened(state=Reopened.BOXING, **BOX),
    BoxVoided(**BOX),
    BoxSized(box="B1", order="SO-1", size="M", label=None),
    BoxConfirmed(size=Size(code="M", length_mm=3, width_mm=2, height_mm=1), label="L", **BOX),
]  # fmt: skip
BY_TYPE = pytest.mark.parametrize("event", EACH, ids=lambda event: event.type)


def published(event: Event) -> tuple[str, dict[str, Any]]:
    """Return the type and the data of an event as a kiosk publishes it."""
    message = json.loads(PlayedKiosk().write(event)[0].payload)
    return message["type"], message["data"]


def test_each_type_is_tried() -> None:
    assert {type(event) for event in EACH} == set(EVENTS.values())


@BY_TYPE
def test_what_a_kiosk_writes_is_understood(event: Event) -> None:
    type_, data = published(event)
    assert understand(type_, encode(data)) == event


@BY_TYPE
def test_what_a_newer_kiosk_adds_is_ignored(event: Event) -> None:
    type_, data = published(event)

    def with_more(value: Any) -> Any:
        if isinstance(value, dict):
            return {"new": [1], **{name: with_more(one) for name, one in value.items()}}
        return [with_more(one) for one in value] if isinstance(value, list) else value

    # A role that this version does not know is a value, no field.
    data = {"new": 1, **data} if isinstance(event, PackingConfirmed) else with_more(data)
    assert understand(type_, encode(data)) == event


@BY_TYPE
def test_null_and_absent_are_the_same(event: Event) -> None:
    type_, data = published(event)
    data = {name: value for name, value in data.items() if value is not None}
    assert understand(type_, encode(data)) == event


@BY_TYPE
def test_another_version_of_a_type_is_not_understood(event: Event) -> None:
    type_, data = published(event)
    with pytest.raises(NotUnderstood, match="unknown"):
        understand(type_.replace(".v1", ".v2"), encode(data))


NEVER_NULL = {"box", "contents", "line", "lines", "operator", "order", "quantity", "revision", "sequence", "verdict"}


@BY_TYPE
def test_what_is_missing_or_of_another_kind_is_not_understood(event: Event) -> None:
    type_, data = published(event)

    def is_understood(fields: dict[str, Any]) -> bool:
        try:
            understand(type_, encode(fields))
        except NotUnderstood:
            return False
        return True

    for name in data.keys() - {"count"}:
        is_optional = is_understood({other: value for other, value in data.items() if other != name})
        assert is_optional == is_understood({**data, name: None})
        assert not is_optional or (name not in NEVER_NULL or isinstance(event, Rejected))
        assert not is_understood({**data, name: {"x": [1.5]}})


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"5", b'"x"', b"{", b"[" * 9000, b'{"order":"\xff"}'])
def test_what_is_no_object_is_not_understood(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        understand("kiosk.scan.accepted.v1", data)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("SO-1", True),
        ("SO 1/ü", True),
        ("x" * 64, True),
        ("", False),
        ("x" * 65, False),
        ("a\nb", False),
        ("\0", False),
    ],
)
def test_order_names(name: str, is_one: bool) -> None:
    assert is_order_name(name) is is_one


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
)


@given(st.sampled_from(EACH), st.data())
@settings(deadline=None)
def test_any_value_in_any_field_is_understood_or_not(event: Event, data: Any) -> None:
    type_, fields = published(event)
    if fields:
        fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(VALUES)
    try:
        understand(type_, encode(fields))
    except NotUnderstood:
        return


def test_a_unit_counts_one_piece() -> None:
    type_, data = published(scanned("A"))
    with pytest.raises(NotUnderstood):
        understand(type_, encode({**data, "quantity": 2}))
