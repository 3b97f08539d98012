"""Probing for a subscriber."""

import math

from agent.uplink.subscriber_probe import SubscriberProbe


def test_probes_are_sent_at_growing_intervals() -> None:
    """(`mqtt.md#broker-confirmation`)"""
    probe = SubscriberProbe(first_s=1.0, max_s=4.0)
    waits = []
    for _ in range(4):
        probe.no_subscriber(100.0)
        probe.no_subscriber(100.5)  # another event in flight got the same answer
        waits.append(probe.due - 100.0)
        probe.begin()
        assert probe.is_running
        assert probe.due == math.inf
    assert waits == [1.0, 2.0, 4.0, 4.0]


def test_success_ends_the_probe_and_resets_the_interval() -> None:
    probe = SubscriberProbe(first_s=1.0, max_s=4.0)
    probe.no_subscriber(0.0)
    probe.begin()
    probe.no_subscriber(0.0)
    probe.begin()
    probe.succeeded()
    assert not probe.is_running
    probe.no_subscriber(0.0)
    assert probe.due == 1.0


def test_a_new_connection_forgets_the_probe() -> None:
    probe = SubscriberProbe(first_s=1.0, max_s=4.0)
    probe.no_subscriber(0.0)
    probe.begin()
    probe.no_subscriber(0.0)
    probe.cancel()
    assert not probe.is_running
    assert probe.due == math.inf
