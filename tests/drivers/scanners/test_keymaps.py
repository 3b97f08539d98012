"""Keyboard layouts, and what keys type."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.scanners.keymaps import LAYOUTS, Keyboard, Layout

SHIFT, RIGHT_SHIFT, CTRL, ALT, ALT_GR, CAPS_LOCK, ENTER, SPACE, TAB = 42, 54, 29, 56, 100, 58, 28, 57, 15
PAD = dict(zip("0123456789", (82, 79, 80, 81, 75, 76, 77, 71, 72, 73), strict=True))
KEY_A, KEY_Q, KEY_Z, KEY_M, KEY_2, KEY_MINUS, RIGHT_BRACE, KEY_G, F1, NUM_LOCK = 30, 16, 44, 50, 3, 12, 27, 34, 59, 69

BARCODE_TEXT = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_./%+:$# ]"


def typed(keyboard: Keyboard, *codes: int, held: tuple[int, ...] = ()) -> bytes:
    """Return what is typed by pressing `held`, then each key in turn, then releasing `held`."""
    events = [(code, 1) for code in held]
    events += [(code, value) for code in codes for value in (1, 0)]
    events += [(code, 0) for code in reversed(held)]
    return b"".join(keyboard.press(code, value) for code, value in events)


def strokes(layout: Layout, char: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the keys that a scanner presses for a character as (held, pressed); after a dead key it presses Space."""
    if char == " ":
        return (), (SPACE,)
    for level, held in (("plain", ()), ("shift", (SHIFT,)), ("alt_gr", (ALT_GR,))):
        for code, on_key in getattr(layout, level).items():
            if on_key == char:
                return held, (code,)
    raise AssertionError(f"{layout.name} cannot type {char!r}")


def type_text(keyboard: Keyboard, layout: Layout, text: str) -> Iterator[bytes]:
    dead = {char for _, char in layout.dead}
    for char in text:
        held, codes = strokes(layout, char)
        yield typed(keyboard, *codes, held=held)
        if char in dead:
            yield typed(keyboard, SPACE)


def typeable(layout: Layout) -> str:
    return "".join({*layout.plain.values(), *layout.shift.values(), *layout.alt_gr.values(), " "})


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_types_what_is_in_barcodes(layout: Layout) -> None:
    """(`settings.md#keyboard-scanner`)"""
    assert b"".join(type_text(Keyboard(layout), layout, BARCODE_TEXT)).decode() == BARCODE_TEXT


@given(data=st.data(), layout=st.sampled_from(list(LAYOUTS.values())))
def test_text_is_read_as_it_was_typed(data: st.DataObject, layout: Layout) -> None:
    text = data.draw(st.text(st.sampled_from(sorted(typeable(layout))), max_size=40))
    assert b"".join(type_text(Keyboard(layout), layout, text)).decode() == text


@given(
    layout=st.sampled_from(list(LAYOUTS.values())),
    events=st.lists(st.tuples(st.integers(min_value=0, max_value=700), st.integers(min_value=0, max_value=2))),
)
def test_any_key_events_are_accepted(layout: Layout, events: list[tuple[int, int]]) -> None:
    keyboard = Keyboard(layout)
    for code, value in events:
        assert isinstance(keyboard.press(code, value), bytes)
    keyboard.reset()
    assert b"".join(type_text(keyboard, layout, "ZKSAVE1")) == b"ZKSAVE1"


