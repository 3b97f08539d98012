"""What the page of benches reads: stations with what their kiosks said last, names of operators, and totals."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Column, Connection, bindparam, func, select

from centre.store.schema import event, kiosk, operator, orders, station

__all__ = [
    "BenchRow",
    "bench_rows",
    "kiosks_with_several_stations",
    "operator_names",
    "order_counts",
    "packed_since",
    "scans_since",
]


class BenchRow(NamedTuple):
    """One station. A kiosk that has none, since it never got that far, has one row without a station."""

    site: str
    kiosk: str
    station: str | None
    view: str | None
    view_received_at: str | None
    status: str | None
    health: str | None
    health_received_at: str | None


def bench_rows(connection: Connection, sites: Collection[str]) -> list[BenchRow]:
    """Return the stations of all kiosks of these sites that are in use."""
    statement = (
        select(
            kiosk.c.site, kiosk.c.name, station.c.name, station.c.view, station.c.received_at, kiosk.c.status,
            kiosk.c.health, kiosk.c.health_received_at,
        )
        .outerjoin(station, station.c.kiosk_id == kiosk.c.id)
        .where(kiosk.c.site.in_(sites), kiosk.c.retired_at.is_(None), kiosk.c.written_off_at.is_(None))
        .order_by(kiosk.c.site, kiosk.c.name, station.c.name)
    )  # fmt: skip
    return [BenchRow(*row) for row in connection.execute(statement)]


def kiosks_with_several_stations(connection: Connection) -> frozenset[tuple[str, str]]:
    """Return site and name of each kiosk that has more than one station."""
    statement = (
        select(kiosk.c.site, kiosk.c.name)
        .join(station, station.c.kiosk_id == kiosk.c.id)
        .group_by(kiosk.c.id, kiosk.c.site, kiosk.c.name)
        .having(func.count() > 1)
    )
    return frozenset((row.site, row.name) for row in connection.execute(statement))


def operator_names(connection: Connection) -> dict[tuple[str, str], str]:
    """Return the names of all operators that have one, by site and id."""
    statement = select(operator.c.site, operator.c.operator, operator.c.name).where(operator.c.name.is_not(None))
    return {(row.site, row.operator): row.name for row in connection.execute(statement)}


def order_counts(connection: Connection) -> dict[str, int]:
    """Return how many orders have each status that is not closed."""
    statement = (
        select(orders.c.status, func.count())
        .where(orders.c.status.in_(("open", "in_progress")))
        .group_by(orders.c.status)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


class _Rising:
    """The rows of a table whose numbers rise with their times, so that a time can be looked up by bisection.

    An index on the times would cost every insert. This costs some 20 look-ups by key. The statements are built once:
    building one takes longer than running it.
    """

    def __init__(self, number: Column[int], time: Column[str]) -> None:
        self._ends = select(func.min(number), func.max(number))
        self._next = select(number, time).where(number >= bindparam("least")).order_by(number).limit(1)

    def first_since(self, connection: Connection, since: str) -> int:
        """Return a number from which on no row is older."""
        low, high = connection.execute(self._ends).one()
        if low is None:
            return 0
        while low <= high:
            middle = (low + high) // 2
            number, time = connection.execute(self._next, {"least": middle}).one()
            if time < since:
                low = number + 1
            else:
                high = middle - 1
        return int(low)


_EVENTS = _Rising(event.c.position, event.c.received_at)
_ORDERS = _Rising(orders.c.changed, orders.c.changed_at)

_PACKED = (
    select(func.count())
    .select_from(orders)
    .where(
        orders.c.changed >= bindparam("first"), orders.c.status == "packed", orders.c.packed_at >= bindparam("since")
    )
)
_SCANS = (
    select(func.count())
    .select_from(event)
    .where(
        event.c.type == "kiosk.scan.accepted.v1",
        event.c.position >= bindparam("first"),
        event.c.time >= bindparam("since"),
    )
)


def packed_since(connection: Connection, since: str) -> int:
    """Return how many orders have been packed since then, and still are."""
    first = _ORDERS.first_since(connection, since)
    return connection.execute(_PACKED, {"first": first, "since": since}).scalar_one()


def scans_since(connection: Connection, since: str) -> int:
    """Return how many scans have been counted since then."""
    first = _EVENTS.first_since(connection, since)
    return connection.execute(_SCANS, {"first": first, "since": since}).scalar_one()
