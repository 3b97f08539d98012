"""`kiosk-centre import …`: orders, reference lists, and journals from files."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TextIO

from centre.centre_errors import Refused
from centre.ingest.journal_import import import_journal as take_journal
from centre.legible import legible, quoted
from centre.moments import Now, moment
from centre.orders.csv_orders import COLUMNS
from centre.orders.csv_tables import COLUMN_IN_HEADER
from centre.orders.file_errors import FileRefused
from centre.orders.operator_list import put_operators
from centre.orders.order_imports import FileFormat, import_orders, orders_in_file
from centre.orders.reference_files import parse_blocked_units, parse_box_sizes, parse_operators
from centre.orders.reference_lists import put_all_blocked, put_boxes
from centre.orders.renewal import renew_messages
from centre.store.audit_rows import add_audit
from centre.store.database import Database
from centre.store.site_rows import all_sites

__all__ = ["ListKind", "columns_of", "import_journal", "import_list", "import_order_file"]

ListKind = Literal["operators", "box-sizes", "blocked"]

ACTOR = "command"
STANDARD_INPUT = Path("-")

_SHOWN_ERRORS = 100


def columns_of(pairs: list[str]) -> dict[str, str]:
    """Return the header of each renamed column, from `column=HEADER`. Raises Refused."""
    renamed: dict[str, str] = {}
    for pair in pairs:
        column, equals, header = pair.partition("=")
        if not equals or not header or column not in COLUMNS:
            raise Refused(f"--map {quoted(pair)}: expected COLUMN=HEADER, with a column of {', '.join(COLUMNS)}")
        renamed[column] = header
    return renamed


def import_order_file(
    database: Database,
    file: Path,
    out: TextIO,
    *,
    format: FileFormat | None,
    renamed: Mapping[str, str],
    dry_run: bool,
    now: Now,
) -> int:
    """Put the orders of a file in force, all or none; return 1 if it is refused."""

    def work(data: bytes) -> str:
        at = moment(now())
        parsed = orders_in_file(database, data, format or _format_of(file, data), dict(renamed), now=at)
        done = import_orders(database, parsed, dry_run=dry_run, actor=ACTOR, now=at)
        words = "would be " if dry_run else ""
        counts = ((done.created, "created"), (done.updated, "updated"), (done.unchanged, "unchanged"))
        summary = ", ".join(f"{len(orders):,} {words}{what}" for orders, what in counts)
        named = [f"  {what:<9}  {order}" for orders, what in counts[:2] for order in orders] if dry_run else []
        return "\n".join([summary, *map(legible, named)])

    return _import(file, out, work, is_mappable=True)


def import_list(
    database: Database,
    kind: ListKind,
    file: Path,
    out: TextIO,
    *,
    site: str | None,
    dry_run: bool,
    now: Now,
) -> int:
    """Put a list of a site in force in the place of the present one; return 1 if it is refused."""

    def work(data: bytes) -> str:
        at, format = moment(now()), _format_of(file, data)
        with database.writing() as connection:
            where = site or _only_site(all_sites(connection))
            changes = connection.begin_nested()
            if kind == "blocked":
                units = parse_blocked_units(data, format)
                count = len(units)
                parts = put_all_blocked(connection, where, units, prefix="import", actor=ACTOR, now=at)
                done = list(parts.values())
            else:
                items = parse_operators(data, format) if kind == "operators" else parse_box_sizes(data, format)
                count = len(items)
                put = put_operators if kind == "operators" else put_boxes
                done = [put(connection, where, items, actor=ACTOR, now=at)]
            if dry_run:
                changes.rollback()
        changed = any(put.is_changed for put in done)
        words = "nothing changes" if not changed else "would be changed" if dry_run else "changed"
        return f"{kind} of {where}: {count:,} items, {words}"

    return _import(file, out, work)


def import_journal(database: Database, file: Path, out: TextIO, *, now: Now) -> int:
    """Take in what `kiosk-agent journal export` wrote; return 1 if a line of it is refused."""
    at = moment(now())
    done = take_journal(database, _read(file).splitlines(), now=at, renew=renew_messages)
    with database.writing() as connection:
        counts = {"stored": done.stored, "known": done.known, "refused": done.refused}
        add_audit(connection, at, ACTOR, "journal.import", file.name, counts)
    out.write(f"{done.stored:,} events stored, {done.known:,} were stored before, {done.refused:,} refused\n")
    for line in done.first_refused:
        out.write(f"  line {line.line}: {line.reason}\n")
    return 1 if done.refused else 0


def _import(file: Path, out: TextIO, work: Callable[[bytes], str], *, is_mappable: bool = False) -> int:
    try:
        out.write(f"{work(_read(file))}\n")
    except FileRefused as exc:
        print(f"kiosk-centre: {legible(str(file))} is refused, nothing is changed:", file=sys.stderr)
        for error in exc.errors[:_SHOWN_ERRORS]:
            place = ", ".join(part for part in (f"row {error.row}" if error.row else "", error.column) if part)
            text = f"expected {error.expected}, found {error.found}"
            print(f"  {legible(f'{place}: {text}' if place else text)}", file=sys.stderr)
        if len(exc.errors) > _SHOWN_ERRORS:
            print(f"  and {len(exc.errors) - _SHOWN_ERRORS:,} more", file=sys.stderr)
        if is_mappable and any(error.expected == COLUMN_IN_HEADER for error in exc.errors):
            print("If the file names its columns differently, say so: --map sku=ARTICLE", file=sys.stderr)
        return 1
    return 0


def _read(file: Path) -> bytes:
    """Return the content of a file; `-` is standard input. Raises Refused."""
    try:
        return sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as exc:
        raise Refused(f"cannot read {file}: {exc.strerror}") from exc


def _format_of(file: Path, data: bytes) -> FileFormat:
    """Return the format of a file: by its name, else by its first character."""
    suffix = file.suffix.lower()
    if suffix in (".json", ".ndjson"):
        return "json"
    if suffix == ".csv":
        return "csv"
    return "json" if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{") else "csv"


def _only_site(sites: list[str]) -> str:
    if len(sites) != 1:
        raise Refused(f"name the --site: there are {', '.join(sites) or 'none'}")
    return sites[0]
