"""The demo's broker comes and goes."""

import sys

import pytest

from agent.demo import broker
from agent.demo.broker import HOST, PROTOCOL, running_broker
from agent.errors import KioskError
from agent.uplink.oneshot import try_connect
from agent.uplink.uplink_settings import BrokerSettings, DeliverySettings
from harness.servers import listens


def test_it_serves_and_is_gone_afterwards() -> None:
    with running_broker() as port:
        settings = BrokerSettings(hosts=((HOST, port),), protocol=PROTOCOL, tls=False)
        assert "MQTT 3.1.1" in try_connect(settings, DeliverySettings(), site="a", kiosk="b")
    assert not listens(port)


def test_a_missing_amqtt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amqtt.errors", None)
    with pytest.raises(KioskError, match=r"kiosk-agent\[demo\]"), running_broker():
        pass


def test_a_filter_added_during_a_loop_ends_no_loop() -> None:
    subscriptions = broker._Subscriptions({"a": []})
    for _ in subscriptions:
        subscriptions["b"] = []
    assert list(subscriptions) == ["a", "b"]
    for name, _ in subscriptions.items():
        subscriptions[f"{name}/more"] = []
    assert [name for name, _ in subscriptions.items()] == ["a", "b", "a/more", "b/more"]
