"""The uplink's settings."""

from agent.uplink.uplink_settings import BrokerSettings, Timing


def test_the_password_is_never_shown() -> None:
    settings = BrokerSettings(hosts=(("broker", 8883),), username="dock-3", password="secret")
    assert "secret" not in repr(settings)
    assert "secret" not in f"{settings}"


def test_the_waiting_times_are_those_of_the_contract() -> None:
    """Tests of the uplink use shorter ones (`mqtt.md#duplicate-client-id`, `mqtt.md#unanswered-publish`,
    `mqtt.md#refused-subscription`, `mqtt.md#reconnect`, `mqtt.md#unacknowledged-events`).
    """
    timing = Timing()
    assert timing.duplicate_wait_s == 5 * 60
    assert (timing.stall_s, timing.ack_refused_s, timing.stable_s) == (60, 60, 60)
    assert (timing.backoff_max_s, timing.ack_wait_s, timing.resend_max_s) == (30, 2, 15 * 60)
