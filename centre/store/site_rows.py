"""The sites at which orders and reference data are published."""

from sqlalchemy import Connection, select

from centre.store.schema import site
from centre.store.statements import replace_rows

__all__ = ["add_sites", "all_sites"]


def all_sites(connection: Connection) -> list[str]:
    """Return the names of all sites, sorted."""
    return list(connection.execute(select(site.c.name).order_by(site.c.name)).scalars())


def add_sites(connection: Connection, names: list[str], now: str) -> list[str]:
    """Add sites, and return those that were not known."""
    new = sorted(set(names).difference(all_sites(connection)))
    replace_rows(connection, site, [{"name": name, "added_at": now} for name in new], keep=["added_at"])
    return new
