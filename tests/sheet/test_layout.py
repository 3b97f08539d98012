"""Where things are on the sheet (`commands.md#sheet`)."""

import pytest

from agent.sheet.layout import Card, Section, drawn
from agent.sheet.pdf import HEIGHT_PT, QUIET, WIDTH_PT
from tests.sheet.drawn import decoded, pages

SHORT = Card(code="ZKSAVEE", title="SAVE", note="press Save")


def test_what_is_drawn_is_what_is_written_under_it() -> None:
    cards = [SHORT, Card(code="Kiosk-Qwazym/0789#@", title="test"), Card(code="X" * 40, title="longer")]
    (page,) = pages(drawn([Section(heading="Commands", cards=cards)]))
    assert [decoded(one)[0] for one in page.barcodes] == page.lines(7) == [card.code for card in cards]
    assert page.lines(14) == ["Commands"]
    assert page.lines(11) == ["SAVE", "test", "longer"]
    assert page.lines(8) == ["press Save"]


@pytest.mark.parametrize("length", range(1, 65))
def test_every_barcode_has_bars_wide_enough_and_white_on_both_sides(length: int) -> None:
    (page,) = pages(drawn([Section(heading="", cards=[Card(code="X" * length, title=""), SHORT])]))
    for one in page.barcodes:
        _, module_pt = decoded(one)
        assert module_pt > 0.19 * 72 / 25.4, "a narrower bar is not read by every scanner"
        assert one.x >= QUIET * module_pt
        assert one.x + sum(one.widths) + QUIET * module_pt <= WIDTH_PT
    first, second = page.barcodes
    if first.y == second.y:
        assert first.x + sum(first.widths) + QUIET * module_pt <= second.x


def test_long_barcode_gets_the_whole_row() -> None:
    long = Card(code="X" * 64, title="long")
    (page,) = pages(drawn([Section(heading="", cards=[SHORT, long, SHORT, SHORT])]))
    assert [decoded(one)[0] for one in page.barcodes] == [SHORT.code, long.code, SHORT.code, SHORT.code]
    begins = [one.x for one in page.barcodes]
    assert begins[0] == begins[2] < begins[3]
    assert len({one.y for one in page.barcodes}) == 3


def test_cards_never_leave_the_page() -> None:
    cards = [Card(code="ZKSAVEE", title=str(number)) for number in range(100)]
    drawn_pages = pages(drawn([Section(heading="many", cards=cards)]))
    assert sum(len(page.barcodes) for page in drawn_pages) == 100
    for page in drawn_pages:
        for one in page.barcodes:
            assert one.y > 20
            assert one.y + one.height_pt < HEIGHT_PT - 20


def test_section_has_pages_of_its_own_if_it_wants_them() -> None:
    own = Section(heading="own", cards=[SHORT], own_pages=True)
    sections = [Section(heading="one", cards=[SHORT]), own, own, Section(heading="two", cards=[SHORT])]
    assert [page.lines(14) for page in pages(drawn(sections))] == [["one"], ["own"], ["own"], ["two"]]


def test_section_without_cards_is_left_out() -> None:
    (page,) = pages(drawn([Section(heading="none", cards=[]), Section(heading="one", cards=[SHORT])]))
    assert page.lines(14) == ["one"]


def test_no_card_at_all_is_one_empty_page() -> None:
    (page,) = pages(drawn([]))
    assert (page.texts, page.barcodes) == ([], [])
