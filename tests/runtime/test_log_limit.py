"""At most so many lines of a kind, and how many were left out."""

from agent.runtime.log_limit import LogLimit


def test_ten_lines_a_minute_of_each_kind_and_the_rest_is_counted() -> None:
    """Rule: mqtt.md#refused-messages."""
    limit = LogLimit()
    assert [limit.allows("order", now / 10) for now in range(500)].count(True) == 10
    assert limit.allows("verdict", 50.0)
    assert limit.take_left_out(59.0) == []
    assert limit.take_left_out(60.0) == [("order", 490)]
    assert limit.take_left_out(61.0) == []
    assert limit.allows("order", 61.0)


def test_the_count_is_not_lost_if_the_flood_goes_on() -> None:
    limit = LogLimit(most=1)
    assert [limit.allows("order", now) for now in (0.0, 30.0, 61.0)] == [True, False, False]
    assert limit.take_left_out(62.0) == [("order", 2)]
    assert limit.allows("order", 63.0)


def test_kinds_that_a_peer_makes_up_are_limited_together() -> None:
    limit = LogLimit()
    assert [limit.allows(f"kind {number}", number / 1000) for number in range(5000)].count(True) == 74
    assert ("others", 4926) in limit.take_left_out(100.0)
    assert limit.allows("kind 4999", 200.0)
