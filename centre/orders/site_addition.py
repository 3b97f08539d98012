"""Telling the database which sites there are."""

from sqlalchemy import Connection

from centre.orders.renewal import renew_messages
from centre.store.order_pages import OrderFilter, order_page
from centre.store.order_rows import lock_orders
from centre.store.site_rows import add_sites

__all__ = ["serve_sites"]

PAGE = 1000


def serve_sites(connection: Connection, names: list[str], now: str) -> list[str]:
    """Add the sites of a centre, and return those that are new. Orders for all sites are published there too."""
    new = add_sites(connection, names, now)
    after: str | None = None
    while new:
        lock_orders(connection, 0)
        rows = order_page(connection, OrderFilter(after=after), PAGE)
        renew_messages(connection, [row.name for row in rows if row.site is None], now)
        if len(rows) < PAGE:
            break
        after = rows[-1].name
    return new
