"""When uncovered events are sent again."""

import math

from agent.uplink.resend_timer import ResendTimer


def test_the_interval_doubles_up_to_its_maximum() -> None:
    """(`mqtt.md#unacknowledged-events`)"""
    timer = ResendTimer(first_s=60, max_s=900)
    timer.start(0.0)
    intervals = []
    now = 0.0
    for _ in range(6):
        intervals.append(timer.due - now)
        now = timer.due
        timer.repeat(now)
    assert intervals == [60, 120, 240, 480, 900, 900]


def test_a_first_interval_above_the_maximum_is_kept() -> None:
    timer = ResendTimer(first_s=3600, max_s=900)
    timer.start(0.0)
    timer.repeat(3600.0)
    assert timer.due == 7200.0


def test_starting_again_does_not_put_it_off() -> None:
    timer = ResendTimer(first_s=60, max_s=900)
    timer.start(1.0)
    timer.start(30.0)
    assert timer.due == 61.0


def test_stop_keeps_the_interval_and_reset_does_not() -> None:
    timer = ResendTimer(first_s=60, max_s=900)
    timer.repeat(0.0)
    timer.stop()
    assert timer.due == math.inf
    timer.start(0.0)
    assert timer.due == 120.0
    timer.reset()
    assert timer.due == math.inf
    timer.start(0.0)
    assert timer.due == 60.0
