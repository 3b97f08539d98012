"""`kiosk-agent scanners` (`commands.md#scanners`): devices as tables of the configuration."""

import errno
import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from agent.commands import scanners as command
from agent.commands.scanners import note_on, scanners
from agent.config import load
from agent.config.settings import EvdevSettings, SerialSettings
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode
from agent.errors import DeviceError

SERIAL = DeviceNode(
    kind=DeviceKind.SERIAL,
    name="Xenon\x1b 1950",
    path="/dev/serial/by-id/usb-Honeywell-if00",
    node="/dev/ttyACM0",
    vendor=0x0C2E,
    product=0x0B6A,
    serial="17",
    usb_port="1-1.2",
)
WEDGE = DeviceNode(
    kind=DeviceKind.EVDEV,
    name="Symbol Bar Code Scanner",
    path='/dev/input/by-id/usb-Symbol-"A"-event-kbd',
    node="/dev/input/event3",
    vendor=0x05E0,
    product=0x1200,
    serial="S/N 1",
    usb_port="usb-0000:01:00.0-1.3",
)
BARE = DeviceNode(
    kind=DeviceKind.EVDEV,
    name="Keyboard",
    path="/dev/input/event0",
    node="/dev/input/event0",
    vendor=None,
    product=None,
    serial=None,
    usb_port=None,
)


def listing(
    monkeypatch: pytest.MonkeyPatch, *found: DeviceNode, notes: Mapping[DeviceNode, str] = MappingProxyType({})
) -> str:
    monkeypatch.setattr(command, "plugged_in", lambda: list(found))
    monkeypatch.setattr(command, "note_on", notes.get)
    out = io.StringIO()
    assert scanners(out) == 0
    return out.getvalue()


def test_scanners_can_be_pasted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rule: commands.md#scanners."""
    file = tmp_path / "agent.toml"
    file.write_text(
        '[kiosk]\nsite = "a"\nid = "b"\nstate_dir = "/x"\n[mqtt]\nhost = "h"\n[[station]]\nid = "1"\n'
        + listing(monkeypatch, SERIAL, WEDGE, BARE)
    )
    assert load(file, environ={}).stations[0].scanners == (
        SerialSettings(name="scanner-1", driver="serial", port=SERIAL.path),
        EvdevSettings(name="scanner-2", driver="evdev", device=WEDGE.path),
        EvdevSettings(name="scanner-3", driver="evdev", device=BARE.path),
    )


def test_scanners_tell_what_they_are_and_other_ways_to_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    comments = [line for line in listing(monkeypatch, SERIAL, WEDGE, BARE).splitlines() if line.startswith("#")]
    assert comments == [
        "# Leave out keyboards that people type on: the kiosk takes every key of a keyboard that is configured.",
        r"# Xenon\x1b 1950 (/dev/ttyACM0)",
        "# Symbol Bar Code Scanner (/dev/input/event3)",
        '# or: vendor = "05e0"; product = "1200"; serial = "S/N 1"',
        '# or: usb_port = "usb-0000:01:00.0-1.3"',
        "# Keyboard (/dev/input/event0)",
    ]


def test_scanners_with_nothing_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listing(monkeypatch) == "Nothing is plugged in that could be a scanner: no keyboard, no serial port.\n"


def test_scanners_say_what_is_wrong_with_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: commands.md#scanners."""
    text = listing(monkeypatch, SERIAL, WEDGE, notes={SERIAL: "join\x1b it", WEDGE: "it types"})
    assert "# Xenon\\x1b 1950 (/dev/ttyACM0)\n# join\\x1b it\n[[station.scanner]]\n" in text
    assert "# Symbol Bar Code Scanner (/dev/input/event3)\n# it types\n[[station.scanner]]\n" in text


def test_a_keyboard_that_nobody_has_grabbed_types_into_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: commands.md#scanners."""
    monkeypatch.setattr("agent.drivers.scanners.evdev.is_grabbed", lambda _: False)
    assert note_on(WEDGE) == "No program has grabbed it: what it types now goes to the console of this machine."
    monkeypatch.setattr("agent.drivers.scanners.evdev.is_grabbed", lambda _: True)
    assert note_on(WEDGE) is None


def test_a_device_without_permission_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: commands.md#scanners."""

    def denied(path: str) -> bool:
        raise DeviceError(f"{path} cannot be opened: Permission denied")

    monkeypatch.setattr("agent.drivers.scanners.evdev.is_grabbed", denied)
    assert note_on(WEDGE) == "/dev/input/event3 cannot be opened: Permission denied"
    monkeypatch.setattr(command, "access_problem", lambda path: f"{errno.EACCES}")
    assert note_on(SERIAL) == "/dev/ttyACM0 cannot be opened: 13"
    monkeypatch.setattr(command, "access_problem", lambda path: None)
    assert note_on(SERIAL) is None
