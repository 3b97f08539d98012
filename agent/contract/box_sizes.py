"""The sizes a box may have."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["BoxSize", "BoxSizes"]


class BoxSize(Struct, frozen=True, kw_only=True):
    """Inner dimensions under the code that the BOX command carries."""

    code: str
    length_mm: int
    width_mm: int
    height_mm: int


class BoxSizes(Struct, frozen=True, kw_only=True):
    """One revision of the catalogue of box sizes. `source` is the compact JSON text that parses to an equal one."""

    revision: int
    by_code: Mapping[str, BoxSize]
    source: str

    def find(self, code: str) -> BoxSize | None:
        """The size under `code`; letters compare without case."""
        return self.by_code.get(code.upper())
