"""`kiosk-centre export …`: orders, devices, boxes and events as a file."""

from datetime import UTC, datetime
from typing import BinaryIO

from centre.centre_errors import Refused
from centre.legible import quoted
from centre.moments import moment
from centre.orders.exports import Exported, ExportFormat, export
from centre.store.database import Database

__all__ = ["export_file", "since_of"]


def since_of(text: str) -> str:
    """Return the moment that ISO 8601 text names: a day or a time; without an offset it is UTC. Raises Refused."""
    try:
        time = datetime.fromisoformat(text)
        return moment(time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))
    except (ValueError, OverflowError) as exc:
        expected = "a day or a time, such as 2026-11-28 or 2026-11-28T14:00:00+01:00"
        raise Refused(f"--since {quoted(text)}: expected {expected}") from exc


def export_file(
    database: Database, what: Exported, format: ExportFormat, out: BinaryIO, *, since: str | None, raw: bool
) -> int:
    """Write a file in pieces. Raises Refused for a wrong `since`, before anything is written."""
    from_moment = None if since is None else since_of(since)
    for piece in export(database, what, format, since=from_moment, raw=raw):
        out.write(piece)
    out.flush()
    return 0
