"""Putting the orders of a file in force: all of them or none, without holding the database for long.

A file of 10,000 orders takes seconds to write, and on SQLite nobody else can write meanwhile. So the file is first
checked against the orders that there are; then it is stored as a whole in one short transaction, which decides that all
of its orders come; then they are written in many short ones. A centre that is killed in between goes on at its start,
see `finish_imports`.
"""

import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from centre.orders.csv_orders import parse_csv_orders
from centre.orders.file_errors import FileRefused, RowError
from centre.orders.json_orders import parse_json_orders
from centre.orders.manifest_check import ManifestRefused
from centre.orders.manifest_decision import KEEP_SITE, GivenManifest, Outcome, RevisionConflict, decide
from centre.orders.manifest_intake import put_all
from centre.orders.parsed_orders import ParsedOrder
from centre.store.audit_rows import add_audit
from centre.store.database import Database
from centre.store.import_rows import (
    AcceptedImport,
    add_import,
    applied_of_import,
    end_import,
    load_imports,
    note_applied,
)
from centre.store.order_event_rows import seen_revisions
from centre.store.order_rows import load_orders, lock_orders
from centre.store.site_rows import all_sites

__all__ = ["FileFormat", "ImportResult", "finish_imports", "import_orders", "orders_in_file"]

FileFormat: TypeAlias = Literal["csv", "json"]

CHUNK = 25
"""Orders in one transaction: some 10 ms on SQLite, so that the ingest waits no longer than that."""


class ImportResult(Struct, frozen=True, kw_only=True):
    """What an import did, or with `dry_run` would do. The orders are in the order of the file."""

    dry_run: bool
    created: list[str]
    updated: list[str]
    unchanged: list[str]


def orders_in_file(
    database: Database, data: bytes, format: FileFormat, renamed: dict[str, str] | None = None, *, now: str
) -> list[ParsedOrder]:
    """Return the orders of a file. `renamed`: see `parse_csv_orders`.

    Raises FileRefused with every faulty row, also of those that are only wrong for what the centre has.
    """
    with database.reading() as connection:
        sites = all_sites(connection)
    try:
        return parse_csv_orders(data, renamed, sites) if format == "csv" else parse_json_orders(data, sites)
    except FileRefused as exc:
        with database.reading() as connection:
            _, more = _outcomes(connection, exc.parsed, now)
        raise FileRefused([*exc.errors, *more]) from exc


def import_orders(
    database: Database,
    parsed: Sequence[ParsedOrder],
    *,
    dry_run: bool,
    actor: str,
    now: str,
    tell: Callable[[], None] = lambda: None,
) -> ImportResult:
    """Put the orders of a file in force. Raises FileRefused; then nothing has changed.

    `tell` is called after each commit. Called in a thread; a large file takes several seconds.
    """
    with database.reading() as connection:
        outcomes, errors = _outcomes(connection, parsed, now)
    if errors:
        raise FileRefused(errors)
    named: dict[Outcome, list[str]] = {"created": [], "changed": [], "unchanged": []}
    for one, outcome in zip(parsed, outcomes, strict=True):
        named[outcome].append(one.given.manifest.order)
    result = ImportResult(
        dry_run=dry_run, created=named["created"], updated=named["changed"], unchanged=named["unchanged"]
    )
    news = [one.given for one, outcome in zip(parsed, outcomes, strict=True) if outcome != "unchanged"]
    if dry_run or not news:
        return result
    manifests = msgspec.json.encode(news)
    with database.writing() as connection:
        id = add_import(connection, actor=actor, manifests=manifests, now=now)
    _write(database, id, actor, news, now, tell)
    return result


def finish_imports(database: Database, now: str, tell: Callable[[], None] = lambda: None) -> int:
    """Write the rest of imports that were accepted before the centre was stopped; return how many there were."""
    with database.reading() as connection:
        left = load_imports(connection)
    for one in left:
        _write(database, one.id, one.actor, _manifests(one), now, tell)
    return len(left)


def _manifests(accepted: AcceptedImport) -> list[GivenManifest]:
    return msgspec.json.decode(accepted.manifests, type=list[GivenManifest])


def _outcomes(connection: Connection, parsed: Sequence[ParsedOrder], now: str) -> tuple[list[Outcome], list[RowError]]:
    """Return what would become of each order, and what is wrong with those that cannot come in force."""
    sites = all_sites(connection)
    names = [one.given.manifest.order for one in parsed]
    known = load_orders(connection, names)
    seen = seen_revisions(connection, [name for name, row in known.items() if row.revision is None])
    outcomes: list[Outcome] = []
    errors: list[RowError] = []
    for one in parsed:
        manifest, site = one.given.manifest, one.given.site
        if site not in (None, KEEP_SITE) and site not in sites:
            errors.append(RowError(one.row, "site", f"one of {', '.join(sites)}", str(site)))
            continue
        row = known.get(manifest.order)
        try:
            done, _ = decide(row, one.given, seen=seen.get(manifest.order, 0), changed=0, now=now)
        except RevisionConflict as exc:
            errors.append(RowError(one.row, "revision", f"a revision above {exc.present}", str(exc.given)))
        except ManifestRefused as exc:
            errors += [RowError(one.row, field.path, field.message, manifest.order) for field in exc.fields]
        else:
            outcomes.append(done.outcome)
    return outcomes, errors


def _write(
    database: Database, id: int, actor: str, manifests: Sequence[GivenManifest], now: str, tell: Callable[[], None]
) -> None:
    while True:
        began = time.monotonic()
        with database.writing() as connection:
            has_ended = _write_some(connection, id, actor, manifests, now)
        tell()
        if has_ended:
            return
        # As long as others have waited for us, we wait for them.
        time.sleep(time.monotonic() - began)


def _write_some(connection: Connection, id: int, actor: str, manifests: Sequence[GivenManifest], now: str) -> bool:
    """Write the next orders; return whether the import has ended. Two processes may work on one import."""
    lock_orders(connection, 0)
    applied = applied_of_import(connection, id)
    if applied is None:
        return True
    put_all(connection, manifests[applied : applied + CHUNK], now=now, keep_higher=True)
    applied = min(applied + CHUNK, len(manifests))
    if applied < len(manifests):
        note_applied(connection, id, applied)
        return False
    end_import(connection, id)
    add_audit(connection, now, actor, "orders.import", f"{len(manifests)} orders", {"orders": len(manifests)})
    return True
