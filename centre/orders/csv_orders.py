"""Orders from a CSV file: one row a line of an order. Pure.

Rows of one order may stand anywhere in the file. What belongs to the order as a whole (site, type, barcode, picking,
packing, shipping) may stand in one of its rows or in all, but not differ. Without a `line` the lines are numbered;
without a `flow` a line of a normal order is `used`; without `serialized` it is: a phone that leaves without being read
would be worse than a case that cannot be counted until the file is mended.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from agent.contract.manifest import Flow
from agent.contract.schemas import MAX_QUANTITY
from centre.orders.csv_tables import CsvRow, CsvTable, read_table
from centre.orders.file_errors import FileRefused, RowError, shown
from centre.orders.manifest_check import FieldError, ManifestRefused, checked_manifest
from centre.orders.manifest_decision import KEEP_SITE, GivenManifest
from centre.orders.parsed_orders import ParsedOrder
from centre.orders.spreadsheet_damage import code_damage, unit_damage

__all__ = ["COLUMNS", "parse_csv_orders"]

COLUMNS = (
    "order", "site", "type", "line", "sku", "name", "gtin", "barcode", "flow", "serialized", "quantity", "units",
    "tacs", "serial_length", "picking", "packing", "shipping",
)  # fmt: skip
_REQUIRED = ("order", "sku", "quantity")
_OF_ORDER = ("site", "type", "barcode", "picking", "packing", "shipping")
_LISTS = ("barcode", "gtin", "tacs", "units")
_CODES = ("order", "site", "line", "sku", "barcode", "gtin", "tacs", "picking", "packing", "shipping")

_YES = frozenset(("true", "yes", "y", "1", "x", "wahr", "ja", "j", "vrai", "oui"))
_NO = frozenset(("false", "no", "n", "0", "falsch", "nein", "faux", "non"))
_FLOWS = frozenset(flow.value for flow in Flow)
_RANGE = re.compile(r"(\d{1,2})(?:\s*(?:-|\u2013|\.\.|;|:)\s*(\d{1,2}))?", re.ASCII)
_SAME = re.compile(r"The same as lines\.(\d+)\..*")
_EXPECTED = {
    "order": "1 to 64 characters",
    "type": "normal or pos",
    "line": "1 to 64 characters",
    "sku": "1 to 64 characters",
    "name": "at most 256 characters",
    "gtin": "8, 12, 13 or 14 digits; leading zeros may have been lost",
    "barcode": "1 to 64 characters each",
    "flow": "used, distribution or pos",
    "quantity": "a whole number from 1 to 1000000",
    "units": "identifiers of 1 to 64 characters",
    "tacs": "8 digits each; leading zeros may have been lost",
    "serial_length": "lengths from 1 to 64",
    "picking": "an operator's id: A-Z and 0-9",
    "packing": "an operator's id: A-Z and 0-9",
    "shipping": "an operator's id: A-Z and 0-9",
}
_COLUMN_OF_FIELD = {"line": "line", "gtins": "gtin", "barcodes": "barcode"}

Fault: TypeAlias = Callable[[str, str], None]
"""Called with a column and what was expected there."""


def parse_csv_orders(
    data: bytes, renamed: Mapping[str, str] | None = None, sites: Collection[str] | None = None
) -> list[ParsedOrder]:
    """Return the orders of a file, in the order of their first rows. Raises FileRefused with every faulty row.

    `renamed` has the file's header for columns that it calls otherwise: `{"order": "SO_NUMBER"}`. With `sites`, any
    other one is a fault.
    """
    wrong = [
        RowError(0, column, f"one of {', '.join(COLUMNS)}", column) for column in renamed or {} if column not in COLUMNS
    ]
    if wrong:
        raise FileRefused(wrong)
    table = read_table(data, known=COLUMNS, required=_REQUIRED, renamed=renamed)
    return _Reader(table, sites).orders()


class _Reader:
    """Reads one table. Faults are collected, so that all of them are named at once."""

    def __init__(self, table: CsvTable, sites: Collection[str] | None) -> None:
        self._table = table
        self._sites = sites
        self._errors = list(table.errors)

    def orders(self) -> list[ParsedOrder]:
        by_order: dict[str, list[CsvRow]] = {}
        for row in self._table.rows:
            before = len(self._errors)
            self._check_codes(row)
            if not row.cells["order"]:
                self._fault(row, "order", "the id of an order")
            if len(self._errors) == before:
                by_order.setdefault(row.cells["order"], []).append(row)
            site = row.cells.get("site")
            if site and self._sites is not None and site not in self._sites:
                self._fault(row, "site", f"one of {', '.join(self._sites)}")
        parsed = [order for name, rows in by_order.items() if (order := self._order(name, rows)) is not None]
        if self._errors:
            raise FileRefused(self._errors)
        return parsed

    def _fault(self, row: CsvRow, column: str, expected: str, found: str | None = None) -> None:
        header = self._table.headers.get(column, column)
        text = row.cells.get(column, "") if found is None else found
        self._errors.append(RowError(row.number, header, expected, shown(text)))

    def _check_codes(self, row: CsvRow) -> None:
        for column, text in row.cells.items():
            if column == "units":
                self._check_units(row, text)
            elif column in _CODES:
                for part in text.split(";") if column in _LISTS else [text]:
                    self._check_code(row, column, part, code_damage(part.strip()))

    def _check_units(self, row: CsvRow, text: str) -> None:
        for unit in text.split(";"):
            damage = code_damage(unit.strip())  # of `3.53911E+14` the plus sign is no separator
            self._check_code(row, "units", unit, damage)
            for part in unit.split("+") if damage is None else ():
                self._check_code(row, "units", part, unit_damage(part.strip()))

    def _check_code(self, row: CsvRow, column: str, text: str, damage: str | None) -> None:
        if damage is not None:
            self._fault(row, column, damage, text.strip())

    # -- one order -------------------------------------------------------------------------------------------------

    def _order(self, name: str, rows: list[CsvRow]) -> ParsedOrder | None:
        before = len(self._errors)
        whole = self._of_order(rows)
        type = whole.get("type", "").lower() or "normal"
        document: dict[str, Any] = {"order": name, "type": type}
        barcodes = _list(whole.get("barcode", ""))
        if barcodes:
            document["barcodes"] = barcodes
        operators = {role: whole[role] for role in ("picking", "packing", "shipping") if whole.get(role)}
        if operators:
            document["operators"] = operators
        names = self._line_names(rows)
        lines: dict[int, dict[str, Any]] = {}
        for place, (row, line) in enumerate(zip(rows, names, strict=True)):
            faults = len(self._errors)
            content = self._line(row, line, is_pos=type == "pos")
            if len(self._errors) == faults:
                lines[place] = content
        try:
            manifest = checked_manifest(name, {**document, "lines": list(lines.values())})
        except ManifestRefused as exc:
            self._refuse(rows, document, lines, exc)
        if len(self._errors) > before:
            return None
        site = whole.get("site") or KEEP_SITE
        return ParsedOrder(given=GivenManifest(manifest=manifest, site=site), row=rows[0].number)

    def _of_order(self, rows: list[CsvRow]) -> dict[str, str]:
        """Return the cells that belong to the order as a whole."""
        found: dict[str, str] = {}
        first: dict[str, int] = {}
        for row in rows:
            for column in _OF_ORDER:
                text = row.cells.get(column, "")
                if not text:
                    continue
                if column not in found:
                    found[column], first[column] = text, row.number
                elif found[column] != text and not (column == "type" and found[column].lower() == text.lower()):
                    expected = f"{shown(found[column])}, as in row {first[column]}"
                    self._fault(row, column, expected)
        return found

    def _line_names(self, rows: list[CsvRow]) -> list[str]:
        given = {row.cells.get("line", "") for row in rows}
        numbers = (str(number) for number in range(1, 2 * len(rows) + 1) if str(number) not in given)
        return [row.cells.get("line") or next(numbers) for row in rows]

    def _line(self, row: CsvRow, line: str, *, is_pos: bool) -> dict[str, Any]:
        cells = row.cells

        def fault(column: str, expected: str) -> None:
            self._fault(row, column, expected)

        found: dict[str, Any] = {
            "line": line,
            "sku": cells["sku"],
            "serialized": _truth(cells.get("serialized", ""), fault),
            "quantity": _quantity(cells["quantity"], fault),
        }
        flow = cells.get("flow", "").lower() or (None if is_pos else "used")
        if flow is not None and flow not in _FLOWS:
            fault("flow", _EXPECTED["flow"])
        bounds = _bounds(cells.get("serial_length", ""), fault)
        optional: dict[str, Any] = {
            "name": cells.get("name"),
            "flow": flow,
            "gtins": _list(cells.get("gtin", "")),
            "tacs": _list(cells.get("tacs", "")),
            "units": [[one.strip() for one in unit.split("+")] for unit in _list(cells.get("units", ""))],
            "serial_length": bounds,
        }
        return {**found, **{name: value for name, value in optional.items() if value}}

    # -- what a kiosk would refuse ---------------------------------------------------------------------------------

    def _refuse(
        self, rows: list[CsvRow], document: dict[str, Any], lines: dict[int, dict[str, Any]], whole: ManifestRefused
    ) -> None:
        """Name every faulty row of an order.

        One wrong field hides faults of other kinds, such as duplicates. So each line is checked by itself, then those
        that are right together.
        """
        right = {}
        for place, line in lines.items():
            try:
                checked_manifest(whole.order, {"order": whole.order, "type": document["type"], "lines": [line]})
                right[place] = line
            except ManifestRefused as exc:
                self._name([rows[place]], [field for field in exc.fields if field.path.startswith("lines.")])
        if len(right) == len(lines):
            self._name([rows[place] for place in lines], whole.fields, rows[0])
            return
        try:
            checked_manifest(whole.order, {**document, "lines": list(right.values())})
        except ManifestRefused as exc:
            self._name([rows[place] for place in right], exc.fields, rows[0])

    def _name(self, rows: Sequence[CsvRow], fields: Iterable[FieldError], first: CsvRow | None = None) -> None:
        """Name the cells behind the fields of a manifest, whose lines are these rows."""
        for field in fields:
            levels = field.path.split(".")
            row, name = first or rows[0], levels[0]
            if levels[0] == "lines" and len(levels) > 1 and levels[1].isdigit():
                row, name = rows[int(levels[1])], levels[2] if len(levels) > 2 else ""
            elif levels[0] == "operators" and len(levels) > 1:
                name = levels[1]
            column = _COLUMN_OF_FIELD.get(name, name)
            expected = field.message
            if same := _SAME.fullmatch(field.message):
                expected = f"each once; row {rows[int(same[1])].number} has it too"
            elif field.message.startswith(("String should", "Input should", "List should")):
                expected = _EXPECTED.get(column, field.message)
            if column in COLUMNS:
                self._fault(row, column, expected)
            else:
                self._errors.append(RowError(row.number, "", expected, f"order {shown(row.cells['order'])}"))


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _truth(text: str, fault: Fault) -> bool:
    folded = text.casefold()
    if folded and folded not in _YES | _NO:
        fault("serialized", "true or false")
    return folded not in _NO


def _quantity(text: str, fault: Fault) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MAX_QUANTITY:
        fault("quantity", _EXPECTED["quantity"])
        return 1
    return int(text)


def _bounds(text: str, fault: Fault) -> list[int] | None:
    if not text:
        return None
    match = _RANGE.fullmatch(text)
    if match is None:
        fault("serial_length", "a length, or two as in 8-12")
        return None
    return [int(match[1]), int(match[2] or match[1])]
