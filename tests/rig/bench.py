"""What a device test works with, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

from tests.rig.kiosk import BADGE, GuestKiosk
from tests.rig.machine import Machine
from tests.rig.scanners import Scanners, keys

__all__ = ["SCANNERS", "SERIAL_PORT", "Case", "RigBench", "same", "signed_in"]

SERIAL_PORT = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_S1-if00-port0"

SCANNERS = [
    {"name": "wedge", "driver": "evdev", "vendor": "0627", "product": "0001"},
    {"name": "line", "driver": "serial", "port": SERIAL_PORT},
    {"name": "hid1", "driver": "evdev", "vendor": "05e0", "product": "1200", "serial": "S1"},
    {"name": "hid2", "driver": "evdev", "vendor": "05e0", "product": "1200", "serial": "S2"},
    {"name": "us", "driver": "evdev", "vendor": "1111", "product": "0001"},
    {"name": "de", "driver": "evdev", "vendor": "1111", "product": "0002", "layout": "de"},
    {"name": "fr", "driver": "evdev", "vendor": "1111", "product": "0003", "layout": "fr"},
    {"name": "uk", "driver": "evdev", "vendor": "1111", "product": "0004", "layout": "uk"},
    {"name": "several", "driver": "evdev", "usb_port": "rig-several"},
]
"""The scanners of the kiosk under test, and where it finds each.

`wedge` is QEMU's USB keyboard and `line` its USB serial adapter; `hid1` and `hid2` are USB keyboards of a controller
inside the guest; the others are keyboards of uinput.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RigBench:
    """One virtual kiosk, with its scanners plugged in and connected."""

    machine: Machine
    kiosk: GuestKiosk
    scanners: Scanners

    def sign_in(self) -> None:
        """Sign the operator in, unless somebody is signed in."""
        if not self.kiosk.view().get("signed_in"):
            self.kiosk.publish_operator()
            self.kiosk.settle()
            self.scanners.type("us", keys(f"{BADGE}\r"))
            self.kiosk.wait_view(signed_in=True)


Case = Callable[[RigBench], str]
"""A device test: it raises what went wrong, or returns what was seen. The first line of its docstring is its row in the
table."""


def signed_in(case: Case) -> Case:
    """Return the case, played while an operator is signed in: otherwise no event shows an unknown code as it is."""

    @wraps(case)
    def played(bench: RigBench) -> str:
        bench.sign_in()
        return case(bench)

    return played


def same(found: Sequence[object], wanted: Sequence[object]) -> None:
    """Raise AssertionError with the first difference."""
    for place, (one, other) in enumerate(zip(found, wanted, strict=False)):
        assert one == other, f"number {place}: {one!r} instead of {other!r}"
    assert len(found) == len(wanted), f"{len(found)} instead of {len(wanted)}: {list(found)[-3:]!r}"
