"""`/imports`: files of orders."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from centre.changes import Change
from centre.moments import moment
from centre.orders.file_errors import FileRefused
from centre.orders.order_imports import import_orders, orders_in_file
from centre.web.access import OrderWriter, ServicesOf
from centre.web.body_limits import MAX_IMPORT_BYTES
from centre.web.json_responses import json_response
from centre.web.problem_details import Problem
from centre.web.request_bodies import FileBody

__all__ = ["Turn", "router"]

IMPORTS_AT_ONCE = 2
"""A file and what is read from it may take hundreds of megabytes."""

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])


class FileKind(StrEnum):
    """The form of the file."""

    CSV = "csv"
    JSON = "json"


class ImportModel(BaseModel):
    """What the import has done, or would do. Each list has the ids of orders in the order of the file."""

    dry_run: bool
    created: list[str]
    updated: list[str]
    unchanged: list[str]


async def _take_turn(request: Request) -> AsyncIterator[None]:
    state = request.app.state
    running = getattr(state, "imports_running", 0)
    if running >= IMPORTS_AT_ONCE:
        raise Problem(429, "Other files are being imported. Try again.", headers={"Retry-After": "5"})
    state.imports_running = running + 1
    try:
        yield
    finally:
        state.imports_running -= 1


Turn = Annotated[None, Depends(_take_turn)]
"""What a request waits for that imports a file."""


@router.post(
    "/orders",
    summary="Import orders from a file",
    response_model=ImportModel,
    responses={
        422: {
            "description": "The file has faults, or a parameter is wrong. Nothing has changed.",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ImportProblem"}}},
        }
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": f"The file itself; at most {MAX_IMPORT_BYTES:,} bytes and 100,000 rows.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "order,sku,name,quantity,units\nSO-1001,P13-128-BLK,Phone 13,1,490154203237518\n",
                },
                "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Manifest"}}},
            },
        }
    },
)
def post_orders(
    services: ServicesOf,
    caller: OrderWriter,
    _turn: Turn,
    file: FileBody,
    format: Annotated[FileKind, Query(description="The form of the file.")],
    dry_run: Annotated[bool, Query(description="true: only say what would change.")] = False,
) -> Response:
    """Takes a file as a whole, or not at all.

    CSV has a row for each line of an order; only `order`, `sku` and `quantity` must be there. JSON is a list of
    manifests, each with its `order`, and maybe a `site`.
    """
    now = moment(services.now())
    try:
        result = import_orders(
            services.database,
            orders_in_file(services.database, file, format.value, now=now),
            dry_run=dry_run,
            actor=caller.actor,
            now=now,
            tell=lambda: services.changes.tell(Change.RETAINED, Change.ORDERS),
        )
    except FileRefused as exc:
        errors = [
            {"row": error.row, "column": error.column, "expected": error.expected, "found": error.found}
            for error in exc.errors
        ]
        raise Problem(422, f"The file has {len(errors)} faults. Nothing was taken of it.", errors=errors) from exc
    return json_response(result)
