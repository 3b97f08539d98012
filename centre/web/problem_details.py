"""Errors of the REST interface: problem documents (RFC 9457), one shape for all of them.

`errors` names each wrong field by its path. Raise `Problem` for an error; everything else that can go wrong in a
request is turned into one here.
"""

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from centre.centre_errors import DatabaseDown, LinkDown, Refused
from centre.link.broker_link import PublishRefused
from centre.link.kiosk_requests import KioskSilent

__all__ = [
    "PROBLEM_CONTENT",
    "PROBLEM_TYPE",
    "CatchErrors",
    "FieldProblem",
    "ImportProblem",
    "Problem",
    "ProblemDetails",
    "add_problem_handlers",
    "problem_response",
    "retry_after",
    "shown",
    "wrong_field",
    "wrong_fields",
]

PROBLEM_TYPE = "application/problem+json"
PROBLEM_CONTENT = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
"""The `content` of an error in OpenAPI."""

RETRY_AFTER_S = 5
_MAX_TEXT = 500

_log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One thing that is wrong with a request."""

    path: str = Field(description="Where: the path of the field, joined by dots, or the name of the parameter.")
    message: str = Field(description="What is wrong with it, or what is expected.")


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="What kind of error it is: `urn:kiosk-centre:` and a name that never changes.")
    title: str = Field(description="The kind of error in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong this time, and what to do.")
    errors: list[FieldProblem] = Field(description="Each wrong field; empty if the error is about no field.")


class RowProblem(BaseModel):
    """One fault in the file."""

    row: int = Field(
        description="As a spreadsheet counts: the header is 1. In JSON, the first item is 1. 0: the whole file."
    )
    column: str = Field(description="The header as the file writes it; in JSON, the path of the field.")
    expected: str
    found: str


class ImportProblem(BaseModel):
    """A file is refused as a whole, or a parameter is wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[RowProblem | FieldProblem] = Field(description="Every faulty row, or every wrong parameter.")


_KINDS = {
    400: ("bad-request", "Bad request"),
    401: ("not-signed-in", "Not signed in"),
    403: ("not-allowed", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    406: ("not-acceptable", "Not acceptable"),
    409: ("conflict", "Conflict"),
    412: ("precondition-failed", "Precondition failed"),
    413: ("too-large", "Too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    421: ("wrong-host", "Wrong host"),
    422: ("invalid", "Invalid"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "Internal error"),
    502: ("broker-unreachable", "Broker unreachable"),
    503: ("unavailable", "Unavailable"),
    504: ("no-answer", "No answer"),
}
"""The last part of `type`, and `title`, by status."""


class Problem(HTTPException):
    """An error with a status; raised in a request, it becomes the response. `detail` is a sentence for a person."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[tuple[str, str]] | Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = [
            {"path": error[0], "message": error[1]} if isinstance(error, tuple) else dict(error) for error in errors
        ]


def wrong_fields(errors: Iterable[tuple[str, str]]) -> Problem:
    """Return the error 422 for (path, message) pairs."""
    return Problem(422, "The request has fields that are not valid.", errors=errors)


def wrong_field(path: str, message: str) -> Problem:
    """Return the error 422 for one field or parameter."""
    return wrong_fields([(path, message)])


def problem_response(
    status: int, detail: str, errors: Sequence[Mapping[str, object]] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the response for an error."""
    kind, title = _KINDS.get(status, ("error", "Error"))
    content = {
        "type": f"urn:kiosk-centre:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": list(errors),
    }
    return ProblemResponse(content, status_code=status, headers=dict(headers or {}))


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = PROBLEM_TYPE

    def render(self, content: Any) -> bytes:
        """Return JSON in ASCII: what came with the request may stand in it, also what is no valid Unicode."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def shown(text: str) -> str:
    """Return text from a request in a form fit for an error: printable and of bounded length."""
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"


# -- handlers --------------------------------------------------------------------------------------------------------


def add_problem_handlers(app: FastAPI) -> None:
    """Turn every error of a request into a problem document, except unforeseen ones (see `CatchErrors`)."""
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(DatabaseDown, _database_down)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(LinkDown, _link_down)
    app.add_exception_handler(PublishRefused, _link_down)
    app.add_exception_handler(KioskSilent, _no_answer)


async def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, StarletteHTTPException)
    if isinstance(exc, Problem):
        return problem_response(exc.status_code, exc.detail, exc.errors, exc.headers)
    headers = dict(exc.headers or {})
    if exc.status_code == 405:
        methods = _methods_of(request)
        headers["Allow"] = ", ".join(methods)
        return problem_response(405, f"This address takes {' and '.join(methods)}.", headers=headers)
    if exc.status_code == 404:
        return problem_response(404, f"There is nothing at {shown(request.url.path)}.", headers=headers)
    return problem_response(exc.status_code, str(exc.detail), headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Return every method that some route takes at the address of the request."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= set(getattr(route, "methods", None) or ())
    return sorted(found)


async def _invalid_request(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    errors = [
        {"path": _path_of(error["loc"]), "message": shown(str(error["msg"]))} for error in exc.errors()
    ]  # fmt: skip
    return problem_response(422, "The request has fields that are not valid.", errors)


def _path_of(location: Sequence[object]) -> str:
    """Return the path of a field without the part of the request that it stands in."""
    parts = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return ".".join(shown(str(part)) for part in parts)


async def _database_down(_request: Request, exc: Exception) -> Response:
    _log.warning("A request could not be answered, since the database does not work: %s", exc)
    return problem_response(
        503, "The database does not work at the moment. Try again.", headers={"Retry-After": str(RETRY_AFTER_S)}
    )


async def _refused(_request: Request, exc: Exception) -> Response:
    return problem_response(409, shown(str(exc)))


async def _link_down(_request: Request, exc: Exception) -> Response:
    return problem_response(502, f"The broker did not take it: {shown(str(exc))}.")


async def _no_answer(_request: Request, _exc: Exception) -> Response:
    return problem_response(504, "The kiosk did not answer in time. It may be switched off or offline.")


def retry_after(seconds: float) -> dict[str, str]:
    """Return the header that says when to try again."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


class CatchErrors:
    """ASGI middleware: an error that nobody foresaw is logged, and answered by 500 without its text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def sender(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sender)
        except ClientDisconnect:
            _log.debug("A client left in the middle of its request: %s %r", scope["method"], scope["path"])
        except Exception:  # the edge of a request: whatever it is, the next request must be served
            _log.exception("A request failed: %s %r", scope["method"], scope["path"])
            if has_started:
                raise
            await problem_response(500, "The centre failed to answer. Its log says why.")(scope, receive, send)
