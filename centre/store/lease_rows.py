"""Leases: which centre works for a site, where several have one PostgreSQL database. Times are the database's clock.

A lease has an epoch, which rises with each take-over. `require_leases` in a transaction that stores something keeps
others from taking over until that transaction ends, so nothing is stored by two centres at once.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql

from centre.centre_errors import LeaseLost
from centre.moments import later
from centre.store.schema import lease

__all__ = ["SILENT_S", "database_moment", "release_lease", "require_leases", "take_lease"]

SILENT_S = 6.0
"""As long as a lease lasts: until then nobody can take over anyway."""


def database_moment(connection: Connection) -> str:
    """Return the present time by the database's clock, as `moments.moment` writes it."""
    if connection.dialect.name == "sqlite":
        now = func.strftime("%Y-%m-%dT%H:%M:%fZ", "now")
    else:
        utc = func.timezone("UTC", func.clock_timestamp())
        now = func.to_char(utc, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    return str(connection.execute(select(now)).scalar_one())


def take_lease(connection: Connection, site: str, holder: str, lasts: timedelta) -> int | None:
    """Take, take over or renew the lease of a site, and return its epoch; None while another holder has it."""
    row = connection.execute(select(lease).where(lease.c.site == site).with_for_update()).one_or_none()
    now = database_moment(connection)
    expires_at = later(now, seconds=lasts.total_seconds())
    if row is None:
        return _take_first(connection, site, holder, expires_at)
    if row.holder != holder and row.expires_at > now:
        return None
    epoch: int = row.epoch if row.holder == holder else row.epoch + 1
    connection.execute(
        update(lease).where(lease.c.site == site).values(holder=holder, epoch=epoch, expires_at=expires_at)
    )
    return epoch


def _take_first(connection: Connection, site: str, holder: str, expires_at: str) -> int | None:
    values = {"site": site, "holder": holder, "epoch": 1, "expires_at": expires_at}
    if connection.dialect.name == "sqlite":
        connection.execute(insert(lease).values(values))
        return 1
    # Another centre may insert the row at the same time.
    statement = postgresql.insert(lease).values(values).on_conflict_do_nothing().returning(lease.c.epoch)
    return connection.execute(statement).scalar_one_or_none()


def release_lease(connection: Connection, site: str, holder: str) -> None:
    """End a lease now, so that another centre need not wait for its end. No-op if another holder has it."""
    now = database_moment(connection)
    connection.execute(update(lease).where(lease.c.site == site, lease.c.holder == holder).values(expires_at=now))


def require_leases(connection: Connection, epochs: Mapping[str, int]) -> None:
    """Raise LeaseLost unless each site's lease still has this epoch. Holds them until the transaction ends.

    The database ends a transaction whose process is silent for `SILENT_S`: it hangs, or its machine has lost its power.
    """
    if not epochs:
        return
    columns: list[ColumnElement[Any]] = [lease.c.site, lease.c.epoch]
    if connection.dialect.name != "sqlite":
        columns.append(func.set_config("idle_in_transaction_session_timeout", f"{SILENT_S * 1000:.0f}", True))
    statement = select(*columns).where(lease.c.site.in_(epochs)).with_for_update(read=True)
    found = {row.site: row.epoch for row in connection.execute(statement)}
    for site, epoch in epochs.items():
        if found.get(site) != epoch:
            raise LeaseLost(f"another centre works for the site {site} now")
