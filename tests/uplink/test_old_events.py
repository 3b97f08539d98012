"""The order between events under earlier journal ids and those of the present id."""

from agent.uplink.old_events import OldEvents
from agent.uplink.refusals import Refusals
from agent.uplink.uplink_settings import Timing


def test_new_events_wait_until_the_broker_has_accepted_the_old_ones() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    old, refused = OldEvents(3), Refusals(timing=Timing())
    assert not old.hold_back(3, refused=refused, in_flight=[1, 2])
    assert old.hold_back(4, refused=refused, in_flight=[2])
    refused.refused(2, "why", 0.0)
    assert old.hold_back(4, refused=refused, in_flight=[])
    refused.accepted(2)
    assert not old.hold_back(4, refused=refused, in_flight=[])


def test_a_new_pass_makes_them_wait_again() -> None:
    old, refused = OldEvents(3), Refusals(timing=Timing())
    assert not old.hold_back(4, refused=refused, in_flight=[])
    assert not old.hold_back(4, refused=refused, in_flight=[2])
    old.new_pass()
    assert old.hold_back(4, refused=refused, in_flight=[2])


def test_old_events_without_a_subscriber_are_repeated_once() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    old = OldEvents(3)
    assert not old.must_repeat(delivered=0)
    old.no_subscriber(4)
    assert not old.must_repeat(delivered=0)
    old.no_subscriber(3)
    assert not old.must_repeat(delivered=3)
    assert old.must_repeat(delivered=0)
    assert not old.must_repeat(delivered=0)
    old.new_journal_id(5)
    assert old.must_repeat(delivered=0)
