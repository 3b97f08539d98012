"""Which subscriptions the broker refuses, and when they are asked for again."""

import math

from agent.uplink.subscriptions import Subscriptions
from agent.uplink.uplink_settings import Timing

STANDING = ("a", "b", "c")


def asked(now: float = 0.0) -> Subscriptions:
    one = Subscriptions(STANDING, timing=Timing())
    one.asked(1, STANDING, now)
    return one


def test_what_is_granted_is_not_asked_for_again() -> None:
    one = asked(3.0)
    assert one.unanswered_since() == 3.0
    assert one.answered(1, (None, None, None), 4.0) == []
    assert (one.lines, one.due, one.unanswered_since()) == ((), math.inf, math.inf)


def test_what_is_refused_is_asked_for_again_with_back_off() -> None:
    """Rule: mqtt.md#refused-subscription."""
    one = asked()
    assert one.answered(1, (None, "no", None), 0.0) == [("b", "no")]
    now, waits = 0.0, []
    for token in range(2, 12):
        assert one.take_due(one.due - 0.01) == ()
        waits.append(one.due - now)
        now = one.due
        assert one.take_due(now) == ("b",)
        one.asked(token, ("b",), now)
        assert one.answered(token, ("no",), now) == [], "it is known"
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert one.refused_since("b") == 0.0
    assert one.refused_since("a") == math.inf
    one.asked(99, ("b",), now)
    assert one.answered(99, (None,), now) == []
    assert (one.lines, one.due) == ((), math.inf)


def test_a_filter_without_a_code_is_refused() -> None:
    """Rule: mqtt.md#refused-subscription."""
    one = asked()
    assert one.answered(1, (None,), 0.0) == [("b", "no answer"), ("c", "no answer")]
    assert one.take_due(1.0) == ("b", "c")


def test_a_single_order_is_not_asked_for_again() -> None:
    one = Subscriptions(STANDING, timing=Timing())
    one.asked(1, ("order/SO-1",), 0.0)
    assert one.answered(1, ("no",), 0.0) == [("order/SO-1", "no")]
    assert (one.lines, one.due) == ((), math.inf)


def test_an_answer_to_nothing_is_ignored() -> None:
    assert asked().answered(7, ("no",), 0.0) == []
