"""The sizes that a box may have (`mqtt.md#box-sizes`)."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["BoxSize", "BoxSizes"]


class BoxSize(Struct, frozen=True, kw_only=True):
    """Inner dimensions, under the code that the BOX command carries."""

    code: str
    length_mm: int
    width_mm: int
    height_mm: int


class BoxSizes(Struct, frozen=True, kw_only=True):
    """One revision of the box sizes."""

    revision: int
    by_code: Mapping[str, BoxSize]
    source: str
    """Compact JSON text that parses to equal sizes."""

    def find(self, code: str) -> BoxSize | None:
        """Return the size with this code, compared without case."""
        return self.by_code.get(code.upper())
