"""Back-off: a random time under a doubling ceiling."""

from agent.uplink.backoff import Backoff
from agent.uplink.uplink_settings import Timing


def test_the_ceiling_doubles_to_thirty_seconds_and_is_reset() -> None:
    """(`mqtt.md#reconnect`)"""
    backoff = Backoff(timing=Timing(), random=lambda: 1.0)
    assert [backoff.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert backoff.next_s() == 1


def test_the_wait_is_random_below_the_ceiling() -> None:
    chances = iter([0.0, 0.5, 0.25])
    backoff = Backoff(timing=Timing(), random=lambda: next(chances))
    assert [backoff.next_s() for _ in range(3)] == [0.0, 1.0, 1.0]
