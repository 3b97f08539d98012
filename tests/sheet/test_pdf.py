"""The PDF: what is drawn is read back by a decoder of our own, and agrees with another encoder.

Rule: `commands.md#sheet`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sheet.pdf import Document, is_encodable, modules
from tests.sheet.drawn import Bars, decoded, pages

# By python-barcode 0.16.1, code set B, with the stop character's last bar.
DRAWN = {
    "ZKSAVEE": "2112143123111123312131131113233111231321131321133131212331112",
    "Kiosk-Qwazym/0789#@": (
        "211214112331142112134111114212241211122132211331421112121124214121"
        "2121414131111132221231223121313112223211221212232321211133212331112"
    ),
    "a~ Z": "2112141211241311412122223123111422112331112",
}

printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64)


def bars(code: str, module_pt: float = 1.0) -> Bars:
    document = Document("test")
    document.barcode(30, 40, code, module_pt=module_pt, height_pt=36)
    ((barcode,),) = [page.barcodes for page in pages(document.data())]
    return barcode


@pytest.mark.parametrize("text", DRAWN)
def test_decoder_reads_what_another_encoder_draws(text: str) -> None:
    assert decoded(Bars(0, 0, 1, tuple(map(float, DRAWN[text])))) == (text, 1.0)


@pytest.mark.parametrize("text", ["ZKSAVEE", "a~ Z"])
def test_bars_are_those_of_another_encoder(text: str) -> None:
    """Only of text without digits: two digits in a row may be one character of code set C."""
    assert "".join(str(round(width)) for width in bars(text).widths) == DRAWN[text]


@given(printable | st.text("0123456789", min_size=1, max_size=64) | st.text("01AB", min_size=1, max_size=20))
def test_every_barcode_is_read_as_its_text(text: str) -> None:
    barcode = bars(text)
    read, module_pt = decoded(barcode)
    assert read == text
    assert module_pt == pytest.approx(1.0)
    assert sum(barcode.widths) == pytest.approx(modules(text))


def test_barcode_is_where_and_as_large_as_it_was_asked_for() -> None:
    barcode = bars("ZKSAVEE", module_pt=0.7)
    assert (barcode.x, barcode.y, barcode.height_pt) == (30, 40, 36)
    assert sum(barcode.widths) == pytest.approx(0.7 * modules("ZKSAVEE"))


@pytest.mark.parametrize("text", ["", "é", "a\x1db", "４", "\xf1"])
def test_text_that_no_barcode_has(text: str) -> None:
    assert not is_encodable(text)
    with pytest.raises(ValueError, match="printable ASCII"):
        modules(text)
    with pytest.raises(ValueError, match="printable ASCII"):
        bars(text)


def test_text_is_drawn_and_what_the_font_lacks_is_a_question_mark() -> None:
    document = Document("test")
    document.text(10, 20, 7, "(a\\b) – ₿\n")
    document.next_page()
    document.text(10, 20, 7, "Zoë", bold=True)
    first, second = pages(document.data())
    assert first.lines(7) == [r"\(a\\b\) – ?"]
    assert second.lines(7) == ["Zoë"]


def test_same_drawing_gives_the_same_file() -> None:
    def drawn() -> bytes:
        document = Document("test")
        document.text(10, 20, 7, "ZKSAVEE")
        return document.data()

    assert drawn() == drawn()
    assert drawn().startswith(b"%PDF-1.")
