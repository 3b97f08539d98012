"""The files around the kiosk agree with its configuration and with each other."""

import re
import tomllib
from pathlib import Path

from tests.firmware.test_agent_toml import filled_in

FOLDER = Path(__file__).parents[2] / "firmware-config"


def lines(name: str) -> list[str]:
    """What a file says, its comments left out."""
    text = (FOLDER / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "["))]


def pins(setting: str) -> set[int]:
    """The pins that the Pi's firmware puts into a state before anything runs."""
    found = (re.fullmatch(r"gpio=([\d,]+)=(.+)", line) for line in lines("config.txt"))
    return {int(pin) for match in found if match and match[2] == setting for pin in match[1].split(",")}


def test_every_output_is_dark_and_silent_before_the_agent_starts() -> None:
    (station,) = tomllib.loads(filled_in())["station"]
    light = station["indicator"]
    assert pins("op,dl") == {light["red"], light["green"], light["blue"], light["buzzer"], *light["bar"]}


def test_every_button_is_pulled_up_before_the_agent_starts() -> None:
    shown = re.findall(r"^# (\w+) = (\d+)$", (FOLDER / "agent.toml").read_text("utf-8"), re.MULTILINE)
    assert pins("ip,pu") == {int(pin) for word, pin in shown if word in ("save", "undo")}
    assert not pins("ip,pu") & pins("op,dl")


def test_the_hardware_watchdog_is_on_and_fed_in_time() -> None:
    assert "dtparam=watchdog=on" in lines("config.txt")
    settings = dict(line.split("=", 1) for line in lines("watchdog.conf"))
    assert int(settings["RuntimeWatchdogSec"]) < 15
    assert settings["CtrlAltDelBurstAction"] == "none"


def test_no_scanner_can_type_into_a_login_or_the_kernel() -> None:
    assert lines("getty.conf") == ["ConditionKernelCommandLine=kiosk.console"]
    assert "kernel.sysrq = 0" in lines("sysctl.conf")
    logind = dict(line.split("=", 1) for line in lines("logind.conf"))
    assert (logind["NAutoVTs"], logind["ReserveVT"]) == ("0", "0")
    assert {value for key, value in logind.items() if key.startswith("Handle")} == {"ignore"}


def test_udev_gives_the_devices_to_the_groups_of_the_service() -> None:
    granted = {}
    for line in lines("70-kiosk-agent.rules"):
        match = re.search(r'KERNEL=="([^"]+)", GROUP="(\w+)", MODE="0660"', line)
        if match:
            granted.update(dict.fromkeys(match[1].split("|"), match[2]))
    assert granted == {
        "gpiochip*": "gpio",
        "event*": "input",
        "ttyACM*": "dialout",
        "ttyUSB*": "dialout",
        "ttyAMA*": "dialout",
    }


def test_modem_manager_keeps_away_from_every_serial_scanner() -> None:
    (rule,) = [line for line in lines("70-kiosk-agent.rules") if "ID_MM_PORT_IGNORE" in line]
    assert 'KERNEL=="ttyACM*|ttyUSB*|ttyAMA*"' in rule
    assert 'ENV{ID_MM_PORT_IGNORE}="1"' in rule
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in rule
