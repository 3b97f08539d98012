"""How much there is of everything, for `kiosk-centre status`."""

from collections.abc import Mapping

from msgspec import Struct
from sqlalchemy import Connection, func, select

from centre.store.event_rows import IS_UNFINISHED
from centre.store.schema import conflict, dead_letter, event, hole, kiosk, lease, orders

__all__ = ["LeaseRow", "Summary", "leases", "summary"]


class Summary(Struct, frozen=True, kw_only=True):
    """Counts of the whole database."""

    kiosks: int
    orders: Mapping[str, int]
    """By status."""
    events: int
    """The position of the newest one, which counts those that were deleted too."""
    newest_event_at: str | None
    unfinished: Mapping[str, int]
    """Events that are not projected, by state."""
    holes: int
    dead_letters: int
    open_conflicts: int


class LeaseRow(Struct, frozen=True, kw_only=True):
    """Which centre works for a site."""

    site: str
    holder: str
    epoch: int
    expires_at: str


def summary(connection: Connection) -> Summary:
    """Return the counts as they are now."""
    newest = connection.execute(
        select(event.c.position, event.c.received_at).order_by(event.c.position.desc()).limit(1)
    ).one_or_none()
    unfinished = select(event.c.state, func.count()).where(IS_UNFINISHED).group_by(event.c.state)
    by_status = select(orders.c.status, func.count()).group_by(orders.c.status)
    open_conflicts = select(func.count()).select_from(conflict).where(conflict.c.state == "open")
    return Summary(
        kiosks=connection.execute(select(func.count()).select_from(kiosk)).scalar_one(),
        orders={row[0]: row[1] for row in connection.execute(by_status)},
        events=0 if newest is None else newest.position,
        newest_event_at=None if newest is None else newest.received_at,
        unfinished={row[0]: row[1] for row in connection.execute(unfinished)},
        holes=connection.execute(select(func.count()).select_from(hole)).scalar_one(),
        dead_letters=connection.execute(select(func.count()).select_from(dead_letter)).scalar_one(),
        open_conflicts=connection.execute(open_conflicts).scalar_one(),
    )


def leases(connection: Connection) -> list[LeaseRow]:
    """Return the leases of all sites, by site."""
    statement = select(lease.c.site, lease.c.holder, lease.c.epoch, lease.c.expires_at).order_by(lease.c.site)
    return [LeaseRow(**row._mapping) for row in connection.execute(statement)]
