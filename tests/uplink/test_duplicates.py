"""Recognising a second client with the same id."""

from agent.uplink.duplicates import SHORT_SESSIONS, DuplicateDetector
from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import Timing

TAKEN_OVER = BrokerLost("taken over", code=0x8E)
UNEXPLAINED = BrokerLost("closed", unexplained=True)
EXPLAINED = BrokerLost("network is unreachable")


def detector(protocol: int) -> DuplicateDetector:
    return DuplicateDetector(protocol=protocol, timing=Timing())


def test_a_broker_that_says_so_is_believed_at_once() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    assert detector(5).is_duplicate(TAKEN_OVER, since_online_s=1000.0)
    assert detector(311).is_duplicate(TAKEN_OVER, since_online_s=1000.0)


def test_several_short_unexplained_sessions_are_a_duplicate_under_311_only() -> None:
    """(`mqtt.md#duplicate-client-id`)"""
    for protocol, expected in ((311, True), (5, False)):
        one = detector(protocol)
        found = [one.is_duplicate(UNEXPLAINED, since_online_s=1.0) for _ in range(SHORT_SESSIONS)]
        assert found == [False] * (SHORT_SESSIONS - 1) + [expected]


def test_other_losses_and_long_sessions_do_not_count() -> None:
    one = detector(311)
    for _ in range(10):
        assert not one.is_duplicate(EXPLAINED, since_online_s=1.0)
        assert not one.is_duplicate(UNEXPLAINED, since_online_s=60.0)


def test_a_stable_connection_starts_the_count_again() -> None:
    one = detector(311)
    for _ in range(SHORT_SESSIONS - 1):
        one.is_duplicate(UNEXPLAINED, since_online_s=1.0)
    one.connection_is_stable()
    assert not one.is_duplicate(UNEXPLAINED, since_online_s=1.0)
