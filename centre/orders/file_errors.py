"""What is wrong with a file that is to be imported: every faulty row, named at once."""

from collections.abc import Sequence

from msgspec import Struct

from centre.centre_errors import Refused
from centre.orders.parsed_orders import ParsedOrder

__all__ = ["FileRefused", "RowError", "shown"]

_MAX_SHOWN = 80


class RowError(Struct, frozen=True, order=True):
    """One fault."""

    row: int
    """As a spreadsheet counts: the header is row 1. In JSON the first item is 1. 0: the file as a whole."""
    column: str
    """The header as the file writes it; in JSON the path of the field; empty: the whole row."""
    expected: str
    found: str


class FileRefused(Refused):
    """Nothing of the file is taken. `errors` are sorted by row; `parsed` are the orders without a fault, if what
    the centre has may be at odds with them.
    """

    def __init__(self, errors: Sequence[RowError], parsed: Sequence[ParsedOrder] = ()) -> None:
        self.errors = sorted(errors)
        self.parsed = parsed
        first = self.errors[0]
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        super().__init__(f"row {first.row}, {first.column}: expected {first.expected}, found {first.found}{more}")


def shown(text: str) -> str:
    """Return text of a file as an error shows it: on one line, not too long."""
    if not text:
        return "nothing"
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + "…"
