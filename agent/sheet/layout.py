"""Barcodes on pages: two columns of cards, each with its barcode, what it is and what it says. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from agent.sheet.code128 import QUIET, widths
from agent.sheet.pdf import HEIGHT_PT, WIDTH_PT, Page

__all__ = ["Card", "Section", "pages_of"]

_MM = 72 / 25.4
_MODULE_PT = 0.38 * _MM
"""A wide module: cheap scanners read it from an arm's length, off a worn sheet."""
_NARROW_PT = 0.25 * _MM
"""A barcode that would need a narrower one gets the whole row."""
_MARGIN_PT = 14 * _MM
_GUTTER_PT = 10 * _MM
_ROW_PT = 29 * _MM
"""Far enough from the next one that an aimer's line does not meet two."""
_BARS_PT = 13 * _MM
_HEAD_PT = 12 * _MM


class Card(Struct, frozen=True, kw_only=True):
    """One barcode: `code` is its text (printable ASCII), `title` what it is called, `note` what it does."""

    code: str
    title: str
    note: str = ""


class Section(Struct, frozen=True, kw_only=True):
    """Cards under a heading; `own_pages`: on pages of their own, to be cut up and handed out."""

    heading: str
    cards: Sequence[Card]
    own_pages: bool = False


def _needed_pt(card: Card, module_pt: float) -> float:
    return (sum(widths(card.code)) + 2 * QUIET) * module_pt


def _rows(cards: Sequence[Card], column_pt: float) -> Iterator[tuple[Card, ...]]:
    """Two cards a row; one where its barcode is too long for a column."""
    waiting: list[Card] = []
    for card in cards:
        if _needed_pt(card, _NARROW_PT) > column_pt:
            if waiting:
                yield tuple(waiting)
                waiting = []
            yield (card,)
            continue
        waiting.append(card)
        if len(waiting) == 2:
            yield tuple(waiting)
            waiting = []
    if waiting:
        yield tuple(waiting)


def _draw(page: Page, card: Card, x: float, top: float, width_pt: float) -> None:
    page.text(x, top - 9, 11, card.title, bold=True)
    page.text(x, top - 19, 8, card.note)
    symbol = widths(card.code)
    module_pt = min(_MODULE_PT, width_pt / (sum(symbol) + 2 * QUIET))
    at = x + QUIET * module_pt
    y = top - 24 - _BARS_PT
    for number, modules in enumerate(symbol):
        if number % 2 == 0:
            page.rectangle(at, y, modules * module_pt, _BARS_PT)
        at += modules * module_pt
    page.text(x + QUIET * module_pt, y - 8, 7, card.code)


def pages_of(sections: Sequence[Section]) -> list[Page]:
    """The pages; a section without cards is left out, and so are no cards at all one empty page."""
    pages = [Page()]
    top = HEIGHT_PT - _MARGIN_PT
    is_fresh = True
    whole_pt = WIDTH_PT - 2 * _MARGIN_PT
    column_pt = (whole_pt - _GUTTER_PT) / 2
    was_own = False
    for section in sections:
        rows = list(_rows(section.cards, column_pt))
        if not rows:
            continue
        if not is_fresh and (section.own_pages or was_own or top - _HEAD_PT - _ROW_PT < _MARGIN_PT):
            pages.append(Page())
            top = HEIGHT_PT - _MARGIN_PT
        was_own = section.own_pages
        pages[-1].text(_MARGIN_PT, top - 14, 14, section.heading, bold=True)
        top -= _HEAD_PT
        is_fresh = False
        for row in rows:
            if top - _ROW_PT < _MARGIN_PT:
                pages.append(Page())
                top = HEIGHT_PT - _MARGIN_PT
            is_long = _needed_pt(row[0], _NARROW_PT) > column_pt
            for number, card in enumerate(row):
                x = _MARGIN_PT + number * (column_pt + _GUTTER_PT)
                _draw(pages[-1], card, x, top, whole_pt if is_long else column_pt)
            top -= _ROW_PT
    return pages
