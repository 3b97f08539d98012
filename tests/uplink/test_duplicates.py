"""Recognising a second client with the same id."""

import math

from agent.uplink.duplicates import SHORT_SESSIONS, DuplicateDetector
from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import Timing

TAKEN_OVER = BrokerLost("taken over", code=0x8E)
UNEXPLAINED = BrokerLost("closed", unexplained=True)
EXPLAINED = BrokerLost("network is unreachable")


def detector(protocol: int) -> DuplicateDetector:
    return DuplicateDetector(protocol=protocol, timing=Timing())


def short_session(one: DuplicateDetector, *, lasted_s: float = 1.0) -> bool:
    """A session that ends without a reason, and is followed by the next one at once."""
    assert not one.lost(UNEXPLAINED, since_online_s=lasted_s)
    return one.connected()


def test_a_broker_that_says_so_is_believed_at_once() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    assert detector(5).lost(TAKEN_OVER, since_online_s=1000.0)
    assert detector(311).lost(TAKEN_OVER, since_online_s=1000.0)


def test_several_short_unexplained_sessions_are_a_duplicate_under_311_only() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    for protocol, expected in ((311, True), (5, False)):
        one = detector(protocol)
        found = [short_session(one) for _ in range(SHORT_SESSIONS)]
        assert found == [False] * (SHORT_SESSIONS - 1) + [expected]


def test_a_broker_that_is_gone_for_a_moment_is_no_second_client() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    one = detector(311)
    for _ in range(10):
        one.lost(UNEXPLAINED, since_online_s=1.0)
        assert one.is_suspicious
        one.lost(EXPLAINED, since_online_s=math.inf)
        assert not one.is_suspicious
        assert not one.connected()


def test_other_losses_and_long_sessions_do_not_count() -> None:
    one = detector(311)
    for _ in range(10):
        assert not one.lost(EXPLAINED, since_online_s=1.0)
        assert not one.connected()
        assert not short_session(one, lasted_s=60.0)


def test_a_stable_connection_starts_the_count_again() -> None:
    one = detector(311)
    for _ in range(SHORT_SESSIONS - 1):
        assert not short_session(one)
    one.connection_is_stable()
    assert not short_session(one)


def test_after_staying_away_the_count_starts_again() -> None:
    one = detector(311)
    for _ in range(SHORT_SESSIONS - 1):
        assert not short_session(one)
    one.forget()
    assert not short_session(one)
