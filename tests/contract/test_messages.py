"""Reference messages, and messages to one kiosk: each is refused as a whole, or read.

Rules: `mqtt.md#refused-messages`, `mqtt.md#json-values`.
"""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.box_sizes import BoxSize
from agent.contract.manifest import Role
from agent.contract.messages import (
    ack_of,
    blocked_of,
    boxes_of,
    operators_of,
    order_index_of,
    request_of,
    verdict_of,
)
from agent.contract.operators import Operator
from agent.contract.refused import MessageRefused
from agent.contract.requests import Ack, Request
from agent.contract.verdicts import Action, Verdict
from tests.contract.samples import JSON, changed, outcome, payload

# -- reference messages ------------------------------------------------------------------------------------------

PEOPLE = {
    "revision": 4,
    "items": [
        {"operator": "E7", "name": "Ann", "badges": ["zb-1", "X1"], "roles": ["picking", "packing"]},
        {"operator": "E8", "badges": ["ZB-2"], "roles": None},
        {"operator": "E9", "roles": []},
    ],
}


def test_operators_are_found_by_badge_without_case() -> None:
    """Rule: mqtt.md#operators-list."""
    operators = operators_of(payload(PEOPLE), topic="t")
    ann = Operator(id="E7", name="Ann", roles=frozenset({Role.PICKING, Role.PACKING}))
    assert operators.find("ZB-1") == operators.find("x1") == operators.by_id["E7"] == ann
    assert operators.find("zb-2") == Operator(id="E8", name=None, roles=None)
    assert operators.by_id["E9"].roles == frozenset()
    assert operators.find("E7") is None
    assert operators_of(operators.source.encode(), topic="t") == operators


def test_operators_with_a_salt_are_found_by_their_hash() -> None:
    """Rule: mqtt.md#operators-list."""
    digest = hashlib.sha256("sälZ".encode() + "ZBÄ1".encode()).hexdigest()
    people = {"revision": 1, "salt": "sälZ", "items": [{"operator": "E7", "badges": [digest]}]}
    operators = operators_of(payload(people), topic="t")
    found = operators.find("zbä1")
    assert found is not None
    assert found.id == "E7"
    assert operators.find(digest) is None
    assert operators_of(operators.source.encode(), topic="t") == operators


def test_badge_of_two_operators_is_shared() -> None:
    """Rule: scanning.md#ambiguous-codes."""
    people = {
        "revision": 1,
        "items": [{"operator": "E7", "badges": ["A1", "a1"]}, {"operator": "E8", "badges": ["B1", "a1"]}],
    }
    assert operators_of(payload(people), topic="t").shared == {"A1"}


