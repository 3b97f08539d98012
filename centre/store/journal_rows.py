"""The tables `journal` and `hole`: the gapless runs of events."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select

from centre.store.kiosk_rows import KioskName
from centre.store.schema import event, hole, journal, kiosk
from centre.store.statements import chunks, upsert

__all__ = [
    "AckRow",
    "HoleRow",
    "JournalRow",
    "OpenGap",
    "ack_rows",
    "current_journals",
    "delete_holes",
    "gaps",
    "holes",
    "insert",
    "insert_holes",
    "newest_journals",
    "next_stored",
    "of_kiosks",
    "overlapping",
    "through_of",
    "unfinished",
    "update",
    "with_several_journals",
]

_COLUMNS = (
    journal.c.id,
    journal.c.kiosk_id,
    journal.c.journal,
    journal.c.branch,
    journal.c.base,
    journal.c.through,
    journal.c.through_id,
    journal.c.highest,
    journal.c.first_event_at,
    journal.c.last_event_at,
    journal.c.written_from,
    journal.c.written_to,
)


class JournalRow(Struct):
    """One run. The ingest changes it in memory and writes it back; `id` is 0 until it is inserted."""

    id: int
    kiosk_id: int
    journal: str
    branch: int
    base: int
    through: int
    through_id: str | None
    highest: int
    first_event_at: str
    last_event_at: str
    written_from: str | None = None
    written_to: str | None = None


class HoleRow(NamedTuple):
    """Sequences that the kiosk no longer has, both ends included."""

    journal_id: int
    first: int
    last: int
    found_at: str


class AckRow(NamedTuple):
    """What may be acknowledged of a journal."""

    kiosk_id: int
    site: str
    kiosk: str
    journal: str
    through: int
    through_id: str | None


class OpenGap(NamedTuple):
    """A run that ends before a gap: events beyond it are stored and wait."""

    journal_id: int
    site: str
    kiosk: str
    journal: str
    branch: int
    first: int
    """The first missing sequence."""


def of_kiosks(connection: Connection, kiosk_ids: Collection[int], journals: Collection[str]) -> list[JournalRow]:
    """Return all branches of these journals, of these kiosks."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(journal.c.kiosk_id.in_(kiosk_ids), journal.c.journal.in_(journals))
        .order_by(journal.c.kiosk_id, journal.c.journal, journal.c.branch)
    )
    return [JournalRow(*row) for row in rows]


def overlapping(connection: Connection, row: JournalRow, *, earliest: str, latest: str) -> str | None:
    """Return another journal of the kiosk that was written in this time; None if there is none."""
    return connection.execute(
        select(journal.c.journal)
        .where(
            journal.c.kiosk_id == row.kiosk_id,
            journal.c.journal != row.journal,
            journal.c.branch == 0,
            journal.c.written_from < latest,
            journal.c.written_to > earliest,
        )
        .order_by(journal.c.id)
        .limit(1)
    ).scalar()


def newest_event_ids(connection: Connection, kiosk_id: int, journals: Collection[str]) -> list[str]:
    """Return the id of the highest stored event of each of a kiosk's journals."""
    statement = (
        select(event.c.event_id)
        .join(journal, (journal.c.id == event.c.journal_id) & (journal.c.highest == event.c.sequence))
        .where(journal.c.kiosk_id == kiosk_id, journal.c.journal.in_(journals), journal.c.branch == 0)
        .order_by(journal.c.journal)
    )
    return list(connection.execute(statement).scalars())


def with_several_journals(connection: Connection, kiosk_ids: Collection[int]) -> set[int]:
    """Return which of these kiosks have had more than one journal."""
    statement = (
        select(journal.c.kiosk_id)
        .where(journal.c.kiosk_id.in_(kiosk_ids), journal.c.branch == 0)
        .group_by(journal.c.kiosk_id)
        .having(func.count() > 1)
    )
    return set(connection.execute(statement).scalars())


def insert(connection: Connection, row: JournalRow) -> None:
    """Insert a new run, and set its `id`."""
    values = {name: getattr(row, name) for name in JournalRow.__struct_fields__ if name != "id"}
    row.id = connection.execute(journal.insert().values(values).returning(journal.c.id)).scalar_one()


_UPDATE = (
    journal.update()
    .where(journal.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in ("base", "through", "through_id", "highest", "last_event_at")})
    .values({name: bindparam(name) for name in ("written_from", "written_to")})
)


def update(connection: Connection, rows: Collection[JournalRow]) -> None:
    """Write back what the ingest has changed."""
    if rows:
        connection.execute(
            _UPDATE,
            [
                {
                    "row_id": row.id,
                    "base": row.base,
                    "through": row.through,
                    "through_id": row.through_id,
                    "highest": row.highest,
                    "last_event_at": row.last_event_at,
                    "written_from": row.written_from,
                    "written_to": row.written_to,
                }
                for row in rows
            ],
        )


# -- acknowledgements ------------------------------------------------------------------------------------------------


def ack_rows(connection: Connection, journals: Collection[tuple[int, str]]) -> list[AckRow]:
    """Return what may be acknowledged of (kiosk id, journal) pairs: never of a branch but the first."""
    wanted = set(journals)
    rows = connection.execute(
        _ACKS.where(
            journal.c.kiosk_id.in_({kiosk_id for kiosk_id, _ in wanted}),
            journal.c.journal.in_({name for _, name in wanted}),
        )
    )
    return [row for row in (AckRow(*found) for found in rows) if (row.kiosk_id, row.journal) in wanted]


