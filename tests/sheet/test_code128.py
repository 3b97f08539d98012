"""Code 128: bars as another encoder draws them, and what the standard demands of every symbol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sheet.code128 import is_encodable, widths

# By python-barcode 0.16.1, code set B, with the stop character's last bar.
DRAWN = {
    "ZKSAVEE": "2112143123111123312131131113233111231321131321133131212331112",
    "Kiosk-Qwazym/0789#@": (
        "211214112331142112134111114212241211122132211331421112121124214121"
        "2121414131111132221231223121313112223211221212232321211133212331112"
    ),
    "a~ Z": "2112141211241311412122223123111422112331112",
}


@pytest.mark.parametrize("text", DRAWN)
def test_bars_are_those_of_another_encoder(text: str) -> None:
    assert "".join(map(str, widths(text))) == DRAWN[text]


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64))
def test_every_symbol_character_is_eleven_modules_with_an_even_number_of_black_ones(text: str) -> None:
    symbol = widths(text)
    assert len(symbol) == 6 * (len(text) + 2) + 7
    for at in range(0, len(symbol) - 7, 6):
        character = symbol[at : at + 6]
        assert sum(character) == 11
        assert sum(character[::2]) % 2 == 0


@pytest.mark.parametrize("text", ["", "é", "a\x1db", "４"])
def test_text_that_code_set_b_does_not_have(text: str) -> None:
    assert not is_encodable(text)
    with pytest.raises(ValueError, match="printable ASCII"):
        widths(text)