def test_boxes_are_found_by_code_without_case() -> None:
    """Rule: mqtt.md#box-sizes."""
    boxes = boxes_of(
        payload({"revision": 1, "items": [{"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}]}),
        topic="t",
    )
    assert boxes.find("m") == BoxSize(code="M", length_mm=300, width_mm=200, height_mm=150)
    assert boxes.find("L") is None
    assert boxes_of(boxes.source.encode(), topic="t") == boxes


def test_blocked_identifiers_are_comparable() -> None:
    """Rule: mqtt.md#blocked-units."""
    part = blocked_of("a", payload({"revision": 1, "items": ["490154203237518", "sn1"]}), topic="t")
    assert part.identifiers == {"490154203237518", "SN1"}
    assert blocked_of("a", part.source.encode(), topic="t") == part


def test_order_index_has_revisions() -> None:
    """Rule: mqtt.md#order-index."""
    index = order_index_of(payload({"revision": 7, "orders": {"SO-1001": 3, "SO/2": 1}}), topic="t")
    assert index.orders == {"SO-1001": 3, "SO/2": 1}
    assert order_index_of(index.source.encode(), topic="t") == index


def test_verdict_is_read() -> None:
    """Rule: mqtt.md#verdicts."""
    data = payload({"revision": 1, "action": "hold", "order": "SO-1", "unit": "4901", "reason": "counted twice"})
    assert verdict_of("v1", data, topic="t") == Verdict(
        id="v1", revision=1, action=Action.HOLD, order="SO-1", unit="4901", reason="counted twice"
    )


def test_ack_is_read() -> None:
    """Rule: mqtt.md#acknowledgement."""
    data = payload({"journal": "3F0C9A1B", "through": "000000000042", "id": None})
    assert ack_of(data, topic="t") == Ack(journal="3F0C9A1B", through=42, id=None)


def test_request_keeps_its_other_fields() -> None:
    """Rule: mqtt.md#requests."""
    data = payload({"transaction": "a-1", "from": "000000000001", "deep": {"n": [1.5, None]}})
    assert request_of("resend", data, topic="t") == Request(
        name="resend", transaction="a-1", fields={"from": "000000000001", "deep": {"n": [1.5, None]}}
    )


VERDICT = {"revision": 1, "action": "hold", "order": "SO-1", "unit": "4901"}
BOX = {"code": "M", "length_mm": 300, "width_mm": 200, "height_mm": 150}
READERS: dict[str, Callable[[bytes], object]] = {
    "ack": lambda data: ack_of(data, topic="t"),
    "blocked": lambda data: blocked_of("a", data, topic="t"),
    "boxes": lambda data: boxes_of(data, topic="t"),
    "operators": lambda data: operators_of(data, topic="t"),
    "orders": lambda data: order_index_of(data, topic="t"),
    "request": lambda data: request_of("health", data, topic="t"),
    "verdict": lambda data: verdict_of("v1", data, topic="t"),
}


@pytest.mark.parametrize(
    ("reader", "document", "field"),
    [
        ("ack", {"journal": "3F0C9A1B", "through": 42}, "through"),
        ("ack", {"journal": "3F0C9A1B", "through": "42"}, "through"),
        ("ack", {"journal": "3F0C9A1B", "through": "٠٠٠٠٠٠٠٠٠٠٤٢"}, "through"),
        ("ack", {"through": "000000000042"}, "journal"),
        ("blocked", {"revision": 1, "items": [490154203237518]}, "items.0"),
        ("blocked", {"revision": 1, "items": "490154203237518"}, "items"),
        ("boxes", {"revision": 1, "items": [{**BOX, "code": "m"}]}, "items.0.code"),
        ("boxes", {"revision": 1, "items": [{**BOX, "width_mm": 0}]}, "items.0.width_mm"),
        ("boxes", {"revision": 1, "items": [{**BOX, "width_mm": 1.5}]}, "items.0.width_mm"),
        ("boxes", {"revision": 1, "items": [BOX, BOX]}, "items.1.code"),
        ("operators", changed(PEOPLE, ("items", 1, "operator"), "E7"), "items.1.operator"),
        ("operators", changed(PEOPLE, ("items", 1, "operator"), "E-8"), "items.1.operator"),
        ("operators", changed(PEOPLE, ("items", 1, "roles"), ["cleaning"]), "items.1.roles.0"),
        ("operators", {**PEOPLE, "salt": ""}, "salt"),
        (
            "operators",
            {"revision": 1, "salt": "s", "items": [{"operator": "E7", "badges": ["ab"]}]},
            "items.0.badges.0",
        ),
        ("orders", {"revision": 7, "orders": {"SO-1001": "3"}}, "orders.SO-1001"),
        ("orders", {"revision": 7, "orders": ["SO-1001"]}, "orders"),
        ("request", {"transaction": "a/b"}, "transaction"),
        ("request", {"transaction": "#"}, "transaction"),
        ("request", {"transaction": None}, "transaction"),
        ("request", {}, "transaction"),
        ("verdict", {**VERDICT, "action": "holds"}, "action"),
        ("verdict", {**VERDICT, "reason": "x" * 257}, "reason"),
        ("verdict", {**VERDICT, "revision": True}, "revision"),
        ("verdict", {**VERDICT, "revision": 0}, "revision"),
        ("verdict", {**VERDICT, "unit": ""}, "unit"),
    ],
)
def test_message_names_the_wrong_field(reader: str, document: object, field: str) -> None:
    with pytest.raises(MessageRefused) as refused:
        READERS[reader](payload(document))
    assert [name.split(": ")[0] for name in refused.value.fields] == [field]


@pytest.mark.parametrize("reader", READERS)
@given(data=st.binary(max_size=50) | JSON.map(payload))
def test_any_message_is_refused_or_read(reader: str, data: bytes) -> None:
    read = outcome(READERS[reader], data)
    assert not isinstance(read, MessageRefused) or read.fields


@pytest.mark.parametrize("name", ["", "v" * 65, "a\u202eb", "a\nb"])
def test_what_a_topic_names_is_held_to_the_bounds_of_every_id(name: str) -> None:
    verdict = payload({"revision": 1, "action": "hold", "order": "SO-1", "unit": "490154203237518"})
    with pytest.raises(MessageRefused):
        verdict_of(name, verdict, topic="t")
    with pytest.raises(MessageRefused):
        blocked_of(name, payload({"revision": 1, "items": []}), topic="t")
