"""`/conflicts`: where kiosks, or a kiosk and the centre, say different things."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from centre.store.conflict_rows import ConflictRow, conflict_page
from centre.web.access import Reader, ServicesOf
from centre.web.paging import DEFAULT_LIMIT, After, Limit, Page, cursor, number_in

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["conflicts"])


class ConflictState(StrEnum):
    """`kept`: a supervisor has seen it, and it stays as it is."""

    OPEN = "open"
    KEPT = "kept"
    CLOSED = "closed"


class ConflictModel(BaseModel):
    """One conflict."""

    id: int
    kind: str = Field(examples=["double_count"])
    state: ConflictState
    order: str | None
    unit: str | None
    site: str | None
    kiosk: str | None
    events: list[str] = Field(description="The ids of the events that led to it.")
    opened_at: str
    closed_at: str | None
    details: dict[str, Any] = Field(description="What is known of it; depends on the kind.")


@router.get("/conflicts", summary="List conflicts", response_model=Page[ConflictModel])
def conflicts(
    services: ServicesOf,
    _caller: Reader,
    state: Annotated[ConflictState | None, Query(description="Those in one state.")] = None,
    order: Annotated[str | None, Query(description="Those of one order.")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ConflictModel]:
    """Conflicts in the order in which they were found."""
    start = number_in("conflicts", after) or 0
    with services.database.reading() as connection:
        rows = conflict_page(connection, state=state, order=order, after=start, limit=limit + 1)
    items = [_model(row) for row in rows[:limit]]
    return Page(items=items, next=cursor("conflicts", items[-1].id) if len(rows) > limit else None)


def _model(row: ConflictRow) -> ConflictModel:
    events = row.details.get("events", [])
    details = {name: value for name, value in row.details.items() if name != "events"}
    return ConflictModel(**{**row._asdict(), "events": events, "details": details})
