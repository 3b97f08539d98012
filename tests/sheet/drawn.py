"""Reads a PDF of reportlab back: its texts, and its barcodes by an independent decoder of Code 128 (ISO/IEC 15417)."""

import base64
import re
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Bars", "Page", "Text", "decoded", "pages"]

_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232"
)
_VALUES = {tuple(map(int, pattern)): value for value, pattern in enumerate(_TABLE.split())}
_STOP = (2, 3, 3, 1, 1, 1, 2)
_TO_C, _TO_B, _START_B, _START_C = 99, 100, 104, 105

_STREAM = re.compile(rb"/Filter \[ /ASCII85Decode /FlateDecode \] .*?stream\n(.*?)endstream", re.DOTALL)
_TEXT = re.compile(rb"BT 1 0 0 1 ([\d.]+) ([\d.]+) Tm \((.*)\) Tj T\* ET")
_FONT = re.compile(rb"BT /F\d ([\d.]+) Tf [\d.]+ TL ET")
_MOVED = re.compile(rb"1 0 0 1 ([\d.]+) ([\d.]+) cm")
_BAR = re.compile(rb"n ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f\*")


class Text(NamedTuple):
    """A line of text as it is drawn, with PDF's escapes."""

    x: float
    y: float
    size_pt: float
    text: str


class Bars(NamedTuple):
    """A barcode: the widths of bar, space, bar, … in points, and the lower left corner and height of its first bar."""

    x: float
    y: float
    height_pt: float
    widths: tuple[float, ...]


class Page(NamedTuple):
    texts: list[Text]
    barcodes: list[Bars]

    def lines(self, size_pt: float) -> list[str]:
        """The texts of one size."""
        return [text.text for text in self.texts if text.size_pt == size_pt]


def pages(data: bytes) -> list[Page]:
    """The pages of a file, in the order in which they are drawn."""
    return [
        Page(list(_texts(content)), list(_barcodes(content)))
        for match in _STREAM.finditer(data)
        if (content := zlib.decompress(base64.a85decode(match[1].strip().removesuffix(b"~>"))))
    ]


def _texts(content: bytes) -> Iterator[Text]:
    size_pt = 0.0
    for line in content.splitlines():
        if font := _FONT.search(line):
            size_pt = float(font[1])
        if drawn := _TEXT.search(line):
            text = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), drawn[3])
            yield Text(float(drawn[1]), float(drawn[2]), size_pt, text.decode("cp1252"))


def _barcodes(content: bytes) -> Iterator[Bars]:
    for block in content.split(b"\nq\n")[1:]:
        moved = _MOVED.match(block)
        assert moved is not None
        bars = [tuple(map(float, bar.groups())) for bar in _BAR.finditer(block.split(b"\nQ\n")[0])]
        edges = [edge for x, _, width, _ in bars for edge in (x, x + width)]
        first = bars[0]
        yield Bars(
            float(moved[1]) + first[0],
            float(moved[2]) + first[1],
            first[3],
            tuple(b - a for a, b in pairwise(edges)),
        )


def decoded(barcode: Bars) -> tuple[str, float]:
    """The text of a barcode, and the width of its narrowest bar in points. Whatever a scanner would refuse fails."""
    module_pt = sum(barcode.widths) / _modules(barcode.widths)
    widths = tuple(round(width / module_pt) for width in barcode.widths)
    assert widths[-7:] == _STOP
    values = [_VALUES[widths[at : at + 6]] for at in range(0, len(widths) - 7, 6)]
    start, *inner, check = values
    assert (start + sum(place * value for place, value in enumerate(inner, start=1))) % 103 == check
    return "".join(_characters(start, inner)), module_pt


def _modules(widths: tuple[float, ...]) -> int:
    """How many modules a barcode has: 11 for each symbol character, 13 for the stop character."""
    characters, rest = divmod(len(widths) - 7, 6)
    assert rest == 0
    return characters * 11 + 13


def _characters(start: int, values: list[int]) -> Iterator[str]:
    assert start in (_START_B, _START_C)
    in_c = start == _START_C
    for value in values:
        if in_c and value == _TO_B:
            in_c = False
        elif not in_c and value == _TO_C:
            in_c = True
        elif in_c:
            assert value < 100
            yield f"{value:02d}"
        else:
            assert value < 95
            yield chr(value + 32)
