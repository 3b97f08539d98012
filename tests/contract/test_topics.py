"""Topics: ids in and out of them, and what an incoming topic is.

Rules: `mqtt.md#topics-and-qos`, `mqtt.md#order-ids-in-topics`, `mqtt.md#connection`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.topics import MessageKind, Topics, decode_order, encode

ORDERS = st.text(min_size=1, max_size=64).filter(str.isprintable)


@pytest.fixture(name="topics")
def _topics() -> Topics:
    return Topics("rtm1", "dock-3")


@pytest.mark.parametrize(
    ("order", "level"),
    [
        ("SO-1001", "SO-1001"),
        ("SO/2026/0017", "SO%2F2026%2F0017"),
        ("a.b~c", "a%2Eb%7Ec"),
        ("100%", "100%25"),
        ("+#", "%2B%23"),
        ("é €", "%C3%A9%20%E2%82%AC"),
    ],
)
def test_order_encodes_to_one_level(order: str, level: str) -> None:
    assert encode(order) == level
    assert decode_order(level) == order


@given(ORDERS)
def test_every_order_survives_the_topic(order: str) -> None:
    level = encode(order)
    assert not set(level) & set("/+#$ ")
    assert decode_order(level) == order


@pytest.mark.parametrize(
    "level",
    ["", "a.b", "%2f", "%41", "%", "%2", "%GG", "a b", "é", "%FF", "%00", "%0A", "x" * 65, "%ED%A0%80", "%F0%9F"],
)
def test_level_that_no_order_encodes_to_is_refused(level: str) -> None:
    assert decode_order(level) is None


@given(st.text(alphabet="ABZaz09%-_.~/ é", max_size=20))
def test_decoding_is_the_inverse_or_nothing(level: str) -> None:
    order = decode_order(level)
    assert order is None or encode(order) == level


@pytest.mark.parametrize(
    ("topic", "known"),
    [
        ("kiosk/v1/rtm1/order/SO%2F1", (MessageKind.ORDER, "SO/1", "")),
        ("kiosk/v1/rtm1/order/SO.1", (MessageKind.ORDER, "", "")),
        ("kiosk/v1/rtm1/order/a/b", (MessageKind.ORDER, "", "")),
        ("kiosk/v1/other/order/SO-1", None),
        ("kiosk/v1/rtm1/reference/orders", (MessageKind.ORDER_INDEX, "", "")),
        ("kiosk/v1/rtm1/reference/orders/a", (MessageKind.ORDER_INDEX, "a", "")),
        ("kiosk/v1/rtm1/reference/orders/", None),
        ("kiosk/v1/rtm1/counted/SO%2F1/3", (MessageKind.COUNTED, "SO/1", "3")),
        ("kiosk/v1/rtm1/counted/SO.1/3", (MessageKind.COUNTED, "", "3")),
        ("kiosk/v1/rtm1/counted/SO-1", None),
        ("kiosk/v1/rtm1/counted/SO-1/3/4", None),
        ("kiosk/v1/rtm1/reference/operators", (MessageKind.OPERATORS, "", "")),
        ("kiosk/v1/rtm1/reference/boxes", (MessageKind.BOXES, "", "")),
        ("kiosk/v1/rtm1/reference/blocked/2", (MessageKind.BLOCKED, "2", "")),
        ("kiosk/v1/rtm1/reference/blocked/", None),
        ("kiosk/v1/rtm1/reference/blocked/2/3", None),
        ("kiosk/v1/rtm1/reference/prices", None),
        ("kiosk/v1/rtm1/agent/dock-3/ack", (MessageKind.ACK, "", "")),
        ("kiosk/v1/rtm1/agent/dock-3/verdict/V7", (MessageKind.VERDICT, "V7", "")),
        ("kiosk/v1/rtm1/agent/dock-3/request/reload", (MessageKind.REQUEST, "reload", "")),
        ("kiosk/v1/rtm1/agent/dock-3/request/", None),
        ("kiosk/v1/rtm1/agent/dock-3/event/scan", None),
        ("kiosk/v1/rtm1/agent/dock-4/ack", None),
        ("", None),
    ],
)
def test_incoming_topic_is_classified(topics: Topics, topic: str, known: tuple[MessageKind, str, str] | None) -> None:
    assert topics.classify(topic) == known


def test_own_topics_are_where_the_contract_puts_them(topics: Topics) -> None:
    """Rule: settings.md#kiosk."""
    assert topics.client_id == "kiosk-rtm1-dock-3"
    assert topics.status == "kiosk/v1/rtm1/agent/dock-3/status"
    assert topics.event("scan") == "kiosk/v1/rtm1/agent/dock-3/event/scan"
    assert topics.view("station/1") == "kiosk/v1/rtm1/agent/dock-3/station/1"
    assert topics.response("a/b") == "kiosk/v1/rtm1/agent/dock-3/response/a%2Fb"
    assert topics.order("SO/1") == "kiosk/v1/rtm1/order/SO%2F1"


def test_every_transaction_can_be_answered(topics: Topics) -> None:
    assert topics.response("\ud800").isascii()
