"""`/dead-letters`: messages of kiosks that were refused."""

import base64
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from centre.moments import moment
from centre.store import dead_letter_rows
from centre.store.audit_rows import add_audit
from centre.web.access import Administrator, ServicesOf
from centre.web.json_responses import json_response, page_response
from centre.web.paging import DEFAULT_LIMIT, MAX_NUMBER, After, Limit, Page, cursor, number_in
from centre.web.problem_details import Problem
from centre.web.services import Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/dead-letters", tags=["dead letters"])

LetterId = Annotated[int, Path(ge=1, le=MAX_NUMBER, description="The number of the letter.")]


class DeadLetterModel(BaseModel):
    """A message that was refused."""

    id: int
    topic: str
    reason: str
    received_at: str
    payload: str = Field(description="In base64.")


class RetryModel(BaseModel):
    """What became of a letter that was tried again."""

    taken: bool


@router.get("", summary="List dead letters", response_model=Page[DeadLetterModel])
def list_dead_letters(
    services: ServicesOf, _caller: Administrator, after: After = None, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Messages that were refused, oldest first. The newest 100,000 are kept."""
    start = number_in("dead-letters", after) or 0
    with services.database.reading() as connection:
        rows = dead_letter_rows.page(connection, after=start, limit=limit + 1)
    items = [{**row._asdict(), "payload": base64.b64encode(row.payload).decode()} for row in rows[:limit]]
    return page_response(items, cursor("dead-letters", rows[limit - 1].id) if len(rows) > limit else None)


@router.post(
    "/{id}/retry",
    summary="Take a dead letter in again",
    response_model=RetryModel,
    responses={409: {"description": "It is refused as before, and stays."}},
)
async def retry_dead_letter(id: LetterId, services: ServicesOf, caller: Administrator) -> Response:
    """Takes the message in as if it had just come, after what was wrong has been put right. The letter is then gone."""
    await run_in_threadpool(_require, services, id)
    if not await services.ingest.retry_letter(id):
        raise Problem(409, f"Dead letter {id} is refused as before.")
    await run_in_threadpool(_note, services, id, caller.actor)
    return json_response({"taken": True})


def _require(services: Services, id: int) -> None:
    with services.database.reading() as connection:
        if dead_letter_rows.letter(connection, id) is None:
            raise Problem(404, f"There is no dead letter {id}.")


def _note(services: Services, id: int, actor: str) -> None:
    with services.database.writing() as connection:
        add_audit(connection, moment(services.now()), actor, "dead_letter.retry", str(id))
