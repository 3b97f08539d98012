"""What a device test gets to work with, and what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.rig.kiosk import Kiosk
from tests.rig.machine import Machine
from tests.rig.scanners import Scanners

__all__ = ["SCANNERS", "Bench", "Case", "same"]

SERIAL_PORT = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_S1-if00-port0"

# Where each scanner of the kiosk under test is found. `wedge` is QEMU's USB keyboard, `line` its USB serial adapter,
# `hid1` and `hid2` are USB keyboards of a controller inside the guest, the rest are uinput's.
_FOUND_BY = {
    "wedge": 'driver = "evdev"\nvendor = "0627"\nproduct = "0001"',
    "line": f'driver = "serial"\nport = "{SERIAL_PORT}"',
    "hid1": 'driver = "evdev"\nvendor = "05e0"\nproduct = "1200"\nserial = "S1"',
    "hid2": 'driver = "evdev"\nvendor = "05e0"\nproduct = "1200"\nserial = "S2"',
    "us": 'driver = "evdev"\nvendor = "1111"\nproduct = "0001"',
    "de": 'driver = "evdev"\nvendor = "1111"\nproduct = "0002"\nlayout = "de"',
    "fr": 'driver = "evdev"\nvendor = "1111"\nproduct = "0003"\nlayout = "fr"',
    "uk": 'driver = "evdev"\nvendor = "1111"\nproduct = "0004"\nlayout = "uk"',
    "several": 'driver = "evdev"\nusb_port = "rig-several"',
}
SCANNERS = "\n".join(f'[[station.scanner]]\nname = "{name}"\n{found_by}' for name, found_by in _FOUND_BY.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One virtual kiosk, its scanners plugged in and connected."""

    machine: Machine
    kiosk: Kiosk
    scanners: Scanners


Case = Callable[[Bench], str]
"""A device test: raises what went wrong, answers what was seen. Its docstring's first line is its row in the table."""


def same(found: Sequence[object], wanted: Sequence[object]) -> None:
    """Raise AssertionError with the first difference."""
    for place, (one, other) in enumerate(zip(found, wanted, strict=False)):
        assert one == other, f"number {place}: {one!r} instead of {other!r}"
    assert len(found) == len(wanted), f"{len(found)} instead of {len(wanted)}: {list(found)[-3:]!r}"
