"""`/events`: the feed of stored events."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from centre.store.database import Database
from centre.store.event_feed_rows import EventFilter, feed_documents, feed_page, feed_positions
from centre.web.access import Reader, ServicesOf
from centre.web.paging import DEFAULT_LIMIT, After, Limit, Page, cursor, number_in
from centre.web.problem_details import Problem

__all__ = ["router"]

NDJSON = "application/x-ndjson"
_AT_ONCE = 100
"""How many documents are in memory at once while a page is streamed; each has up to 64 KiB."""

router = APIRouter(prefix="/api/v1", tags=["events"])


@router.get(
    "/events",
    summary="Read the stored events",
    response_model=Page[dict[str, Any]],
    responses={
        200: {
            "description": "A page of events. `Resume-After` is the cursor behind the last one, also on the last page.",
            "content": {NDJSON: {"schema": {"type": "string", "description": "One document a line."}}},
            "headers": {
                "Resume-After": {
                    "description": "The cursor for `after` with which to ask for what is stored later.",
                    "schema": {"type": "string"},
                }
            },
        }
    },
)
def events(
    request: Request,
    services: ServicesOf,
    _caller: Reader,
    after: After = None,
    type: Annotated[
        str | None, Query(description="Events of one type.", examples=["kiosk.scan.accepted.v1", "scan.accepted"])
    ] = None,
    order: Annotated[str | None, Query(description="Events of one order.")] = None,
    site: Annotated[str | None, Query(description="Events of the kiosks of one site.")] = None,
    kiosk: Annotated[str | None, Query(description="Events of one kiosk, by its name.")] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """The exact documents that the kiosks have sent, each once, in the order in which they were stored.

    A document that replaces its stand-in is appended, so a reader who remembers where it stopped misses nothing. With
    `Accept: application/x-ndjson` the answer is one document a line; go on with the header `Resume-After`.
    """
    wanted = EventFilter(
        after=number_in("events", after) or 0,
        type=_full_type(type),
        order=order,
        site=site,
        kiosk=kiosk,
    )
    if _wants_lines(request.headers.get("accept", "*/*")):
        return _lines(services.database, wanted, limit)
    return _page(services.database, wanted, limit)


def _full_type(type: str | None) -> str | None:
    return type if type is None or type.startswith("kiosk.") else f"kiosk.{type}.v1"


def _wants_lines(accept: str) -> bool:
    """Return whether the client wants NDJSON. Raise Problem 406 if it wants neither that nor JSON."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    if NDJSON in kinds:
        return True
    if not any(kind in ("*/*", "application/*", "application/json", "") for kind in kinds):
        raise Problem(406, f"Events are there as application/json and as {NDJSON}.")
    return False


def _page(database: Database, wanted: EventFilter, limit: int) -> Response:
    """Return the page as JSON, with the documents as they are stored: parsing could change them."""
    with database.reading() as connection:
        found = feed_page(connection, wanted, limit + 1)
    has_more = len(found) > limit
    found = found[:limit]
    resume = cursor("events", found[-1].position if found else wanted.after)
    items = b",".join(event.document for event in found)
    end = f'"{resume}"' if has_more else "null"
    return Response(
        b'{"items":[' + items + b'],"next":' + end.encode() + b"}",
        media_type="application/json",
        headers={"Resume-After": resume},
    )


def _lines(database: Database, wanted: EventFilter, limit: int) -> Response:
    with database.reading() as connection:
        positions = feed_positions(connection, wanted, limit)
    resume = cursor("events", positions[-1] if positions else wanted.after)
    return StreamingResponse(_documents(database, positions), media_type=NDJSON, headers={"Resume-After": resume})


def _documents(database: Database, positions: list[int]) -> Iterator[bytes]:
    for start in range(0, len(positions), _AT_ONCE):
        with database.reading() as connection:
            documents = feed_documents(connection, positions[start : start + _AT_ONCE])
        # A line feed in JSON is a blank between values: within text it would be escaped.
        yield b"".join(document.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n" for document in documents)
