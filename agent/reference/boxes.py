"""The sizes a box may have."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BoxSize", "BoxSizes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSize:
    """Inner dimensions under the code that the BOX command carries."""

    code: str
    length_mm: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSizes:
    """One revision of the catalogue of box sizes. `source` is the compact JSON text that parses to an equal one."""

    revision: int
    by_code: Mapping[str, BoxSize]
    source: str

    def find(self, code: str) -> BoxSize | None:
        """The size under `code`; letters compare without case."""
        return self.by_code.get(code.upper())
