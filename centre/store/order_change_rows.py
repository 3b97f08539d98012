"""When orders have changed."""

from sqlalchemy import Connection, func, select

from centre.store.schema import orders

__all__ = ["last_change_by"]


def last_change_by(connection: Connection, time: str) -> int:
    """Return the number of the last change before the first one that is later than a time (see `orders.changed`).

    So no later change is missed, even if the clock has been put back in between.
    """
    first_later = connection.execute(select(func.min(orders.c.changed)).where(orders.c.changed_at > time)).scalar_one()
    if first_later is not None:
        return int(first_later) - 1
    return int(connection.execute(select(func.coalesce(func.max(orders.c.changed), 0))).scalar_one())
