"""Exports of orders, devices, boxes and events, as CSV, JSON or NDJSON.

A file is made while it is read, page by page, so that memory does not grow with it. Each page is one state of the
database; an order stands in the file once, as it was when its page was read.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from centre.orders.export_rows import (
    BOX_COLUMNS,
    EVENT_COLUMNS,
    ORDER_COLUMNS,
    UNIT_COLUMNS,
    box_rows_of,
    event_rows_of,
    order_rows_of,
    unit_rows_of,
)
from centre.orders.formula_protection import protected
from centre.orders.order_reading import read_orders
from centre.store.database import Database
from centre.store.event_export_rows import ExportedEvent, events_page, first_position_since
from centre.store.order_change_rows import last_change_by
from centre.store.order_pages import OrderFilter, order_page

__all__ = ["ExportFormat", "Exported", "export"]

Exported: TypeAlias = Literal["orders", "units", "boxes", "events"]
ExportFormat: TypeAlias = Literal["csv", "json", "ndjson"]

Row: TypeAlias = Mapping[str, Any]

ORDERS_PAGE = 200
EVENTS_PAGE = 1000

_COLUMNS: Mapping[Exported, Sequence[str]] = {
    "orders": ORDER_COLUMNS,
    "units": UNIT_COLUMNS,
    "boxes": BOX_COLUMNS,
    "events": EVENT_COLUMNS,
}


def export(
    database: Database, what: Exported, format: ExportFormat, *, since: str | None = None, raw: bool = False
) -> Iterator[bytes]:
    """Yield a file in pieces.

    `since` is moment text: orders that have changed since, with their devices and boxes, or events received since.
    In CSV an order has a row a line; cells that a spreadsheet would run are protected unless `raw`.
    """
    pages = _event_pages(database, since) if what == "events" else _order_pages(database, since)
    if format == "csv":
        rows_of = _ROWS_OF[what]
        yield from _csv(_COLUMNS[what], (rows_of(page) for page in pages), raw=raw)
        return
    items = (_items(what, page) for page in pages)
    yield from _json(items) if format == "json" else _ndjson(items)


def _order_pages(database: Database, since: str | None) -> Iterator[list[dict[str, Any]]]:
    """Yield pages of order resources, sorted by name."""
    after: str | None = None
    changed_after = -1
    while True:
        with database.reading() as connection:
            if since is not None and changed_after < 0:
                changed_after = last_change_by(connection, since)
            rows = order_page(connection, OrderFilter(after=after), ORDERS_PAGE)
            page = read_orders(connection, [row for row in rows if row.changed > changed_after])
        if page:
            yield page
        if len(rows) < ORDERS_PAGE:
            return
        after = rows[-1].name


def _event_pages(database: Database, since: str | None) -> Iterator[list[ExportedEvent]]:
    with database.reading() as connection:
        after = 0 if since is None else first_position_since(connection, since) - 1
    while True:
        with database.reading() as connection:
            page = events_page(connection, after, EVENTS_PAGE)
        if not page:
            return
        yield page
        after = page[-1].position


_ROWS_OF: Mapping[Exported, Callable[[Any], Iterable[Row]]] = {
    "orders": order_rows_of,
    "units": unit_rows_of,
    "boxes": box_rows_of,
    "events": event_rows_of,
}


def _items(what: Exported, page: Any) -> Iterator[bytes]:
    """Yield the JSON of each item of a page."""
    if what == "events":
        yield from (event.document for event in page)
    elif what == "orders":
        yield from map(msgspec.json.encode, page)
    else:
        yield from map(msgspec.json.encode, _ROWS_OF[what](page))


# -- formats -------------------------------------------------------------------------------------------------------


def _csv(columns: Sequence[str], pages: Iterable[Iterable[Row]], *, raw: bool) -> Iterator[bytes]:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    for page in pages:
        for row in page:
            writer.writerow([_cell(row[column], raw=raw) for column in columns])
        yield file.getvalue().encode()
        file.seek(0)
        file.truncate()
    if rest := file.getvalue():
        yield rest.encode()


def _cell(value: object, *, raw: bool) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        value = ";".join(map(str, value))
    return value if raw or not isinstance(value, str) else protected(value)


def _json(pages: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    before = b"[\n"
    for page in pages:
        text = b",\n".join(page)
        if text:
            yield before + text
            before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _ndjson(pages: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    for page in pages:
        yield b"".join(item + b"\n" for item in page)
