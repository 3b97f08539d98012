"""`kiosk-agent check` (`commands.md#check`): the file, real devices and mock pins, the broker's answer."""

import io
import os
import pty
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.commands.check import check
from agent.drivers.scanners.device_nodes import DeviceNode
from agent.errors import ConfigError
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings
from tests.drivers.benches import keyboard

HEAD = """
[kiosk]
site = "rtm1"
id = "dock-3"
state_dir = "{dir}/state"
[mqtt]
host = "127.0.0.1"
[[station]]
id = "1"
[[station.scanner]]
name = "left"
driver = "serial"
port = "{port}"
"""


@pytest.fixture
def port() -> Iterator[str]:
    """The path of a pseudo-terminal whose other end is open."""
    controller, terminal = pty.openpty()
    yield os.ttyname(terminal)
    os.close(controller)
    os.close(terminal)


@pytest.fixture
def file(tmp_path: Path, port: str) -> Path:
    file = tmp_path / "agent.toml"
    file.write_text(HEAD.format(dir=tmp_path, port=port))
    return file


@pytest.fixture(autouse=True)
def keyboards(monkeypatch: pytest.MonkeyPatch) -> list[DeviceNode]:
    """The keyboards that are plugged in: none, whatever machine this is."""
    found: list[DeviceNode] = []
    monkeypatch.setattr("agent.commands.check.keyboards", lambda: found)
    return found


def more(file: Path, text: str) -> Path:
    file.write_text(file.read_text() + text)
    return file


def lines(file: Path, *, code: int, hardware: bool = False, broker: bool = False) -> list[str]:
    out = io.StringIO()
    assert check(file, out, hardware=hardware, broker=broker) == code
    first, *others = out.getvalue().splitlines()
    assert first.startswith("ok      configuration: kiosk rtm1/dock-3, stations 1")
    return others


def test_check_a_sound_file(file: Path) -> None:
    assert lines(file, code=0) == []


def test_check_a_refused_file(file: Path) -> None:
    """Rule: commands.md#check."""
    with pytest.raises(ConfigError, match=r"uplink\.keep_days"):
        check(more(file, "[uplink]\nkeep_days = -1\n"), io.StringIO())


def test_check_says_that_nothing_is_encrypted(file: Path) -> None:
    file.write_text(file.read_text().replace("[mqtt]", "[mqtt]\ntls = false"))
    (note,) = lines(file, code=0)
    assert note.startswith("note    mqtt.tls = false")


def test_check_hardware_opens_every_device(file: Path, port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: commands.md#check."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    os.mkfifo(file.parent / "signals")
    more(file, '[station.indicator]\ndriver = "jsonl"\npath = "signals"\n[station.buttons]\nsave = 23\n')
    assert lines(file, code=0, hardware=True) == [
        f"ok      station 1, scanner left: {port}",
        "ok      station 1, indicator jsonl: opened",
        "ok      station 1, button save: pin 23 opened",
    ]


def test_check_hardware_goes_on_after_a_missing_device(file: Path, tmp_path: Path, port: str) -> None:
    file.write_text(file.read_text().replace(port, str(tmp_path / "gone")))
    more(file, '[station.indicator]\ndriver = "jsonl"\npath = "no/such/folder/signals"\n')
    scanner, indicator = lines(file, code=1, hardware=True)
    assert scanner == f"failed  station 1, scanner left: {tmp_path}/gone is missing"
    assert indicator.startswith("failed  station 1, indicator jsonl: ")
    assert indicator.endswith("No such file or directory")


def test_check_hardware_two_names_of_one_device(file: Path, tmp_path: Path, port: str) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(port)
    more(file, f'[[station.scanner]]\nname = "right"\ndriver = "serial"\nport = "{link}"\n')
    assert lines(file, code=1, hardware=True) == [
        f"ok      station 1, scanner left: {port}",
        f"failed  station 1, scanner right: {port} is the same device as that of station 1, scanner left",
    ]


def test_check_hardware_warns_of_a_keyboard_that_no_station_grabs(
    file: Path, keyboards: list[DeviceNode], port: str
) -> None:
    """Rule: commands.md#check."""
    keyboards += [keyboard(3), keyboard(4), keyboard(5, name="Desk\x1b", usb_port="usb-0:1.4", vendor=0x046D)]
    more(file, '[[station.scanner]]\nname = "wedge"\ndriver = "evdev"\nusb_port = "usb-0:1.2"\n')
    left, wedge, note = lines(file, code=1, hardware=True)
    assert left == f"ok      station 1, scanner left: {port}"
    assert wedge.startswith("failed  station 1, scanner wedge: ")
    assert note.startswith("note    Desk\\x1b (/dev/input/event5) is a keyboard of no station. If it is a scanner, ")


def test_check_hardware_while_the_daemon_holds_it(file: Path, tmp_path: Path, port: str) -> None:
    file.write_text(file.read_text().replace(port, str(tmp_path / "gone")))
    (tmp_path / "state").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "state" / "status.sock"))
        listening.listen(1)
        *_, note = lines(file, code=1, hardware=True)
    assert note == "note    the daemon is running and keeps its devices to itself: stop it to check them"