@pytest.mark.parametrize(
    ("layout", "code", "held", "char"),
    [
        ("us", KEY_2, (SHIFT,), "@"),
        ("us", 43, (SHIFT,), "|"),
        ("uk", KEY_2, (SHIFT,), '"'),
        ("uk", 4, (SHIFT,), "£"),
        ("uk", 43, (), "#"),
        ("uk", 86, (), "\\"),
        ("de", KEY_Z, (), "y"),
        ("de", 21, (), "z"),
        ("de", KEY_MINUS, (), "ß"),
        ("de", 8, (SHIFT,), "/"),
        ("de", 10, (ALT_GR,), "]"),
        ("de", 10, (CTRL, ALT), "]"),
        ("de", KEY_Q, (ALT_GR,), "@"),
        ("fr", KEY_A, (), "q"),
        ("fr", KEY_Q, (), "a"),
        ("fr", 39, (SHIFT,), "M"),
        ("fr", KEY_2, (), "é"),
        ("fr", KEY_2, (SHIFT,), "2"),
        ("fr", 7, (), "-"),
        ("fr", KEY_M, (SHIFT,), "?"),
        ("fr", 9, (), "_"),
        ("fr", 12, (ALT_GR,), "]"),
    ],
)
def test_positions_type_the_characters_of_the_country(layout: str, code: int, held: tuple[int, ...], char: str) -> None:
    assert typed(Keyboard(LAYOUTS[layout]), code, held=held).decode() == char


def test_either_shift_works_and_ends_when_released() -> None:
    keyboard = Keyboard(LAYOUTS["us"])
    assert typed(keyboard, KEY_A, held=(SHIFT,)) + typed(keyboard, KEY_A, held=(RIGHT_SHIFT,)) == b"AA"
    assert typed(keyboard, KEY_A) == b"a"


def test_shift_lasts_while_one_of_two_is_held() -> None:
    keyboard = Keyboard(LAYOUTS["us"])
    keyboard.press(SHIFT, 1)
    assert typed(keyboard, KEY_A, held=(RIGHT_SHIFT,)) == b"A"
    assert typed(keyboard, KEY_A) == b"A"


def test_auto_repeat_types_nothing() -> None:
    keyboard = Keyboard(LAYOUTS["us"])
    assert [keyboard.press(KEY_A, value) for value in (1, 2, 2, 0)] == [b"a", b"", b"", b""]


def test_caps_lock_affects_letters_only() -> None:
    keyboard = Keyboard(LAYOUTS["us"])
    assert typed(keyboard, CAPS_LOCK, KEY_A, KEY_2, KEY_MINUS) == b"A2-"
    assert typed(keyboard, KEY_A, KEY_2, held=(SHIFT,)) == b"a@"
    assert typed(keyboard, CAPS_LOCK, KEY_A) == b"a"


def test_caps_lock_does_not_affect_accented_letters_on_digit_keys() -> None:
    assert typed(Keyboard(LAYOUTS["fr"]), CAPS_LOCK, KEY_2, KEY_Q).decode() == "éA"


