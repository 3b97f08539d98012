"""The centre's unit file: systemd accepts it, nothing is open that need not be, and it restarts as it should."""

import shutil
import subprocess
from pathlib import Path

import pytest

from centre.exit_status import ExitStatus

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "kiosk-centre.service"

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
    (command,) = settings()["ExecStart"]
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace(command, "/bin/true"), "utf-8")
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


def test_refusals_are_not_restarted_and_everything_else_is() -> None:
    found = settings()
    (prevented,) = found["RestartPreventExitStatus"]
    assert {int(code) for code in prevented.split()} == {ExitStatus.REFUSED, ExitStatus.USAGE, ExitStatus.DAMAGED}
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]


def test_the_data_folder_is_the_state_directory_and_private() -> None:
    found = settings()
    assert found["StateDirectory"] == ["kiosk-centre"]
    assert found["StateDirectoryMode"] == ["0700"]


def test_the_account_is_the_one_that_sysusers_makes() -> None:
    sysusers = (ROOT / "systemd" / "kiosk-centre.sysusers").read_text("utf-8").splitlines()
    assert [line.split()[:2] for line in sysusers if not line.startswith("#")] == [["u", *settings()["User"]]]
