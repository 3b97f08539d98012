"""A plain PDF: black rectangles and lines of Helvetica on A4. Pure. Source: ISO 32000-1 (PDF 1.4 suffices)."""

from collections.abc import Sequence

__all__ = ["HEIGHT_PT", "WIDTH_PT", "Page", "document"]

WIDTH_PT, HEIGHT_PT = 595.28, 841.89
"""A4, in points of 1/72 inch. Places are measured from the lower left corner."""


class Page:
    """One page, being drawn."""

    def __init__(self) -> None:
        self._drawn: list[str] = []

    def rectangle(self, x: float, y: float, width: float, height: float) -> None:
        """A black one; `x`, `y` is its lower left corner."""
        self._drawn.append(f"{x:.3f} {y:.3f} {width:.3f} {height:.3f} re f")

    def text(self, x: float, y: float, size: float, text: str, *, bold: bool = False) -> None:
        """A line from `x` on, on the baseline `y`; what the font does not have comes as a question mark."""
        escaped = "".join(f"\\{c}" if c in "()\\" else c for c in text if c.isprintable())
        self._drawn.append(f"BT /F{2 if bold else 1} {size:g} Tf {x:.2f} {y:.2f} Td ({escaped}) Tj ET")

    def content(self) -> bytes:
        return "\n".join(self._drawn).encode("cp1252", "replace")


def document(pages: Sequence[Page]) -> bytes:
    """The file; the same pages give the same bytes."""
    first_page = 5
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] /MediaBox [0 0 {WIDTH_PT} {HEIGHT_PT}] >>".encode(),
        *(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>".encode()
            for font in ("Helvetica", "Helvetica-Bold")
        ),
    ]
    for number, page in enumerate(pages):
        content = page.content()
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            f"/Contents {first_page + 2 * number + 1} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)
