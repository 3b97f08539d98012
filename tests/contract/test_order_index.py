"""The index of orders, in one message or in parts (`mqtt.md#order-index`)."""

import hashlib

import pytest

from agent.contract.messages import order_index_of
from agent.contract.order_index import PARTS, part_of
from agent.contract.refused import MessageRefused
from tests.contract.samples import payload


@pytest.mark.parametrize("order", ["SO-1001", "SO/2026/0017", "Ünit ✓"])
def test_the_part_is_the_first_hex_digit_of_the_hash(order: str) -> None:
    assert part_of(order) == hashlib.sha256(order.encode()).hexdigest()[0]
    assert part_of(order) in PARTS


def test_a_part_is_read() -> None:
    part = part_of("SO-1")
    index = order_index_of(payload({"revision": 3, "orders": {"SO-1": 2}}), topic="t", part=part)
    assert (index.part, index.revision, dict(index.orders)) == (part, 3, {"SO-1": 2})


def test_an_order_of_another_part_is_refused() -> None:
    """Rule: mqtt.md#refused-messages."""
    other = next(part for part in PARTS if part != part_of("SO-1"))
    with pytest.raises(MessageRefused, match=f"orders.SO-1: Belongs to part {part_of('SO-1')}"):
        order_index_of(payload({"revision": 3, "orders": {"SO-1": 2}}), topic="t", part=other)


@pytest.mark.parametrize("part", ["g", "A", "00", "0f"])
def test_a_part_has_one_hex_digit(part: str) -> None:
    with pytest.raises(MessageRefused, match="topic"):
        order_index_of(payload({"revision": 3, "orders": {}}), topic="t", part=part)
