"""Fetching orders: a few at a time, each until it came or its time is up."""

import math

from agent.uplink.fetching import AT_ONCE, Fetching


def topics(count: int) -> list[str]:
    return [f"order/{number}" for number in range(count)]


def test_a_few_at_a_time_all_in_the_end() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(topics(AT_ONCE * 3))
    seen: list[str] = []
    while started := fetching.start(0.0):
        assert len(started) <= AT_ONCE
        seen += started
        assert all(fetching.came(topic) for topic in started)
    assert seen == topics(AT_ONCE * 3)
    assert fetching.deadline() == math.inf


def test_what_is_wanted_twice_is_fetched_once() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(["a", "a"])
    assert fetching.start(0.0) == ["a"]
    fetching.want(["a"])
    assert fetching.start(0.0) == []
    fetching.came("a")
    fetching.want(["a"])
    assert fetching.start(0.0) == ["a"]


def test_what_was_not_fetched_did_not_come_by_fetching() -> None:
    assert not Fetching(timeout_s=10.0).came("a")


def test_what_brings_nothing_is_given_up_and_may_be_wanted_again() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(["a"])
    fetching.start(5.0)
    assert fetching.deadline() == 15.0
    assert fetching.give_up(14.9) == []
    assert fetching.give_up(15.0) == ["a"]
    fetching.want(["a"])
    assert fetching.start(20.0) == ["a"]


def test_a_lost_connection_asks_anew_in_order() -> None:
    fetching = Fetching(timeout_s=10.0)
    fetching.want(topics(AT_ONCE + 2))
    fetching.start(0.0)
    fetching.came("order/0")
    fetching.disconnected()
    assert fetching.start(1.0) == topics(AT_ONCE + 2)[1 : AT_ONCE + 1]
