"""Finding out how a scanner is set, from one barcode whose text is known. Pure: key events or serial bytes go in.

The test barcode is a Code 128 of `TEST_TEXT`. It has letters in both cases, digits and signs that lie on other keys in
every layout of `agent.drivers.scanners.keymaps`, so that the keys which a scanner presses for it belong to one layout
only. It is no command, badge, unit or product: a kiosk at work takes it for text.
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum

from msgspec import Struct

from agent.drivers.scanners.framing import TERMINATORS
from agent.drivers.scanners.keymaps import KEY_CAPSLOCK, LAYOUTS, Keyboard

__all__ = ["TEST_TEXT", "LearnedSettings", "LetterCase", "learn_bytes", "learn_keys"]

TEST_TEXT = "Kiosk-Qwazym/0789#@"

_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_LINE_ENDS = tuple(sorted((text.decode() for text in TERMINATORS), key=len, reverse=True))


class LetterCase(Enum):
    """What the scanner makes of capitals and small letters."""

    AS_PRINTED = "as printed"
    SWAPPED = "swapped"
    """The scanner is set for a computer with Caps Lock on."""
    UPPER = "upper"
    LOWER = "lower"


class LearnedSettings(Struct, frozen=True, kw_only=True):
    """How a scanner is set.

    `layouts` has the names of the layouts that read the barcode right, the best one first; empty on a serial line.
    `terminator` is what the configuration wants, or none where no known one came. `aim` is the symbology identifier
    that came in front (`]C0`), if any. `prefix` and `suffix` are what else the scanner adds. `caps_lock` says that it
    pressed Caps Lock itself, which the driver follows.
    """

    layouts: tuple[str, ...]
    terminator: str | None
    aim: str | None
    case: LetterCase
    prefix: str
    suffix: str
    caps_lock: bool


def learn_keys(events: Sequence[tuple[int, int]]) -> LearnedSettings | None:
    """From the (key code, value) pairs of one scan, as `agent.drivers.scanners.evdev.key_events` gives them.

    None where no layout makes the test barcode of them. Enter is the terminator `\\r`, Tab `\\t`.
    """
    readings = [(name, reading) for name, reading in _readings(events) if reading is not None]
    if not readings:
        return None
    # A letter typed with Caps Lock set tells no layout from another; the case that is right in one decides.
    readings.sort(key=lambda one: one[1].case is not LetterCase.AS_PRINTED)
    best = readings[0][1]
    return LearnedSettings(
        layouts=tuple(name for name, reading in readings if reading == best),
        # A line feed from a keyboard is Ctrl+J, and no key that ends a line.
        terminator=None if best.terminator == "\n" else best.terminator,
        aim=best.aim,
        case=best.case,
        prefix=best.prefix,
        suffix=best.suffix,
        caps_lock=any(code == KEY_CAPSLOCK and value == 1 for code, value in events),
    )


def learn_bytes(data: bytes) -> LearnedSettings | None:
    """From the bytes of one scan on a serial line. None where the test barcode is not in them."""
    return _read(data)


def _readings(events: Sequence[tuple[int, int]]) -> Iterator[tuple[str, LearnedSettings | None]]:
    for name, layout in LAYOUTS.items():
        keyboard = Keyboard(layout)
        yield name, _read(b"".join(keyboard.press(code, value) for code, value in events))


def _read(data: bytes) -> LearnedSettings | None:
    """What surrounds the test barcode in what a scanner sent."""
    text = data.decode("utf-8", "replace")
    start = text.lower().find(TEST_TEXT.lower())
    if start < 0:
        return None
    end = start + len(TEST_TEXT)
    case = _case(text[start:end])
    if case is None:
        return None
    prefix, suffix = text[:start], text[end:]
    terminator = next((one for one in _LINE_ENDS if suffix.endswith(one)), None)
    aim = _AIM.search(prefix)
    return LearnedSettings(
        layouts=(),
        terminator=terminator,
        aim=None if aim is None else aim[0],
        case=case,
        prefix=prefix if aim is None else prefix[: aim.start()] + prefix[aim.end() :],
        suffix=suffix.removesuffix(terminator or ""),
        caps_lock=False,
    )


def _case(text: str) -> LetterCase | None:
    for case, printed in (
        (LetterCase.AS_PRINTED, TEST_TEXT),
        (LetterCase.SWAPPED, TEST_TEXT.swapcase()),
        (LetterCase.UPPER, TEST_TEXT.upper()),
        (LetterCase.LOWER, TEST_TEXT.lower()),
    ):
        if text == printed:
            return case
    return None
