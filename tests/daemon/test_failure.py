"""A failure at start is shown and published, as far as anything works."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from agent.config.settings import IndicatorSettings, JsonlSettings, KioskSettings, MqttSettings
from agent.daemon.failure import tell_failure
from agent.daemon.status_socket import SOCKET_NAME
from agent.uplink.failures import BrokerLost

MQTT = MqttSettings(host="127.0.0.1")
Published = list[dict[str, Any]]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    calls: Published = []
    monkeypatch.setattr("agent.uplink.oneshot.publish_status_once", lambda _broker, **fields: calls.append(fields))
    return calls


def kiosk(directory: Path) -> KioskSettings:
    return KioskSettings.model_validate({"site": "rtm1", "id": "dock-3", "state_dir": str(directory)})


def light(path: Path) -> IndicatorSettings:
    return JsonlSettings.model_validate({"driver": "jsonl", "path": str(path)})


def test_every_light_shows_fault_and_the_status_is_failed(tmp_path: Path, published: Published) -> None:
    """`commands.md#failure-at-start`"""
    lights = [("1", light(tmp_path / "one")), ("2", light(tmp_path / "two"))]
    tell_failure(reason="why", kiosk=kiosk(tmp_path), mqtt=MQTT, indicators=lights)
    for station, name in (("1", "one"), ("2", "two")):
        (shown,) = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
        assert (shown["station"], shown["signal"], shown["reason"]) == (station, "fault", None)
    (fields,) = published
    assert (fields["site"], fields["kiosk"], fields["state"], fields["reason"]) == ("rtm1", "dock-3", "failed", "why")


def test_a_bug_in_a_driver_or_the_client_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`commands.md#failure-at-start`"""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("nobody expected it")

    monkeypatch.setattr("agent.uplink.oneshot.publish_status_once", broken)
    monkeypatch.setattr("agent.daemon.failure.indicator_of", broken)
    tell_failure(reason="why", kiosk=kiosk(tmp_path), mqtt=MQTT, indicators=[("1", light(tmp_path / "one"))])


def test_what_does_not_work_does_not_stop_the_rest(tmp_path: Path, published: Published) -> None:
    lights = [("1", light(tmp_path / "no" / "such" / "folder")), ("2", light(tmp_path / "two"))]
    tell_failure(reason="why", kiosk=kiosk(tmp_path), mqtt=MQTT, indicators=lights)
    assert (tmp_path / "two").exists()
    assert len(published) == 1


def test_a_broker_that_does_not_answer_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise BrokerLost("nobody listens there")

    monkeypatch.setattr("agent.uplink.oneshot.publish_status_once", lost)
    tell_failure(reason="why", kiosk=kiosk(tmp_path), mqtt=MQTT, indicators=[("1", light(tmp_path / "one"))])
    assert (tmp_path / "one").exists()


@pytest.mark.parametrize(("has_kiosk", "has_mqtt"), [(False, True), (True, False), (False, False)])
def test_without_a_kiosk_or_a_broker_nothing_is_published(
    tmp_path: Path, published: Published, has_kiosk: bool, has_mqtt: bool
) -> None:
    tell_failure(
        reason="why",
        kiosk=kiosk(tmp_path) if has_kiosk else None,
        mqtt=MQTT if has_mqtt else None,
        indicators=[("1", light(tmp_path / "one"))],
    )
    assert published == []
    assert (tmp_path / "one").exists()


def test_a_daemon_that_runs_keeps_its_lights_and_its_status(tmp_path: Path, published: Published) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.bind(str(tmp_path / SOCKET_NAME))
        daemon.listen()
        tell_failure(reason="why", kiosk=kiosk(tmp_path), mqtt=MQTT, indicators=[("1", light(tmp_path / "one"))])
    assert published == []
    assert not (tmp_path / "one").exists()
