"""Finding out every setting of a scanner from one scan of the test barcode."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.drivers.scanners.keymaps import LAYOUTS, Keyboard, Layout
from agent.drivers.scanners.learning import TEST_TEXT, LetterCase, learn_bytes, learn_keys
from tests.drivers.scanners.test_keymaps import ALT, CAPS_LOCK, CTRL, ENTER, PAD, TAB, strokes

J = 36
TERMINATOR_KEYS = {"\r": [(ENTER, 1), (ENTER, 0)], "\t": [(TAB, 1), (TAB, 0)], None: []}
CASES: dict[LetterCase, Callable[[str], str]] = {
    LetterCase.AS_PRINTED: str,
    LetterCase.SWAPPED: str.swapcase,
    LetterCase.UPPER: str.upper,
    LetterCase.LOWER: str.lower,
}


def pressed(layout: Layout, text: str) -> Iterator[tuple[int, int]]:
    for char in text:
        held, codes = strokes(layout, char)
        yield from [(code, 1) for code in held]
        yield from [(code, value) for code in codes for value in (1, 0)]
        yield from [(code, 0) for code in reversed(held)]


def by_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Alt and the decimal code on the numeric pad, as scanners type characters that no layout has."""
    for char in text:
        yield ALT, 1
        yield from [(PAD[digit], value) for digit in str(ord(char)) for value in (1, 0)]
        yield ALT, 0


def test_the_barcode_fits_code_128_and_has_both_cases() -> None:
    assert TEST_TEXT.isascii()
    assert TEST_TEXT.isprintable()
    assert len({make(TEST_TEXT) for make in CASES.values()}) == len(CASES)


@pytest.mark.parametrize(("set_to", "read_as"), list(product(LAYOUTS, LAYOUTS)))
def test_only_the_right_layout_reads_the_barcode(set_to: str, read_as: str) -> None:
    keyboard = Keyboard(LAYOUTS[read_as])
    typed = b"".join(keyboard.press(code, value) for code, value in pressed(LAYOUTS[set_to], TEST_TEXT))
    assert (typed == TEST_TEXT.encode()) == (set_to == read_as)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("terminator", TERMINATOR_KEYS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("aim", ["]C0", None])
@pytest.mark.parametrize("caps_lock", [False, True])
def test_every_combination_is_learnt_from_keys(
    layout: str, terminator: str | None, case: LetterCase, aim: str | None, caps_lock: bool
) -> None:
    """(`commands.md#scanners`)"""
    # A scanner that presses Caps Lock types capitals without Shift, and small letters with it.
    text = CASES[case](f"{aim or ''}{TEST_TEXT}")
    keys = list(pressed(LAYOUTS[layout], text.swapcase() if caps_lock else text))
    lock = [(CAPS_LOCK, 1), (CAPS_LOCK, 0)] if caps_lock else []
    learned = learn_keys([*lock, *keys, *lock, *TERMINATOR_KEYS[terminator]])
    assert learned is not None
    assert learned.layouts == (layout,)
    assert learned.terminator == terminator
    assert learned.case is case
    assert learned.aim == (None if aim is None else text[:3])
    assert learned.caps_lock is caps_lock
    assert (learned.prefix, learned.suffix) == ("", "")


@pytest.mark.parametrize("terminator", ["\r", "\n", "\r\n", "\t", None])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("aim", ["]C0", None])
def test_every_combination_is_learnt_from_a_serial_line(
    terminator: str | None, case: LetterCase, aim: str | None
) -> None:
    """(`commands.md#scanners`)"""
    text = CASES[case](f"{aim or ''}{TEST_TEXT}")
    learned = learn_bytes(f"{text}{terminator or ''}".encode())
    assert learned is not None
    assert (learned.layouts, learned.terminator, learned.case) == ((), terminator, case)
    assert learned.aim == (None if aim is None else text[:3])


def test_a_scanner_that_types_codes_fits_every_layout() -> None:
    learned = learn_keys([*by_numbers(TEST_TEXT), *TERMINATOR_KEYS["\r"]])
    assert learned is not None
    assert set(learned.layouts) == set(LAYOUTS)
    assert learned.terminator == "\r"


def test_added_text_is_reported_without_the_symbology() -> None:
    learned = learn_bytes(f"\x02]C0<{TEST_TEXT}>\x03\r\n".encode())
    assert learned is not None
    assert (learned.prefix, learned.aim, learned.suffix, learned.terminator) == ("\x02<", "]C0", ">\x03", "\r\n")


def test_a_line_feed_from_a_keyboard_ends_no_scan() -> None:
    keys = pressed(LAYOUTS["us"], TEST_TEXT)
    learned = learn_keys([*keys, (CTRL, 1), (J, 1), (J, 0), (CTRL, 0)])
    assert learned is not None
    assert learned.terminator is None


@pytest.mark.parametrize("data", [b"", b"ZKSAVE1\r", TEST_TEXT.encode()[1:], TEST_TEXT.replace("Q", "q").encode()])
def test_another_barcode_gives_nothing(data: bytes) -> None:
    assert learn_bytes(data) is None


@given(st.binary(max_size=600))
def test_any_bytes_are_accepted(data: bytes) -> None:
    learned = learn_bytes(data)
    assert learned is None or TEST_TEXT.lower().encode() in data.lower()


@given(
    st.lists(st.tuples(st.integers(min_value=0, max_value=700), st.integers(min_value=0, max_value=2)), max_size=200)
)
def test_any_keys_are_accepted(events: Sequence[tuple[int, int]]) -> None:
    assert learn_keys(events) is None
