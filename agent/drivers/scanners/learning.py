"""Find out how a scanner is set from one barcode whose text is known. Pure: key events or serial bytes go in.

The test barcode is a Code 128 of `TEST_TEXT`. It contains upper and lower case, digits and signs that are on different
keys in each layout of `keymaps`, so the keys that a scanner presses for it fit one layout only. It is no command,
badge, unit or product: a kiosk in use treats it as text.
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
    """What the scanner does to upper and lower case."""

    AS_PRINTED = "as printed"
    SWAPPED = "swapped"
    """The scanner is set for a computer with Caps Lock on."""
    UPPER = "upper"
    LOWER = "lower"


class LearnedSettings(Struct, frozen=True, kw_only=True):
    """How a scanner is set.

    `layouts` are the names of the layouts that read the barcode right, best first; empty on a serial line. `terminator`
    is the value for the configuration; None if no known one came. `aim` is the symbology identifier in front (`]C0`),
    if any. `prefix` and `suffix` are what else the scanner adds. `caps_lock`: the scanner pressed Caps Lock itself,
    which the driver follows.
    """

    layouts: tuple[str, ...]
    terminator: str | None
    aim: str | None
    case: LetterCase
    prefix: str
    suffix: str
    caps_lock: bool


def learn_keys(events: Sequence[tuple[int, int]]) -> LearnedSettings | None:
    """Learn from the (key code, value) pairs of one scan, as `evdev.key_events` yields them.

    Return None if they are the test barcode in no layout. Enter is the terminator `\\r`, Tab `\\t`.
    """
    readings = [(name, reading) for name, reading in _readings(events) if reading is not None]
    if not readings:
        return None
    # With Caps Lock several layouts may fit; the one with the right case comes first.
    readings.sort(key=lambda one: one[1].case is not LetterCase.AS_PRINTED)
    best = readings[0][1]
    return LearnedSettings(
        layouts=tuple(name for name, reading in readings if reading == best),
        # A line feed from a keyboard is Ctrl+J, not a key that ends a line.
        terminator=None if best.terminator == "\n" else best.terminator,
        aim=best.aim,
        case=best.case,
        prefix=best.prefix,
        suffix=best.suffix,
        caps_lock=any(code == KEY_CAPSLOCK and value == 1 for code, value in events),
    )


def learn_bytes(data: bytes) -> LearnedSettings | None:
    """Learn from the bytes of one scan on a serial line. Return None if the test barcode is not in them."""
    return _read(data)


def _readings(events: Sequence[tuple[int, int]]) -> Iterator[tuple[str, LearnedSettings | None]]:
    for name, layout in LAYOUTS.items():
        keyboard = Keyboard(layout)
        yield name, _read(b"".join(keyboard.press(code, value) for code, value in events))


def _read(data: bytes) -> LearnedSettings | None:
    """Return what surrounds the test barcode in the bytes of a scan; None if it is not in them."""
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
