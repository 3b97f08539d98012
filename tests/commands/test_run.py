"""`kiosk-agent run` (`commands.md#run`) with a sound and a refused configuration (`commands.md#failure-at-start`)."""

import json
import socket
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agent import __version__
from agent.commands.run import run
from agent.config import Config, salvage
from agent.daemon import failure
from agent.daemon.status_socket import SOCKET_NAME
from agent.errors import ConfigError
from agent.uplink.failures import BrokerLost
from agent.uplink.uplink_settings import BrokerSettings

CONFIG = """
[kiosk]
site = "rtm1"
id = "dock-3"
state_dir = "state"
[mqtt]
host = "127.0.0.1"
port = 1
[[station]]
id = "1"
[[station.scanner]]
name = "left"
driver = "serial"
port = "/dev/ttyACM0"
[station.indicator]
driver = "jsonl"
path = "signals"
"""

Published = list[tuple[BrokerSettings, dict[str, Any]]]


pytestmark = pytest.mark.usefixtures("logs_as_before")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    calls: Published = []

    def publish(broker: BrokerSettings, **fields: Any) -> None:
        calls.append((broker, fields))

    monkeypatch.setattr("agent.uplink.oneshot.publish_status_once", publish)
    return calls


def signals(file: Path) -> list[tuple[str, str, str | None]]:
    shown = [json.loads(line) for line in (file.parent / "signals").read_text().splitlines()]
    return [(one["station"], one["signal"], one["reason"]) for one in shown]


def test_run_hands_a_sound_configuration_to_the_daemon(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Config] = []
    daemon = ModuleType("agent.daemon.root")

    def run_daemon(config: Config) -> int:
        ran.append(config)
        return 3

    monkeypatch.setattr(daemon, "run", run_daemon, raising=False)
    monkeypatch.setitem(sys.modules, "agent.daemon.root", daemon)
    assert run(file) == 3
    assert [config.kiosk.id for config in ran] == ["dock-3"]
    assert not (file.parent / "signals").exists()


def test_run_shows_and_publishes_a_refusal(
    file: Path, published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rule: commands.md#failure-at-start."""
    file.write_text(CONFIG + "[workflow]\nbounce_ms = -1\npacker = true\n")
    with pytest.raises(ConfigError) as refused:
        run(file)

    assert len(refused.value.problems) == 2
    assert signals(file) == [("1", "fault", None)]
    ((broker, fields),) = published
    assert broker.hosts == (("127.0.0.1", 1),)
    assert (fields["site"], fields["kiosk"], fields["state"], fields["version"]) == (
        "rtm1",
        "dock-3",
        "failed",
        __version__,
    )
    assert fields["reason"] == (
        "configuration refused: workflow.bounce_ms: "
        "expected milliseconds, a whole number from 0 to 5000, found -1 (and 1 more)"
    )
    logged = [line.split(" ", 2)[1:] for line in capsys.readouterr().out.splitlines()]
    assert [(level, text.partition(" ")[0]) for level, text in logged] == [("CRITICAL", "agent.commands.run:")] * 2


def test_run_publishes_nothing_without_a_sound_broker(file: Path, published: Published) -> None:
    """Rule: commands.md#failure-at-start."""
    file.write_text(CONFIG.replace("port = 1", "port = 0"))
    with pytest.raises(ConfigError):
        run(file)
    assert published == []
    assert signals(file) == [("1", "fault", None)]


def test_run_a_refusal_that_cannot_be_told_is_still_a_refusal(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def publish(_broker: BrokerSettings, **_fields: Any) -> None:
        raise BrokerLost("127.0.0.1:1: nobody listens there")

    monkeypatch.setattr("agent.uplink.oneshot.publish_status_once", publish)
    file.write_text(CONFIG.replace('"signals"', '"no/such/folder"') + "[workflow]\nbounce_ms = -1\n")
    with pytest.raises(ConfigError):
        run(file)
    out = capsys.readouterr().out
    assert "agent.daemon.failure: the fault cannot be shown on the light station=1 why=" in out
    assert (
        'agent.daemon.failure: the failure cannot be published to the broker why="127.0.0.1:1: nobody listens there"'
        in out
    )


def test_run_beside_a_daemon_leaves_its_lights_and_status_alone(file: Path, published: Published) -> None:
    file.write_text(CONFIG + "[workflow]\nbounce_ms = -1\n")
    kiosk = salvage(file).kiosk
    assert kiosk is not None
    kiosk.state_dir.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.bind(str(kiosk.state_dir / SOCKET_NAME))
        daemon.listen()
        with pytest.raises(ConfigError):
            run(file)
    assert published == []
    assert not (file.parent / "signals").exists()


def test_run_without_a_file(tmp_path: Path, published: Published) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        run(tmp_path / "agent.toml")
    assert published == []


def test_the_lights_stay_for_the_whole_rhythm(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    lights = '[station.indicator]\ndriver = "gpio"\nred = 1\ngreen = 2\nblue = 3\nbuzzer = 4\n'
    file.write_text(CONFIG.partition("[mqtt]")[0] + '[[station]]\nid = "1"\n' + lights)
    with pytest.raises(ConfigError):
        run(file)
    assert slept
    assert 0 < slept[-1] <= failure.FAULT_S