def current_journals(connection: Connection, sites: Collection[str] | None = None) -> list[AckRow]:
    """Return what may be acknowledged of the newest journal of every kiosk (of these sites) that is not retired."""
    newest = (
        select(
            journal.c.id,
            func.row_number()
            .over(partition_by=journal.c.kiosk_id, order_by=(journal.c.last_event_at.desc(), journal.c.id.desc()))
            .label("place"),
        )
        .where(journal.c.branch == 0, journal.c.through > 0)
        .subquery()
    )
    statement = _ACKS.join(newest, newest.c.id == journal.c.id).where(newest.c.place == 1, kiosk.c.retired_at.is_(None))
    if sites is not None:
        statement = statement.where(kiosk.c.site.in_(sites))
    return [AckRow(*row) for row in connection.execute(statement)]


_ACKS = (
    select(kiosk.c.id, kiosk.c.site, kiosk.c.name, journal.c.journal, journal.c.through, journal.c.through_id)
    .select_from(journal.join(kiosk))
    .where(journal.c.branch == 0, journal.c.through > 0)
)


# -- gaps and holes --------------------------------------------------------------------------------------------------


def gaps(connection: Connection, sites: Collection[str], limit: int) -> list[OpenGap]:
    """Return runs of these sites behind which events wait, one gap for each.

    Where there are more than `limit`, every kiosk gets its turn before any gets a second one, and those that have sent
    something last come first: one that makes up journals by the thousand keeps no other from being asked.
    """
    open_gaps = (
        select(
            journal.c.id,
            kiosk.c.site,
            kiosk.c.name,
            journal.c.journal,
            journal.c.branch,
            (journal.c.through + 1).label("first"),
            journal.c.last_event_at,
            func.row_number().over(partition_by=journal.c.kiosk_id, order_by=journal.c.id).label("turn"),
        )
        .select_from(journal.join(kiosk))
        .where(journal.c.highest > journal.c.through, kiosk.c.retired_at.is_(None), kiosk.c.site.in_(sites))
        .subquery()
    )
    found = open_gaps.c
    rows = connection.execute(
        select(found.id, found.site, found.name, found.journal, found.branch, found.first)
        .order_by(found.turn, found.last_event_at.desc(), found.id)
        .limit(limit)
    )
    return [OpenGap(*row) for row in rows]


def through_of(connection: Connection, journals: Collection[tuple[KioskName, str]]) -> dict[tuple[KioskName, str], int]:
    """Return up to where these journals are stored; nothing for those of which nothing is."""
    found: dict[tuple[KioskName, str], int] = {}
    for some in chunks(sorted({name for _, name in journals})):
        rows = connection.execute(
            select(kiosk.c.site, kiosk.c.name, journal.c.journal, journal.c.through)
            .select_from(journal.join(kiosk))
            .where(journal.c.journal.in_(some), journal.c.branch == 0)
        )
        found.update({(KioskName(site, name), text): through for site, name, text, through in rows})
    return {key: found[key] for key in journals if key in found}


def newest_journals(connection: Connection, names: Collection[KioskName]) -> dict[KioskName, list[str]]:
    """Return the journals of these kiosks, the one that was written last first."""
    found: dict[KioskName, list[str]] = {}
    wanted = set(names)
    for some in chunks(sorted({name for _, name in wanted})):
        rows = connection.execute(
            select(kiosk.c.site, kiosk.c.name, journal.c.journal)
            .select_from(journal.join(kiosk))
            .where(kiosk.c.name.in_(some), journal.c.branch == 0)
            .order_by(journal.c.last_event_at.desc(), journal.c.id.desc())
        )
        for site, name, text in rows:
            if (key := KioskName(site, name)) in wanted:
                found.setdefault(key, []).append(text)
    return found


def next_stored(connection: Connection, journal_id: int, after: int) -> int | None:
    """Return the first stored sequence after one; None if there is none."""
    return connection.execute(
        select(func.min(event.c.sequence)).where(event.c.journal_id == journal_id, event.c.sequence > after)
    ).scalar()


def unfinished(connection: Connection) -> list[JournalRow]:
    """Return the runs behind which events wait: a gap is there, or they can go on now."""
    rows = connection.execute(select(*_COLUMNS).where(journal.c.highest > journal.c.through))
    return [JournalRow(*row) for row in rows]


def holes(connection: Connection, journal_ids: Iterable[int]) -> list[HoleRow]:
    """Return the holes of these runs, in order."""
    ids = list(journal_ids)
    if not ids:
        return []
    rows = connection.execute(select(hole).where(hole.c.journal_id.in_(ids)).order_by(hole.c.journal_id, hole.c.first))
    return [HoleRow(*row) for row in rows]


def insert_holes(connection: Connection, rows: Collection[HoleRow]) -> None:
    """Record holes; those that are known already are ignored."""
    if rows:
        connection.execute(upsert(connection, hole).on_conflict_do_nothing(), [row._asdict() for row in rows])


def delete_holes(connection: Connection, rows: Collection[HoleRow]) -> None:
    """Forget holes: events in them have come after all."""
    for row in rows:
        connection.execute(hole.delete().where(hole.c.journal_id == row.journal_id, hole.c.first == row.first))
