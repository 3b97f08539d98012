"""The uplink's settings."""

from agent.uplink.uplink_settings import BrokerSettings


def test_the_password_is_never_shown() -> None:
    settings = BrokerSettings(hosts=(("broker", 8883),), username="dock-3", password="secret")
    assert "secret" not in repr(settings)
    assert "secret" not in f"{settings}"
