"""What belongs to an order beside its row, boxes and pieces: operators, conflicts, events that are not counted yet."""

from collections.abc import Collection

from msgspec import Struct
from sqlalchemy import Connection, select

from centre.store.event_rows import IS_UNFINISHED
from centre.store.schema import conflict, event, order_operator
from centre.store.statements import chunks

__all__ = ["ConflictBrief", "conflicts_of_orders", "operators_of_orders", "unfinished_orders"]


class ConflictBrief(Struct, frozen=True, kw_only=True):
    """A conflict as its order shows it."""

    id: int
    kind: str
    unit: str | None
    state: str


def operators_of_orders(connection: Connection, names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return operators by role, by order."""
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for piece in chunks(list(names)):
        statement = select(order_operator).where(order_operator.c.order_name.in_(piece))
        for row in connection.execute(statement):
            found[row.order_name][row.role] = row.operator
    return found


def conflicts_of_orders(connection: Connection, names: Collection[str]) -> dict[str, list[ConflictBrief]]:
    """Return the conflicts that are not closed, by order, oldest first."""
    found: dict[str, list[ConflictBrief]] = {name: [] for name in names}
    for piece in chunks(list(names)):
        statement = (
            select(conflict.c.order_name, conflict.c.id, conflict.c.kind, conflict.c.unit, conflict.c.state)
            .where(conflict.c.order_name.in_(piece), conflict.c.state != "closed")
            .order_by(conflict.c.id)
        )
        for name, *rest in connection.execute(statement):
            found[name].append(ConflictBrief(**dict(zip(("id", "kind", "unit", "state"), rest, strict=True))))
    return found


def unfinished_orders(connection: Connection, names: Collection[str]) -> set[str]:
    """Return those orders of which an event is stored that does not count yet."""
    found: set[str] = set()
    for piece in chunks(list(names)):
        statement = select(event.c.order_name).where(event.c.order_name.in_(piece), IS_UNFINISHED).distinct()
        found.update(connection.execute(statement).scalars())
    return found
