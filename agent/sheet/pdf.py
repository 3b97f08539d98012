"""A PDF of text and Code 128 barcodes on A4 pages, drawn by reportlab. The only module that imports it.

Lengths are in points of 1/72 inch. Places are measured from the lower left corner of the page.
"""

import io

from reportlab.graphics.barcode.code128 import Code128
from reportlab.pdfgen.canvas import Canvas

__all__ = ["HEIGHT_PT", "QUIET", "WIDTH_PT", "Document", "is_encodable", "modules"]

WIDTH_PT, HEIGHT_PT = 595.28, 841.89
"""A4."""

QUIET = 10
"""How many modules on each side of a barcode have to stay white (ISO/IEC 15417)."""


def is_encodable(text: str) -> bool:
    """Return whether the text is one or more printable ASCII characters."""
    return bool(text) and text.isascii() and text.isprintable()


def modules(code: str) -> int:
    """Return the width of a barcode in modules, without the quiet zones. Raise ValueError unless `is_encodable`."""
    width: float = _symbol(code, 1.0, 1.0).width
    return round(width)


def _symbol(code: str, module_pt: float, height_pt: float) -> Code128:
    if not is_encodable(code):
        raise ValueError("a barcode has printable ASCII characters only")
    return Code128(code, barWidth=module_pt, barHeight=height_pt, quiet=False)


class Document:
    """A document, while its last page is being drawn. What is drawn again gives the same bytes."""

    def __init__(self, title: str) -> None:
        self._stream = io.BytesIO()
        self._canvas = Canvas(self._stream, pagesize=(WIDTH_PT, HEIGHT_PT), invariant=True)
        self._canvas.setTitle(title)

    def text(self, x: float, y: float, size_pt: float, text: str, *, bold: bool = False) -> None:
        """Draw a line of text from `x` on, on the baseline `y`.

        Characters that the font does not have become question marks; unprintable ones are left out.
        """
        known = "".join(filter(str.isprintable, text)).encode("cp1252", "replace").decode("cp1252")
        self._canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size_pt)
        self._canvas.drawString(x, y, known)

    def barcode(self, x: float, y: float, code: str, *, module_pt: float, height_pt: float) -> None:
        """Draw a Code 128 barcode; `x`, `y` is the lower left corner of its first bar.

        The caller leaves `QUIET` modules free on each side. Raise ValueError unless `is_encodable`.
        """
        _symbol(code, module_pt, height_pt).drawOn(self._canvas, x, y)

    def next_page(self) -> None:
        """Begin a new page."""
        self._canvas.showPage()

    def data(self) -> bytes:
        """Finish the document and return the bytes of the file."""
        self._canvas.showPage()
        self._canvas.save()
        return self._stream.getvalue()
