"""Fetching single orders: a few at a time, each until it came or expired."""

import math

from agent.uplink.fetching import AT_ONCE, Fetching


def topics(count: int) -> list[str]:
    return [f"order/{number}" for number in range(count)]


def test_all_topics_are_fetched_a_few_at_a_time() -> None:
    """(`mqtt.md#order-index`)"""
    fetching = Fetching(timeout_s=10.0)
    fetching.want(topics(AT_ONCE * 3))
    seen: list[str] = []
    while started := fetching.start(0.0):
        assert len(started) <= AT_ONCE
        seen += started
        assert all(fetching.arrived(topic) for topic in started)
    assert seen == topics(AT_ONCE * 3)
    assert fetching.deadline() == math.inf


def test_a_topic_wanted_twice_is_fetched_once() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(["a", "a"])
    assert fetching.start(0.0) == ["a"]
    fetching.want(["a"])
    assert fetching.start(0.0) == []
    fetching.arrived("a")
    fetching.want(["a"])
    assert fetching.start(0.0) == ["a"]


def test_a_topic_that_was_not_fetched_did_not_arrive() -> None:
    assert not Fetching(timeout_s=10.0).arrived("a")


def test_a_topic_without_a_message_expires_and_can_be_wanted_again() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(["a"])
    fetching.start(5.0)
    assert fetching.deadline() == 15.0
    assert fetching.expire(14.9) == []
    assert fetching.expire(15.0) == ["a"]
    fetching.want(["a"])
    assert fetching.start(20.0) == ["a"]


def test_after_a_lost_connection_the_rest_is_fetched_in_order() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(topics(AT_ONCE + 2))
    fetching.start(0.0)
    fetching.arrived("order/0")
    fetching.disconnected()
    assert fetching.start(1.0) == topics(AT_ONCE + 2)[1 : AT_ONCE + 1]
