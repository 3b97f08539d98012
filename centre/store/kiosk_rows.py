"""The tables `kiosk` and `station`: what the kiosks say of themselves."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, Row, select

from centre.store.schema import hole, journal, kiosk, station
from centre.store.statements import upsert

__all__ = [
    "KioskJournal",
    "KioskName",
    "KioskRow",
    "StationRow",
    "all_kiosks",
    "bring_back",
    "by_ids",
    "delete_station",
    "ensure",
    "journals_of",
    "kiosk_of",
    "put_health",
    "put_station",
    "put_status",
    "stations_of",
]


class KioskName(NamedTuple):
    """A kiosk is known by its site and its name there."""

    site: str
    name: str


class KioskRow(NamedTuple):
    """One kiosk, with its newest messages as JSON text."""

    id: int
    site: str
    name: str
    status: str | None
    status_connection: int | None
    status_received_at: str | None
    health: str | None
    health_connection: int | None
    health_received_at: str | None
    """By the centre's clock; None if only a retained copy has come."""
    written_off_at: str | None
    retired_at: str | None


class StationRow(NamedTuple):
    """The newest view of a station, as JSON text."""

    kiosk_id: int
    name: str
    view: str
    connection: int
    received_at: str


class KioskJournal(NamedTuple):
    """One run of a kiosk, for display."""

    id: int
    journal: str
    branch: int
    base: int
    through: int
    highest: int
    first_event_at: str
    last_event_at: str
    holes: tuple[tuple[int, int], ...]
    """(first, last) of what the kiosk no longer has."""


def ensure(connection: Connection, names: Collection[KioskName]) -> dict[KioskName, int]:
    """Return the ids of kiosks; those that are new get a row."""
    found = _ids(connection, names)
    if missing := [name for name in names if name not in found]:
        statement = upsert(connection, kiosk).on_conflict_do_nothing()
        connection.execute(statement, [{"site": name.site, "name": name.name} for name in missing])
        found = _ids(connection, names)
    return found


def _ids(connection: Connection, names: Collection[KioskName]) -> dict[KioskName, int]:
    if not names:
        return {}
    rows = connection.execute(
        select(kiosk.c.id, kiosk.c.site, kiosk.c.name).where(
            kiosk.c.site.in_({name.site for name in names}), kiosk.c.name.in_({name.name for name in names})
        )
    )
    wanted = set(names)
    return {name: row.id for row in rows if (name := KioskName(row.site, row.name)) in wanted}


# -- reading ---------------------------------------------------------------------------------------------------------


def all_kiosks(connection: Connection, *, site: str | None = None, retired: bool = False) -> list[KioskRow]:
    """Return all kiosks by site and name; with `retired`, also those that were retired."""
    statement = select(kiosk).order_by(kiosk.c.site, kiosk.c.name)
    if site is not None:
        statement = statement.where(kiosk.c.site == site)
    if not retired:
        statement = statement.where(kiosk.c.retired_at.is_(None))
    return [_kiosk(row) for row in connection.execute(statement)]


def kiosk_of(connection: Connection, site: str, name: str) -> KioskRow | None:
    """Return one kiosk; None if nothing was ever heard of it."""
    row = connection.execute(select(kiosk).where(kiosk.c.site == site, kiosk.c.name == name)).first()
    return None if row is None else _kiosk(row)


def by_ids(connection: Connection, ids: Collection[int]) -> dict[int, KioskRow]:
    """Return kiosks by their ids."""
    if not ids:  # after most batches the acknowledgements need none
        return {}
    rows = connection.execute(select(kiosk).where(kiosk.c.id.in_(ids)))
    return {row.id: _kiosk(row) for row in rows}


def _kiosk(row: Row[tuple[object, ...]]) -> KioskRow:
    return KioskRow(**{name: getattr(row, name) for name in KioskRow._fields})


def stations_of(connection: Connection, kiosk_ids: Collection[int] | None = None) -> list[StationRow]:
    """Return the views of all stations (of these kiosks), by kiosk and name."""
    statement = select(
        station.c.kiosk_id, station.c.name, station.c.view, station.c.connection, station.c.received_at
    ).order_by(station.c.kiosk_id, station.c.name)
    if kiosk_ids is not None:
        statement = statement.where(station.c.kiosk_id.in_(kiosk_ids))
    return [StationRow(*row) for row in connection.execute(statement)]


def journals_of(connection: Connection, kiosk_id: int) -> list[KioskJournal]:
    """Return the runs of a kiosk, the newest first."""
    holes: dict[int, list[tuple[int, int]]] = {}
    for row in connection.execute(
        select(hole.c.journal_id, hole.c.first, hole.c.last)
        .join(journal)
        .where(journal.c.kiosk_id == kiosk_id)
        .order_by(hole.c.first)
    ):
        holes.setdefault(row.journal_id, []).append((row.first, row.last))
    rows = connection.execute(
        select(
            journal.c.id,
            journal.c.journal,
            journal.c.branch,
            journal.c.base,
            journal.c.through,
            journal.c.highest,
            journal.c.first_event_at,
            journal.c.last_event_at,
        )
        .where(journal.c.kiosk_id == kiosk_id)
        .order_by(journal.c.last_event_at.desc(), journal.c.id.desc())
    )
    return [KioskJournal(*row, holes=tuple(holes.get(row.id, ()))) for row in rows]


def bring_back(connection: Connection, ids: Collection[int]) -> None:
    """Put kiosks that were retired back on the lists: they work."""
    connection.execute(
        kiosk.update().where(kiosk.c.id.in_(ids), kiosk.c.retired_at.is_not(None)).values(retired_at=None)
    )


# -- writing ---------------------------------------------------------------------------------------------------------


def put_status(connection: Connection, kiosk_id: int, text: str | None, number: int | None, at: str) -> None:
    """Store the newest `status`; None for one that was cleared."""
    connection.execute(
        kiosk.update()
        .where(kiosk.c.id == kiosk_id)
        .values(status=text, status_connection=number, status_received_at=at if text is not None else None)
    )


def put_health(connection: Connection, kiosk_id: int, text: str | None, number: int | None, at: str | None) -> None:
    """Store the newest `health`; None for one that was cleared. `at` is when it came, None for a retained copy."""
    connection.execute(
        kiosk.update()
        .where(kiosk.c.id == kiosk_id)
        .values(health=text, health_connection=number, health_received_at=at)
    )


def put_station(connection: Connection, row: StationRow) -> None:
    """Store the newest view of a station."""
    statement = upsert(connection, station).values(row._asdict())
    columns = {name: statement.excluded[name] for name in ("view", "connection", "received_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["kiosk_id", "name"], set_=columns))


def delete_station(connection: Connection, kiosk_id: int, name: str) -> None:
    """Forget a station whose view was cleared."""
    connection.execute(station.delete().where(station.c.kiosk_id == kiosk_id, station.c.name == name))