@pytest.mark.parametrize(
    ("digits", "char"),
    [("029", "\x1d"), ("29", "\x1d"), ("0065", "A"), ("65", "A"), ("0233", "é"), ("130", "é"), ("0128", "€")],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_alt_and_the_numeric_pad_type_a_character_by_its_code(layout: str, digits: str, char: str) -> None:
    keyboard = Keyboard(LAYOUTS[layout])
    assert typed(keyboard, *(PAD[digit] for digit in digits), held=(ALT,)).decode() == char
    assert typed(keyboard, PAD["7"]) == b"7"


def test_alt_code_that_is_no_character_makes_the_scan_undecodable() -> None:
    raw = typed(Keyboard(LAYOUTS["us"]), *(PAD[digit] for digit in "0129"), held=(ALT,))
    with pytest.raises(UnicodeDecodeError):
        raw.decode()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ctrl_right_bracket_is_gs_on_the_key_where_the_us_have_it(layout: str) -> None:
    assert typed(Keyboard(LAYOUTS[layout]), RIGHT_BRACE, held=(CTRL,)) == b"\x1d"


def test_ctrl_right_bracket_is_gs_on_the_german_key_too() -> None:
    assert typed(Keyboard(LAYOUTS["de"]), 10, held=(CTRL, ALT_GR)) == b"\x1d"


@pytest.mark.parametrize(
    ("code", "held", "control"),
    [
        (KEY_G, (CTRL,), 0x07),
        (KEY_G, (97, SHIFT), 0x07),
        (KEY_M, (CTRL,), 0x0D),
        (26, (CTRL,), 0x1B),
        (43, (CTRL,), 0x1C),
        (7, (CTRL,), 0x1E),
        (KEY_MINUS, (CTRL,), 0x1F),
    ],
)
def test_ctrl_and_a_key_is_a_control_byte(code: int, held: tuple[int, ...], control: int) -> None:
    assert typed(Keyboard(LAYOUTS["us"]), code, held=held) == bytes([control])


def test_pad_enter_and_enter_are_cr_and_tab_is_tab() -> None:
    assert typed(Keyboard(LAYOUTS["us"]), ENTER, 96, TAB) == b"\r\r\t"


def test_pad_types_digits_and_the_decimal_sign_of_the_country() -> None:
    pad = (*(PAD[digit] for digit in "0123456789"), 83, 78, 74, 55, 98)
    assert typed(Keyboard(LAYOUTS["us"]), *pad) == b"0123456789.+-*/"
    assert typed(Keyboard(LAYOUTS["de"]), 83) == b","


def test_dead_key_waits_for_the_next_character() -> None:
    keyboard = Keyboard(LAYOUTS["fr"])
    circumflex = 26
    assert typed(keyboard, circumflex) == b""
    assert typed(keyboard, 18).decode() == "ê"
    assert typed(keyboard, circumflex, SPACE) == b"^"
    assert typed(keyboard, circumflex, circumflex, ENTER) == b"^^\r"


def test_locks_and_modifiers_type_nothing() -> None:
    """(`scanning.md#keys-that-type-nothing`)"""
    locks, modifiers = (CAPS_LOCK, NUM_LOCK, 70), (29, 97, 42, 54, 56, 100, 125, 126, 464)
    assert typed(Keyboard(LAYOUTS["us"]), *locks, *modifiers) == b""


TYPES_NOTHING = {
    "F1": F1, "F13": 183, "right": 106, "down": 108, "insert": 110, "delete": 111, "home": 102, "pause": 119,
    "print": 99, "mute": 113, "menu": 127, "japanese": 89, "sleep": 142, "unknown": 240, "button": 0x110, "ok": 0x160,
}  # fmt: skip


@pytest.mark.parametrize("code", TYPES_NOTHING.values(), ids=TYPES_NOTHING)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_key_that_types_no_character_makes_the_scan_undecodable(layout: str, code: int) -> None:
    """(`scanning.md#keys-that-type-nothing`)"""
    raw = typed(Keyboard(LAYOUTS[layout]), KEY_2, code, KEY_2)
    with pytest.raises(UnicodeDecodeError):
        raw.decode()


def test_a_key_with_meta_held_types_no_character() -> None:
    """(`scanning.md#keys-that-type-nothing`)"""
    keyboard = Keyboard(LAYOUTS["us"])
    with pytest.raises(UnicodeDecodeError):
        typed(keyboard, KEY_A, held=(125,)).decode()
    assert typed(keyboard, KEY_A) == b"a"


def test_character_key_without_a_character_makes_the_scan_undecodable() -> None:
    raw = typed(Keyboard(LAYOUTS["de"]), KEY_G, held=(ALT_GR,))
    with pytest.raises(UnicodeDecodeError):
        raw.decode()


def test_reset_forgets_held_keys_caps_lock_and_half_typed_characters() -> None:
    keyboard = Keyboard(LAYOUTS["de"])
    for code in (SHIFT, CAPS_LOCK, ALT, PAD["2"], 41):
        keyboard.press(code, 1)
    keyboard.reset()
    assert keyboard.press(ALT, 0) + typed(keyboard, KEY_A) == b"a"


def test_a_key_may_stand_for_gs() -> None:
    """(`scanning.md#what-stands-for-gs`)"""
    keyboard = Keyboard(LAYOUTS["us"], gs_key=108)
    assert b"".join(
        keyboard.press(code, value) for code, value in [(30, 1), (30, 0), (108, 1), (108, 2), (108, 0)]
    ) == (b"a\x1d")
