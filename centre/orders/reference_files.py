"""Operators, box sizes and blocked units from CSV and JSON files. Pure: they are checked when they are put in force.

CSV has a row for each item, with the names of the JSON's fields as its header. Badges and roles are separated by `;`.
JSON is a list, or an object with `items`.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from centre.orders.csv_tables import CsvRow, read_table
from centre.orders.file_errors import FileRefused, RowError, shown
from centre.orders.json_orders import json_items
from centre.orders.manifest_check import Document
from centre.orders.spreadsheet_damage import code_damage, unit_damage

__all__ = ["ListFormat", "parse_blocked_units", "parse_box_sizes", "parse_operators"]

ListFormat: TypeAlias = Literal["csv", "json"]

_SIDES = ("length_mm", "width_mm", "height_mm")


def parse_operators(data: bytes, format: ListFormat) -> list[Document]:
    """Return the operators of a file. Raises FileRefused.

    In CSV an empty cell of badges keeps those that are known, and an empty cell of roles means all of them.
    """
    if format == "json":
        return _objects(data, "operators")
    return _rows(data, ("operator", "name", "badges", "roles"), ("operator",), _operator)


def parse_box_sizes(data: bytes, format: ListFormat) -> list[Document]:
    """Return the box sizes of a file. Raises FileRefused."""
    if format == "json":
        return _objects(data, "box_sizes")
    return _rows(data, ("code", *_SIDES), ("code", *_SIDES), _box_size)


def parse_blocked_units(data: bytes, format: ListFormat) -> list[str]:
    """Return the identifiers in a file: in CSV those of the column `unit`. Raises FileRefused."""
    if format == "csv":
        return _rows(data, ("unit",), ("unit",), _unit)
    items = json_items(data, "units")
    errors = [
        RowError(row, "", "an identifier", shown(str(item)))
        for row, item in enumerate(items, 1)
        if not isinstance(item, str)
    ]
    if errors:
        raise FileRefused(errors)
    return list(items)


def _objects(data: bytes, name: str) -> list[Document]:
    items = json_items(data, name)
    errors = [
        RowError(row, "", "an object", shown(str(item)))
        for row, item in enumerate(items, 1)
        if not isinstance(item, dict)
    ]
    if errors:
        raise FileRefused(errors)
    return list(items)


def _rows(
    data: bytes, known: tuple[str, ...], required: tuple[str, ...], read: Callable[[CsvRow, list[RowError]], Any]
) -> list[Any]:
    table = read_table(data, known=known, required=required)
    errors = list(table.errors)
    for row in table.rows:
        errors += [
            RowError(row.number, table.headers[column], "text", "nothing")
            for column in required
            if not row.cells[column].strip()
        ]
    items = [read(row, errors) for row in table.rows]
    if errors:
        raise FileRefused(errors)
    return items


def _unit(row: CsvRow, errors: list[RowError]) -> str:
    text = row.cells["unit"]
    if (damage := unit_damage(text)) is not None:
        errors.append(RowError(row.number, "unit", damage, shown(text)))
    return text


def _operator(row: CsvRow, errors: list[RowError]) -> Document:
    item: dict[str, Any] = {"operator": row.cells["operator"].strip()}
    if name := row.cells.get("name", "").strip():
        item["name"] = name
    for column in ("badges", "roles"):
        if values := [part.strip() for part in row.cells.get(column, "").split(";") if part.strip()]:
            item[column] = values
            # A badge's text is shown to nobody.
            errors += [RowError(row.number, column, damage, "another") for damage in map(code_damage, values) if damage]
    return item


def _box_size(row: CsvRow, errors: list[RowError]) -> Document:
    item: dict[str, Any] = {"code": row.cells["code"].strip()}
    for side in _SIDES:
        text = row.cells[side].strip()
        if text and not (text.isascii() and text.isdigit() and len(text) <= 6):
            errors.append(RowError(row.number, side, "a whole number of millimetres", shown(text)))
        else:
            item[side] = int(text or 0)
    return item
