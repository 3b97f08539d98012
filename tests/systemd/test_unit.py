"""The unit file: systemd accepts it, and it allows what the agent and its drivers need."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.arguments import DEFAULT_CONFIG
from agent.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "kiosk-agent.service"

needs_systemd_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def settings() -> dict[str, list[str]]:
    """Return every setting with all its values, in order."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        if line and line[0] not in "#[":
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """A copy of the unit that starts a program which exists on every machine."""
    copy = tmp_path / UNIT.name
    copy.write_text(
        "".join(
            "ExecStart=/bin/true\n" if line.startswith("ExecStart=") else line
            for line in UNIT.read_text("utf-8").splitlines(keepends=True)
        ),
        "utf-8",
    )
    return copy


@needs_systemd_analyze
def test_exposure_is_at_most_1_5(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_systemd_analyze
def test_systemd_knows_every_line(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_refusals_and_damage_are_not_restarted_and_everything_else_is() -> None:
    """Rule: `commands.md#exit-codes`."""
    found = settings()
    (prevented,) = found["RestartPreventExitStatus"]
    assert {int(code) for code in prevented.split()} == {ExitCode.REFUSED, ExitCode.USAGE, ExitCode.DAMAGED}
    assert found["Restart"] == ["always"]  # also after a clean exit: nobody at a bench starts it again
    assert found["StartLimitIntervalSec"] == ["0"]


def test_it_starts_what_make_install_puts_there() -> None:
    install = (ROOT / "make" / "install.mk").read_text("utf-8")
    (command,) = settings()["ExecStart"]
    assert "prefix := /opt/kiosk-agent\n" in install
    assert command == f"/opt/kiosk-agent/bin/kiosk-agent run --config {DEFAULT_CONFIG}"


def test_devices_plugged_in_later_are_allowed_too() -> None:
    found = settings()
    assert {"char-input rw", "char-ttyACM rw", "char-ttyUSB rw", "char-ttyAMA rw", "char-gpiochip rw"} == {
        *found["DeviceAllow"]
    }
    # systemd knows a device group only after its driver is loaded.
    for when in ("Wants", "After"):
        (units,) = found[when]
        assert {"modprobe@cdc_acm.service", "modprobe@usbserial.service", "modprobe@evdev.service"} <= {*units.split()}


def test_the_account_is_the_one_that_sysusers_makes() -> None:
    sysusers = (ROOT / "systemd" / "kiosk-agent.sysusers").read_text("utf-8").splitlines()
    made = {tuple(line.split()[:2]) for line in sysusers if not line.startswith("#")}
    found = settings()
    groups = {("g", group) for group in found["SupplementaryGroups"][0].split()}
    assert made == groups | {("u", user) for user in found["User"]}
