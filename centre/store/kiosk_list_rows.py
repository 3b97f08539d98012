"""The list of kiosks: a page of it with all their journals, and taking one off it."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, select, tuple_, update

from centre.store.kiosk_rows import KioskJournal, KioskRow
from centre.store.schema import hole, journal, kiosk

__all__ = ["journals_of_kiosks", "kiosk_page", "mark_retired"]


def kiosk_page(
    connection: Connection, *, site: str | None, after: tuple[str, str] | None, limit: int, with_retired: bool
) -> list[KioskRow]:
    """Return kiosks by site and name, those after one (site, name)."""
    columns = [kiosk.c[name] for name in KioskRow._fields]
    statement = select(*columns).order_by(kiosk.c.site, kiosk.c.name).limit(limit)
    if site is not None:
        statement = statement.where(kiosk.c.site == site)
    if after is not None:
        statement = statement.where(tuple_(kiosk.c.site, kiosk.c.name) > after)
    if not with_retired:
        statement = statement.where(kiosk.c.retired_at.is_(None))
    return [KioskRow._make(row) for row in connection.execute(statement)]


def journals_of_kiosks(connection: Connection, ids: Collection[int]) -> dict[int, list[KioskJournal]]:
    """Return the runs of each of these kiosks, newest first."""
    holes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(
        select(hole.c.journal_id, hole.c.first, hole.c.last)
        .join(journal, journal.c.id == hole.c.journal_id)
        .where(journal.c.kiosk_id.in_(ids))
        .order_by(hole.c.first)
    ):
        holes[row.journal_id].append((row.first, row.last))
    found: dict[int, list[KioskJournal]] = {number: [] for number in ids}
    columns = [journal.c[name] for name in KioskJournal._fields if name != "holes"]
    for row in connection.execute(
        select(journal.c.kiosk_id, *columns)
        .where(journal.c.kiosk_id.in_(ids))
        .order_by(journal.c.last_event_at.desc(), journal.c.id.desc())
    ):
        kiosk_id, *values = row
        found[kiosk_id].append(KioskJournal._make((*values, tuple(holes[row.id]))))
    return found


def mark_retired(connection: Connection, kiosk_id: int, now: str) -> None:
    """Take a kiosk off the list."""
    connection.execute(update(kiosk).where(kiosk.c.id == kiosk_id).values(retired_at=now))
