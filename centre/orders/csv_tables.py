"""From the bytes of a CSV file to rows of cells by column: encoding, delimiter, header. Pure.

Encodings: UTF-8 with or without BOM, UTF-16 with BOM (a spreadsheet's "Unicode text"), else Windows-1252. Delimiters:
comma, semicolon, tab, bar; a first line `sep=;` is obeyed. Quoted cells may have line feeds. Cells lose blanks at
their ends. Rows without any text are skipped, and counted, as a spreadsheet counts them.
"""

import codecs
import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct

from centre.orders.file_errors import FileRefused, RowError, shown

__all__ = ["COLUMN_IN_HEADER", "MAX_BYTES", "MAX_ROWS", "CsvRow", "CsvTable", "read_table"]

MAX_BYTES = 50_000_000
MAX_ROWS = 100_000

COLUMN_IN_HEADER = "this column in the header"
"""What is expected where a column is missing."""

_MAX_RECORDS = 10 * MAX_ROWS
"""Rows without text among them: a file of nothing else would take a minute to read."""
_MAX_COLUMNS = 1000

_DELIMITERS = ",;\t|"
_MAX_CELL = 1_000_000
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class CsvRow(Struct, frozen=True):
    """One row that has text in it."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: Mapping[str, str]
    """By column, of the known columns that the file has."""


class CsvTable(Struct, frozen=True):
    """The known columns of a file."""

    headers: Mapping[str, str]
    """How the file writes the header of each known column that it has."""
    rows: list[CsvRow]
    errors: list[RowError]
    """Rows that are left out because they cannot be read."""


def read_table(
    data: bytes, *, known: Sequence[str], required: Collection[str], renamed: Mapping[str, str] | None = None
) -> CsvTable:
    """Read a file. `renamed` has the file's header for columns that it calls otherwise.

    Columns that are not known are left out. Raises FileRefused.
    """
    if len(data) > MAX_BYTES:
        raise _refused(f"at most {MAX_BYTES} bytes", f"{len(data)} bytes")
    text = _decoded(data)
    delimiter, skipped = _declared_delimiter(text)
    names = {_folded(header): column for column, header in (renamed or {}).items()}
    names.update({_folded(column): column for column in known if column not in (renamed or {})})
    delimiter = delimiter or _likely_delimiter(text, names)
    records = _records(text, delimiter)
    for _ in range(skipped):
        next(records)
    number, header = next(records, (1, []))
    places = _places(number, header, names, required, renamed or {})
    headers = {column: header[place] for column, place in places.items()}
    rows: list[CsvRow] = []
    errors: list[RowError] = []
    for number, record in records:
        if len(rows) == MAX_ROWS:
            raise _refused(f"at most {MAX_ROWS} rows", "more")
        if len(record) > len(header) and any(record[len(header) :]):
            errors.append(RowError(number, "", f"{len(header)} cells, as in the header", f"{len(record)} cells"))
            continue
        cells = {column: record[place] if place < len(record) else "" for column, place in places.items()}
        rows.append(CsvRow(number, cells))
    return CsvTable(headers, rows, errors)


def _refused(expected: str, found: str) -> FileRefused:
    return FileRefused([RowError(0, "", expected, found)])


def _decoded(data: bytes) -> str:
    encoding = next((name for bom, name in _ENCODINGS if data.startswith(bom)), None)
    try:
        if encoding is not None:
            text = data.decode(encoding)
        else:
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError:
                text = data.decode("cp1252")
    except UnicodeDecodeError as exc:
        row = data.count(b"\n", 0, exc.start) + 1
        expected = "text in UTF-8, UTF-16 with a byte order mark, or Windows-1252"
        raise FileRefused([RowError(row, "", expected, f"byte 0x{data[exc.start]:02X}")]) from exc
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise FileRefused([RowError(row, "", "text", "a NUL character: is it a CSV file?")])
    return text


def _declared_delimiter(text: str) -> tuple[str | None, int]:
    """Return the delimiter that a first line `sep=;` declares, and how many records to skip."""
    first = text.partition("\n")[0].strip().strip('"')
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], 1
    return ("\t", 1) if first.lower() == "sep=" else (None, 0)


def _likely_delimiter(text: str, names: Mapping[str, str]) -> str:
    """Return the delimiter by which most columns of the header are known; if several do, the one with most columns."""

    def known(delimiter: str) -> tuple[int, int]:
        try:
            _, header = next(_records(text, delimiter), (1, []))
        except FileRefused:
            return 0, 0  # with this delimiter, quotation marks stand where none may
        return sum(_folded(cell) in names for cell in header), len(header)

    return max(_DELIMITERS, key=known)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that have text in them, each with its number. Raises FileRefused."""
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    number = 0
    try:
        for record in reader:
            number += 1
            if number > _MAX_RECORDS:
                raise _refused(f"at most {_MAX_RECORDS} rows, those without text among them", "more")
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield number, cells
    except csv.Error as exc:
        raise FileRefused([RowError(number + 1, "", "cells with closed quotation marks", str(exc))]) from exc


def _folded(header: str) -> str:
    return "_".join(header.replace("-", " ").replace("_", " ").split()).casefold()


def _places(
    number: int, header: Sequence[str], names: Mapping[str, str], required: Collection[str], renamed: Mapping[str, str]
) -> dict[str, int]:
    """Return the place of each known column. Raises FileRefused."""
    if len(header) > _MAX_COLUMNS:
        raise _refused(f"at most {_MAX_COLUMNS} columns", f"{len(header)} columns")
    places: dict[str, int] = {}
    errors = []
    unknown = []
    for place, cell in enumerate(header):
        column = names.get(_folded(cell))
        if column is None:
            unknown.append(cell)
        elif column in places:
            errors.append(RowError(number, cell, "each column once", "the column again"))
        else:
            places[column] = place
    found = ", ".join(shown(cell) for cell in header)
    for column in {**dict.fromkeys(required), **renamed}:
        if column not in places:
            errors.append(RowError(number, renamed.get(column, column), COLUMN_IN_HEADER, shown(found)))
    missing = {name: column for name, column in names.items() if column not in places}
    for cell in unknown:
        close = get_close_matches(_folded(cell), missing, n=1, cutoff=0.8)
        if close and missing[close[0]] not in required:
            # Left out without a word, the phones that it lists would be missing from the order.
            errors.append(RowError(number, cell, f"a known column; is it {missing[close[0]]}?", shown(cell)))
    if errors:
        raise FileRefused(errors)
    return places
