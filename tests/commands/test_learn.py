"""`kiosk-agent scanners --learn` (`commands.md#scanners`): from real descriptors to a table of the configuration."""

import io
import os
import struct
import termios
import tty
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from agent.commands import learn as command
from agent.commands.learn import learn
from agent.config import load
from agent.config.settings import EvdevSettings, SerialSettings
from agent.drivers.scanners import evdev
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode
from agent.drivers.scanners.keymaps import LAYOUTS
from agent.drivers.scanners.learning import TEST_TEXT
from agent.errors import DeviceError
from tests.drivers.scanners.test_learning import TERMINATOR_KEYS, pressed

PATIENT_S = 30.0
NOT_PATIENT_S = 0.05


def events(keys: Iterable[tuple[int, int]]) -> bytes:
    return b"".join(struct.pack("@llHHi", 0, 0, 1, code, value) for code, value in keys)


def plugged(kind: DeviceKind, node: str) -> DeviceNode:
    port = "usb-1-1" if kind is DeviceKind.EVDEV else None
    return DeviceNode(
        kind=kind, name="Scanner", path=node, node=node, vendor=None, product=None, serial=None, usb_port=port
    )


class Node:
    """An event node that is the reading end of a pipe."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def grab(self) -> None: ...

    def close(self) -> None:
        os.close(self.fd)


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    """A serial line: the scanner's end, and the path of the kiosk's end."""
    scanner, kiosk = os.openpty()
    tty.setraw(kiosk, termios.TCSANOW)
    yield scanner, os.ttyname(kiosk)
    os.close(scanner)
    os.close(kiosk)


@pytest.fixture(autouse=True)
def quiet_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pause that ends a scan: here a scan is written at once."""
    monkeypatch.setattr(command, "QUIET_S", 0.02)


def scanner_in(text: str, folder: Path) -> EvdevSettings | SerialSettings:
    file = folder / "agent.toml"
    head = '[kiosk]\nsite = "a"\nid = "b"\nstate_dir = "/x"\n[mqtt]\nhost = "h"\n[[station]]\nid = "1"\n'
    file.write_text(head + text)
    (scanner,) = load(file, environ={}).stations[0].scanners
    return scanner


def test_a_serial_scanner_is_learnt(monkeypatch: pytest.MonkeyPatch, line: tuple[int, str], tmp_path: Path) -> None:
    """Rule: commands.md#scanners."""
    scanner, port = line
    out = Telling(lambda: os.write(scanner, f"]C0{TEST_TEXT}\r\n".encode()))
    assert learn(out, baud=115200, patience_s=PATIENT_S, present=lambda: [plugged(DeviceKind.SERIAL, port)]) == 0
    assert scanner_in(out.getvalue(), tmp_path) == SerialSettings(
        name="scanner-1", driver="serial", port=port, baud=115200, terminator="\r\n"
    )
    assert "# AIM symbology identifiers: on (]C0)" in out.getvalue()


def test_a_keyboard_wedge_is_learnt_though_its_keys_are_spread_over_two_nodes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rule: commands.md#scanners."""
    pipes = {f"/dev/input/event{number}": os.pipe() for number in range(2)}
    monkeypatch.setattr(evdev, "overhear", lambda path: Node(pipes[path][0]))
    present = [plugged(DeviceKind.EVDEV, node) for node in pipes]
    keys = [*pressed(LAYOUTS["de"], TEST_TEXT), *TERMINATOR_KEYS["\t"]]
    (_, first), (_, second) = pipes.values()

    def scan() -> None:
        os.write(first, events(keys[:4]))
        os.write(second, events(keys[4:]))

    out = Telling(scan)
    assert learn(out, patience_s=PATIENT_S, present=lambda: present) == 0
    learnt = scanner_in(out.getvalue(), tmp_path)
    assert isinstance(learnt, EvdevSettings)
    assert (learnt.layout, learnt.terminator) == ("de", "\t")
    assert "# AIM symbology identifiers: off" in out.getvalue()
    os.close(first)
    os.close(second)


def test_another_barcode_is_told_from_the_test_barcode(line: tuple[int, str]) -> None:
    scanner, port = line
    out = Telling(lambda: os.write(scanner, b"490154203237518\r"))
    assert learn(out, patience_s=0.3, present=lambda: [plugged(DeviceKind.SERIAL, port)]) == 1
    assert "# Scanner: that was not the test barcode, or the line has another speed (--baud)." in out.getvalue()
    assert out.getvalue().endswith("No scanner has sent the test barcode.\n")


def test_a_device_in_use_is_named_and_the_rest_is_listened_to(
    monkeypatch: pytest.MonkeyPatch, line: tuple[int, str]
) -> None:
    def grabbed(path: str) -> Node:
        raise DeviceError(f"{path} cannot be read: another program has grabbed it")

    monkeypatch.setattr(evdev, "overhear", grabbed)
    out = io.StringIO()
    present = [plugged(DeviceKind.EVDEV, "/dev/input/event7"), plugged(DeviceKind.SERIAL, line[1])]
    assert learn(out, patience_s=NOT_PATIENT_S, present=lambda: present) == 1
    assert "# /dev/input/event7 cannot be read: another program has grabbed it\n" in out.getvalue()
    assert f"# Listening to Scanner ({line[1]}).\n" in out.getvalue()


def test_with_nothing_to_listen_to_it_does_not_wait() -> None:
    out = io.StringIO()
    assert learn(out, patience_s=PATIENT_S, present=list) == 1
    assert out.getvalue().startswith("There is nothing to listen to.")


class Telling(io.StringIO):
    """Output that scans the test barcode once it has been asked for."""

    def __init__(self, scan: object) -> None:
        super().__init__()
        self._scan = scan

    def flush(self) -> None:
        scan, self._scan = self._scan, None
        if callable(scan):
            scan()
