"""Which boxes and orders a text names."""

from sqlalchemy import Connection, or_, select

from centre.store.schema import box, orders

__all__ = ["boxes_called", "orders_called"]


def boxes_called(connection: Connection, text: str, *, limit: int) -> list[str]:
    """Return the ids of the boxes with this id or label, the newest first."""
    statement = (
        select(box.c.box)
        .where(or_(box.c.box == text, box.c.box == text.upper(), box.c.label == text))
        .order_by(box.c.id.desc())
        .limit(limit)
    )
    return list(dict.fromkeys(connection.execute(statement).scalars()))


def orders_called(connection: Connection, text: str, *, limit: int) -> list[tuple[str, str]]:
    """Return name and status of the order with this id, then of others whose ids contain it in any case."""
    exact = select(orders.c.name, orders.c.status).where(orders.c.name == text)
    more = (
        select(orders.c.name, orders.c.status)
        .where(orders.c.name.icontains(text, autoescape=True), orders.c.name != text)
        .order_by(orders.c.changed.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for statement in (exact, more) for row in connection.execute(statement)]