def test_check_broker_that_nobody_runs(file: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        file.write_text(file.read_text().replace("[mqtt]", f"[mqtt]\nport = {port}\ntls = false"))
        *_, broker = lines(file, code=1, broker=True)
    assert broker.startswith(f"failed  broker: 127.0.0.1:{port}: ")


def test_check_broker_says_what_it_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: commands.md#check."""
    asked = []

    def try_connect(broker: BrokerSettings, delivery: DeliverySettings, **ids: str) -> str:
        asked.append((broker.hosts, delivery.confirm, ids))
        return "127.0.0.1:8883: connected"

    monkeypatch.setattr("agent.uplink.oneshot.try_connect", try_connect)
    more(file, '[uplink]\nconfirm = "broker"\n')
    assert lines(file, code=0, broker=True) == ["ok      broker: 127.0.0.1:8883: connected"]
    assert asked == [((("127.0.0.1", 8883),), Confirm.BROKER, {"site": "rtm1", "kiosk": "dock-3"})]


def test_check_says_what_the_broker_must_be_set_to_when_its_word_is_taken(file: Path) -> None:
    """Rules: commands.md#check, mqtt.md#broker-confirmation."""
    (note,) = lines(more(file, '[uplink]\nconfirm = "broker"\n'), code=0)
    assert note.startswith("note    ")
    assert "persistent session" in note
    assert "max_queued_messages 0" in note


@pytest.mark.parametrize(("mode", "works"), [(0o600, True), (0o640, True), (0o644, False), (0o642, False)])
def test_a_password_that_others_can_read_is_refused(file: Path, mode: int, works: bool) -> None:
    """`settings.md#renewed-secrets`"""
    secret = file.parent / "password"
    secret.write_text("hunter2\n")
    secret.chmod(mode)
    text = file.read_text().replace("[mqtt]", f'[mqtt]\nusername = "dock-3"\npassword_file = "{secret}"')
    file.write_text(text)
    out = io.StringIO()
    assert check(file, out) == (0 if works else 1)
    assert ("every user of this machine" in out.getvalue()) is not works
    assert "hunter2" not in out.getvalue()


def test_a_credential_that_others_can_read_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`settings.md#renewed-secrets`"""
    secret = file.parent / "mqtt-password"
    secret.write_text("hunter2\n")
    secret.chmod(0o604)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    file.write_text(file.read_text().replace("[mqtt]", '[mqtt]\nusername = "dock-3"'))
    out = io.StringIO()
    assert check(file, out) == 1
    assert f"chmod o-rwx {secret}" in out.getvalue()
