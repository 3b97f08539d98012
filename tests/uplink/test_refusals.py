"""Events that the broker refuses."""

import math

from agent.uplink.refusals import REFUSALS_TO_STAND_IN, Refusals
from agent.uplink.uplink_settings import Timing


def test_each_event_has_a_back_off_of_its_own() -> None:
    """(`mqtt.md#refused-publish`)"""
    refusals = Refusals(timing=Timing(retry_s=1.0, retry_max_s=4.0))
    refusals.refused(1, "why", 0.0)
    refusals.refused(2, "why", 0.5)
    assert refusals.due == 1.0
    assert refusals.first_due(0.9) is None
    assert refusals.first_due(1.6) == 1
    refusals.retrying(1)
    assert refusals.first_due(1.6) == 2
    refusals.refused(1, "why", 2.0)
    refusals.accepted(2)
    assert refusals.due == 4.0
    assert 2 not in refusals
    assert len(refusals) == 1


def test_a_lost_connection_makes_unanswered_retries_due() -> None:
    refusals = Refusals(timing=Timing())
    refusals.refused(1, "why", 0.0)
    refusals.retrying(1)
    assert refusals.due == math.inf
    refusals.lost(7.0)
    assert refusals.first_due(7.0) == 1


def test_a_stand_in_needs_ten_refusals_with_later_events_accepted_in_between() -> None:
    """(`mqtt.md#refused-publish`)"""
    refusals = Refusals(timing=Timing())
    for _ in range(50):
        refusals.refused(1, "why", 0.0)
    assert refusals.stand_in_reason(1) is None
    for position in range(2, REFUSALS_TO_STAND_IN + 1):
        refusals.accepted(position)
        refusals.refused(1, "the last reason", 0.0)
    assert refusals.stand_in_reason(1) == "the last reason"
    refusals.delivered(1)
    assert refusals.stand_in_reason(1) is None
    assert len(refusals) == 0
