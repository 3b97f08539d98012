"""The virtual scanners of a guest: which keys they press, on which device, how fast."""

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.rig.machine import GuestError, Machine

__all__ = ["Scanners", "alt_keys", "caps_keys", "keys", "reports"]

ENTER, LEFT_SHIFT, LEFT_ALT, ALT_GR, CAPS_LOCK = 28, 42, 56, 100, 58
_PAD = dict(zip("0123456789", (82, 79, 80, 81, 75, 76, 77, 71, 72, 73), strict=True))
_ROWS = {2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"}
_LETTERS = {char: first + place for first, row in _ROWS.items() for place, char in enumerate(row)}

# A character on a country's keyboard: the position code of its key, and the modifier held with it. Written down from
# real keyboards, independently of the agent's tables.
_US = {
    **{char: (code, 0) for char, code in _LETTERS.items()},
    "-": (12, 0), "/": (53, 0), "]": (27, 0), "#": (4, LEFT_SHIFT), "@": (3, LEFT_SHIFT), "\t": (15, 0), "\r": (28, 0),
}  # fmt: skip
_COUNTRIES: dict[str, dict[str, tuple[int, int]]] = {
    "us": _US,
    "uk": _US | {"#": (43, 0), "@": (40, LEFT_SHIFT)},
    "de": _US
    | {
        "y": (44, 0),
        "z": (21, 0),
        "-": (53, 0),
        "/": (8, LEFT_SHIFT),
        "#": (43, 0),
        "@": (16, ALT_GR),
        "]": (10, ALT_GR),
    },
    "fr": _US
    | {"a": (16, 0), "q": (30, 0), "z": (17, 0), "w": (44, 0), "m": (39, 0), "-": (7, 0), "/": (52, LEFT_SHIFT)}
    | {"#": (4, ALT_GR), "@": (11, ALT_GR), "]": (12, ALT_GR)}
    | {digit: (_LETTERS[digit], LEFT_SHIFT) for digit in "1234567890"},
}

_USAGES = {
    **{char: 4 + place for place, char in enumerate("abcdefghijklmnopqrstuvwxyz")},
    **{char: 30 + place for place, char in enumerate("1234567890")},
    "\r": 40, "-": 45,
}  # fmt: skip


def keys(text: str, country: str = "us") -> list[list[int]]:
    """Return the key events with which a scanner of that country types the text."""
    pressed = []
    for char in text:
        code, held = _COUNTRIES[country][char.lower()]
        held = LEFT_SHIFT if char.isupper() else held
        pressed += [[held, 1]] if held else []
        pressed += [[code, 1], [code, 0]]
        pressed += [[held, 0]] if held else []
    return pressed


def caps_keys(text: str, country: str = "us") -> list[list[int]]:
    """Return the key events of a scanner that presses Caps Lock before and after the text."""
    lock = [[CAPS_LOCK, 1], [CAPS_LOCK, 0]]
    return [*lock, *keys(text[:-1].swapcase(), country), *lock, *keys(text[-1], country)]


def alt_keys(text: str) -> list[list[int]]:
    """Return the key events that type each character as Alt and its number on the numeric pad."""
    pressed = []
    for char in text:
        pad = [[_PAD[digit], value] for digit in str(ord(char)) for value in (1, 0)]
        pressed += [[LEFT_ALT, 1], *pad, [LEFT_ALT, 0]]
    return pressed


def reports(text: str) -> list[list[int]]:
    """Return the HID reports, [modifiers, usage], with which a US scanner types the text."""
    return [report for char in text for report in ([2 * char.isupper(), _USAGES[char.lower()]], [0, 0])]


BREATH_S = 0.25


class Scanners:
    """Makes scanners in a guest, and scans with them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        machine.put("/run/devices.py", (Path(__file__).parent / "guest/devices.py").read_text("utf-8"))
        machine.run("mkfifo /run/devices.in /run/devices.out")
        machine.start(
            "/opt/kiosk-agent/bin/python /run/devices.py /run/devices.in /run/devices.out", "/run/devices.log"
        )

    def make(self, name: str, vendor: int, product: int, phys: str = "") -> None:
        self._ask(make=name, vendor=vendor, product=product, phys=phys)

    def drop(self, name: str) -> None:
        self._ask(drop=name)

    def type(self, on: str, send: Iterable[Sequence[int]], gap_ms: float = 2.0, *, breath_s: float = BREATH_S) -> None:
        self.type_at_once([(on, send, gap_ms)], breath_s=breath_s)

    def type_at_once(
        self,
        scans: Sequence[tuple[str, Iterable[Sequence[int]], float]],
        *,
        one_by_one: bool = False,
        breath_s: float = BREATH_S,
    ) -> None:
        """Type on several devices at once, or `one_by_one` without a pause: (device, what, gap in ms) for each.

        It waits for `breath_s` first: beyond five refusals a second from one scanner, the kiosk counts them in one
        event.
        """
        if breath_s:
            self._machine.pause(breath_s)
        self._ask(
            type=[{"on": on, "send": list(send), "gap_ms": gap_ms} for on, send, gap_ms in scans],
            one_by_one=one_by_one,
        )

    def flood(self, name: str, send: Iterable[Sequence[int]]) -> None:
        self._ask(flood=name, send=list(send))

    def gadget(self, number: int, serial: str) -> str:
        """Plug a USB HID keyboard with this serial number into the guest's virtual USB port; return its device."""
        self._machine.put("/run/report_desc", _REPORT_DESCRIPTOR)
        self._machine.run(_GADGET.format(number=number, serial=serial))
        self.plug(number, number)
        return f"/dev/hidg{number}"

    def plug(self, gadget: int, port: int) -> None:
        # The controller is busy for a moment after the last one.
        attach = f"echo dummy_udc.{port} > /sys/kernel/config/usb_gadget/g{gadget}/UDC"
        self._machine.until(f"{attach} && test -c /dev/hidg{gadget}")

    def unplug(self, gadget: int) -> None:
        self._machine.run(f"echo > /sys/kernel/config/usb_gadget/g{gadget}/UDC")

    def _ask(self, **request: Any) -> None:
        line = shlex.quote(json.dumps(request))
        answer = json.loads(self._machine.run(f"echo {line} > /run/devices.in && head -n 1 /run/devices.out"))
        if "error" in answer:
            raise GuestError(f"{str(request)[:200]}: {answer['error']}\n{self._machine.run('cat /run/devices.log')}")


# A boot keyboard: eight modifier bits, an unused byte, five LEDs out, six key codes.
_REPORT_DESCRIPTOR = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395057501050819012905"
    "910295017503910395067508150025650507190029658100c0"
)

_GADGET = """
set -e
mkdir /sys/kernel/config/usb_gadget/g{number}; cd /sys/kernel/config/usb_gadget/g{number}
echo 0x05e0 > idVendor; echo 0x1200 > idProduct
mkdir strings/0x409 configs/c.1 functions/hid.{number}
echo {serial} > strings/0x409/serialnumber
echo 'Symbol Technologies' > strings/0x409/manufacturer; echo 'Symbol Bar Code Scanner' > strings/0x409/product
cd functions/hid.{number}
echo 1 > protocol; echo 1 > subclass; echo 8 > report_length
cp /run/report_desc report_desc
cd ../..; ln -s functions/hid.{number} configs/c.1/
"""
