"""A broker comes and goes, whichever it is."""

import socket
import sys
from pathlib import Path

import pytest

from agent.demo import broker
from agent.demo.broker import HOST, BrokerChoice, running_broker
from agent.errors import KioskError
from agent.uplink.oneshot import try_connect
from agent.uplink.uplink_settings import BrokerSettings, DeliverySettings


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.mark.parametrize(
    ("choice", "name", "version"),
    [
        (BrokerChoice.AUTO, "mosquitto", "MQTT 5"),
        (BrokerChoice.MOSQUITTO, "mosquitto", "MQTT 5"),
        (BrokerChoice.EMBEDDED, "embedded broker (amqtt)", "MQTT 3.1.1"),
    ],
)
def test_it_serves_and_is_gone_afterwards(tmp_path: Path, choice: BrokerChoice, name: str, version: str) -> None:
    with running_broker(choice, tmp_path) as listening:
        assert listening.name == name
        settings = BrokerSettings(hosts=((HOST, listening.port),), protocol=listening.protocol, tls=False)
        assert version in try_connect(settings, DeliverySettings(), site="a", kiosk="b")
    assert not listens(listening.port)


def test_without_a_mosquitto_the_embedded_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    with running_broker(BrokerChoice.AUTO, tmp_path) as listening:
        assert listening.protocol == 311


def test_a_missing_mosquitto_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "find_mosquitto", lambda: None)
    with (
        pytest.raises(KioskError, match="there is no mosquitto here"),
        running_broker(BrokerChoice.MOSQUITTO, tmp_path),
    ):
        pass


def test_a_missing_amqtt_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)
    with pytest.raises(KioskError, match=r"kiosk-agent\[demo\]"), running_broker(BrokerChoice.EMBEDDED, tmp_path):
        pass


def test_a_mosquitto_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\necho no such luck\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(broker, "find_mosquitto", lambda: str(program))
    with pytest.raises(KioskError, match="does not start: no such luck"), running_broker(BrokerChoice.AUTO, tmp_path):
        pass
