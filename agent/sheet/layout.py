"""Where things are on the sheet: two columns of cards, each with a barcode, its name and what it does."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from agent.sheet.pdf import HEIGHT_PT, QUIET, WIDTH_PT, Document, modules

__all__ = ["Card", "Section", "drawn"]

_MM = 72 / 25.4
_MODULE_PT = 0.38 * _MM
"""A wide module: cheap scanners read it from an arm's length, off a worn sheet."""
_NARROW_PT = 0.25 * _MM
"""A barcode that would need a narrower module than this gets the whole row."""
_MARGIN_PT = 14 * _MM
_GUTTER_PT = 10 * _MM
_ROW_PT = 29 * _MM
"""The distance of two rows: the line of a scanner's aimer does not meet barcodes of both."""
_BARS_PT = 13 * _MM
_HEAD_PT = 12 * _MM

_WHOLE_PT = WIDTH_PT - 2 * _MARGIN_PT
_COLUMN_PT = (_WHOLE_PT - _GUTTER_PT) / 2
_TOP_PT = HEIGHT_PT - _MARGIN_PT


class Card(Struct, frozen=True, kw_only=True):
    """One barcode."""

    code: str
    """Its text: printable ASCII."""
    title: str
    note: str = ""
    """What it does."""


class Section(Struct, frozen=True, kw_only=True):
    """Cards under a heading. A section without cards is left out."""

    heading: str
    cards: Sequence[Card]
    own_pages: bool = False
    """Whether it has pages of its own, to be cut up and handed out."""


def drawn(sections: Sequence[Section]) -> bytes:
    """Return the sheet as a PDF file; without any card it is one empty page."""
    document = Document("Barcodes for the bench")
    top = _TOP_PT
    is_first, after_own = True, False
    for section in sections:
        rows = list(_rows(section.cards))
        if not rows:
            continue
        if not is_first and (section.own_pages or after_own or top - _HEAD_PT - _ROW_PT < _MARGIN_PT):
            document.next_page()
            top = _TOP_PT
        document.text(_MARGIN_PT, top - 14, 14, section.heading, bold=True)
        top -= _HEAD_PT
        is_first, after_own = False, section.own_pages
        for row in rows:
            if top - _ROW_PT < _MARGIN_PT:
                document.next_page()
                top = _TOP_PT
            width_pt = _WHOLE_PT if _is_long(row[0]) else _COLUMN_PT
            for column, card in enumerate(row):
                _draw(document, card, _MARGIN_PT + column * (_COLUMN_PT + _GUTTER_PT), top, width_pt)
            top -= _ROW_PT
    return document.data()


def _modules_with_quiet(card: Card) -> int:
    return modules(card.code) + 2 * QUIET


def _is_long(card: Card) -> bool:
    return _modules_with_quiet(card) * _NARROW_PT > _COLUMN_PT


def _rows(cards: Sequence[Card]) -> Iterator[tuple[Card, ...]]:
    """Yield two cards a row, and a card alone where its barcode is too long for a column."""
    waiting: list[Card] = []
    for card in cards:
        if _is_long(card):
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


def _draw(document: Document, card: Card, x: float, top: float, width_pt: float) -> None:
    module_pt = min(_MODULE_PT, width_pt / _modules_with_quiet(card))
    first_bar = x + QUIET * module_pt
    y = top - 24 - _BARS_PT
    document.text(x, top - 9, 11, card.title, bold=True)
    document.text(x, top - 19, 8, card.note)
    document.barcode(first_bar, y, card.code, module_pt=module_pt, height_pt=_BARS_PT)
    document.text(first_bar, y - 8, 7, card.code)
