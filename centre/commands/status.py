"""`kiosk-centre status`: whether a centre runs, and how much there is of everything."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import msgspec

from centre.centre_errors import CentreBusy
from centre.configuration.centre_settings import CentreSettings
from centre.legible import legible
from centre.process.database_opening import open_for_command, sqlite_file
from centre.process.file_locks import lock_of, locked
from centre.store.lease_rows import database_moment
from centre.store.summary_rows import LeaseRow, Summary, leases, summary

__all__ = ["status"]


def status(settings: CentreSettings, out: TextIO, *, as_json: bool) -> int:
    """Write what the database says; return 0 if a centre runs on it, else 1. Raises DatabaseDown, DatabaseRefused."""
    with open_for_command(settings, may_create=False) as database, database.reading() as connection:
        found = summary(connection)
        now = database_moment(connection)
        held = [lease for lease in leases(connection) if lease.expires_at > now]
    file = sqlite_file(settings)
    is_running = bool(held) if file is None else _is_locked(file)
    if as_json:
        document = {"running": is_running, "leases": held, **msgspec.to_builtins(found)}
        out.write(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2) + "\n")
    else:
        for name, text in _lines(is_running, held, found):
            out.write(f"{name:<14}{legible(text)}\n")
    return 0 if is_running else 1


def _is_locked(file: Path) -> bool:
    try:
        with locked(lock_of(file)):
            return False
    except CentreBusy:
        return True


def _lines(is_running: bool, held: list[LeaseRow], found: Summary) -> list[tuple[str, str]]:
    return [
        ("centre", "running" if is_running else "not running"),
        *((f"site {lease.site}", f"{lease.holder}, epoch {lease.epoch}") for lease in held),
        ("kiosks", f"{found.kiosks:,}"),
        ("orders", _counts(found.orders)),
        ("events", f"{found.events:,}, the newest at {found.newest_event_at}" if found.newest_event_at else "none"),
        ("unfinished", _counts(found.unfinished)),
        ("holes", f"{found.holes:,}"),
        ("dead letters", f"{found.dead_letters:,}"),
        ("conflicts", f"{found.open_conflicts:,} open"),
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(counts.items())) or "none"
