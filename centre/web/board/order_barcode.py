"""The barcode that opens an order at a kiosk, as the path of an SVG. The board's only module that imports reportlab.

Code 128 holds ASCII alone. An order whose id has other characters gets one of the manifest's barcodes, or a QR code.
"""

from collections.abc import Sequence

from msgspec import Struct
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel

__all__ = ["PrintedBarcode", "order_barcode"]

_QUIET = 10
"""How many modules on each side of a Code 128 stay white (ISO/IEC 15417)."""
_QR_QUIET = 4
_HEIGHT = 60
_LONG = 400
"""A symbol of more modules takes the whole width of the paper."""


class PrintedBarcode(Struct, frozen=True, kw_only=True):
    """A symbol in modules: the viewer's box is `width` x `height`, and `path` has everything black."""

    kind: str
    text: str
    width: int
    height: int
    path: str
    note: str | None = None
    """What a person should know about it."""

    @property
    def is_long(self) -> bool:
        return self.width > _LONG

    @property
    def is_square(self) -> bool:
        return self.kind == "QR"


def order_barcode(order: str, barcodes: Sequence[str]) -> PrintedBarcode:
    """Return the barcode of an order. `barcodes`: what its manifest lists besides the id."""
    if _fits(order):
        return _code_128(order, None)
    listed = next((code for code in barcodes if _fits(code)), None)
    why = "has characters that no Code 128 can hold"
    if listed is not None:
        return _code_128(listed, f"The order id {why}. This is another barcode of the same order.")
    return _qr(order, f"The order id {why}. It takes a scanner that reads QR codes.")


def _fits(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


class _Bars(Code128):  # type: ignore[misc]  # reportlab has no types
    """A Code 128 that keeps its bars in place of drawing them."""

    def __init__(self, text: str) -> None:
        self.bars: list[tuple[int, int]] = []
        super().__init__(text, barWidth=1, barHeight=1, quiet=False)

    def rect(self, x: float, y: float, w: float, h: float) -> None:
        self.bars.append((round(x), round(w)))


def _code_128(text: str, note: str | None) -> PrintedBarcode:
    symbol = _Bars(text)
    symbol.draw()
    path = "".join(f"M{_QUIET + x} 0h{w}v{_HEIGHT}h-{w}z" for x, w in symbol.bars)
    x, w = symbol.bars[-1]
    return PrintedBarcode(kind="Code 128", text=text, width=2 * _QUIET + x + w, height=_HEIGHT, path=path, note=note)


def _qr(text: str, note: str) -> PrintedBarcode:
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(QR8bitByte(text.encode("utf-8")))
    code.make()
    size = code.getModuleCount()
    path = "".join(
        f"M{_QR_QUIET + column} {_QR_QUIET + row}h1v1h-1z"
        for row in range(size)
        for column in range(size)
        if code.isDark(row, column)
    )
    edge = size + 2 * _QR_QUIET
    return PrintedBarcode(kind="QR", text=text, width=edge, height=edge, path=path, note=note)
