"""`make install` and `make uninstall`, into a folder. The virtual environment is a stand-in: pip is not tried here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
set -e
# Called as `python -m venv --clear DIR`, and from there as `DIR/bin/python -m pip` and `-m compileall`.
[ "$2" = venv ] || exit 0
mkdir -p "$4/bin"
cp "$0" "$4/bin/python"
printf '#!%s/bin/python\\n' "$4" > "$4/bin/kiosk-agent"
printf 'command = python -m venv %s\\n' "$4" > "$4/pyvenv.cfg"
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return tmp_path / "root"


def make(target: str, destination: Path) -> None:
    done = subprocess.run(
        [
            "make",
            "--file=make/install.mk",
            target,
            f"DESTDIR={destination}",
            f"PYTHON={destination.parent}/python",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tree(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, with what is in it or where it leads."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_install_puts_everything_in_place(destination: Path) -> None:
    make("install", destination)
    assert {*tree(destination)} == {
        "etc/kiosk-agent/agent.toml",
        "etc/sysctl.d/70-kiosk-agent.conf",
        "etc/systemd/logind.conf.d/70-kiosk-agent.conf",
        "etc/systemd/system.conf.d/70-kiosk-agent.conf",
        "etc/systemd/system/console-getty.service.d/70-kiosk-agent.conf",
        "etc/systemd/system/ctrl-alt-del.target",
        "etc/systemd/system/getty@.service.d/70-kiosk-agent.conf",
        "etc/systemd/system/kiosk-agent.service",
        "etc/systemd/system/serial-getty@.service.d/70-kiosk-agent.conf",
        "etc/udev/rules.d/70-kiosk-agent.rules",
        "opt/kiosk-agent/bin/kiosk-agent",
        "opt/kiosk-agent/bin/python",
        "opt/kiosk-agent/pyvenv.cfg",
        "usr/lib/sysusers.d/kiosk-agent.conf",
        "usr/local/bin/kiosk-agent",
    }
    assert (destination / "etc/credstore").stat().st_mode & 0o777 == 0o700


def test_what_is_installed_knows_its_place_without_the_destination(destination: Path) -> None:
    make("install", destination)
    found = tree(destination)
    assert found["opt/kiosk-agent/bin/kiosk-agent"] == "#!/opt/kiosk-agent/bin/python\n"
    assert found["usr/local/bin/kiosk-agent"] == "/opt/kiosk-agent/bin/kiosk-agent"
    assert not any(str(destination) in text for text in found.values())


def test_install_twice_is_install_once(destination: Path) -> None:
    make("install", destination)
    once = tree(destination)
    make("install", destination)
    assert tree(destination) == once


def test_an_existing_configuration_is_never_touched(destination: Path) -> None:
    config = destination / "etc/kiosk-agent/agent.toml"
    config.parent.mkdir(parents=True)
    config.write_text("# mine\n")
    make("install", destination)
    make("uninstall", destination)
    assert tree(destination) == {"etc/kiosk-agent/agent.toml": "# mine\n"}


def test_a_raspberry_pi_includes_the_fragment_once_and_loses_the_serial_console(destination: Path) -> None:
    boot = destination / "boot/firmware"
    boot.mkdir(parents=True)
    (boot / "config.txt").write_text("[cm4]\notg_mode=1\n")
    (boot / "cmdline.txt").write_text("console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootwait\n")
    make("install", destination)
    make("install", destination)
    assert (boot / "config.txt").read_text() == "[cm4]\notg_mode=1\n\n[all]\ninclude kiosk-agent.txt\n"
    assert (boot / "kiosk-agent.txt").read_text() == (ROOT / "firmware-config/config.txt").read_text()
    assert (boot / "cmdline.txt").read_text() == "console=tty1 root=PARTUUID=1-02 rootwait\n"
    make("uninstall", destination)
    assert not (boot / "kiosk-agent.txt").exists()
    assert "kiosk-agent" not in (boot / "config.txt").read_text()
