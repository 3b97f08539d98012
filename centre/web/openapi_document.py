"""The OpenAPI document of REST: FastAPI's, with the access and the errors that all operations have in common."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from agent.contract.schemas import ManifestMessage, OperatorMessage
from centre.web.access import Needs
from centre.web.problem_details import PROBLEM_CONTENT, ImportProblem, ProblemDetails
from centre.web.scopes import Scope
from centre.web.sessions import COOKIE, CSRF_HEADER

__all__ = ["OPENAPI_PATH", "needs_of", "openapi_document", "rest_routes", "router"]

OPENAPI_PATH = "/api/v1/openapi.json"

router = APIRouter()

_DESCRIPTION = """\
Orders in, what became of them out. Every error is a problem document (RFC 9457). Lists come in pages: `next` of one
page is `after` of the next. Times are UTC. Unknown fields of a body are ignored. Nothing is coerced: `"3"` is not 3.
"""

_SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "Made by `kiosk-centre token add`."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A person who is signed in."},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "Goes with `session` for everything but reading: the session's token, which pages hold.",
    },
}

_ERRORS = {
    400: "The path is not UTF-8.",
    401: "No token and no session, or one that is not valid.",
    403: "The scope does not include this, or the CSRF token is missing.",
    404: "There is no such resource.",
    412: "The resource is not in the state that `If-Match` or `If-None-Match` asks for.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "A parameter or a field is not valid; `errors` names each.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "The database does not work; `Retry-After` says when to try again.",
}


@router.get(OPENAPI_PATH, include_in_schema=False)
def openapi_json(request: Request) -> JSONResponse:
    """Return this document."""
    return JSONResponse(openapi_document(request.app))


def rest_routes(app: FastAPI) -> Iterator[APIRoute]:
    """Yield the routes that the document describes."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


def needs_of(route: APIRoute) -> Scope | None:
    """Return the scope that a route needs; None: anybody may use it."""
    return next((one.call.scope for one in route.dependant.dependencies if isinstance(one.call, Needs)), None)


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the document. It is made once."""
    if not app.openapi_schema:
        app.openapi_schema = _made(app)
    return app.openapi_schema


def _made(app: FastAPI) -> dict[str, Any]:
    routes = list(rest_routes(app))
    document = get_openapi(
        title="kiosk-centre",
        version=version("kiosk-agent"),
        description=_DESCRIPTION,
        routes=routes,
        openapi_version="3.1.0",
    )
    for route in routes:
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route, method)
    components = document["components"]
    components["securitySchemes"] = _SECURITY_SCHEMES
    schemas = components["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= _schemas_of_problems() | _schemas_of_bodies()
    components["schemas"] = dict(sorted(schemas.items()))
    return document


def _schemas_of_problems() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model in (ProblemDetails, ImportProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= {**schema.pop("$defs"), model.__name__: schema}
    return found


def _schemas_of_bodies() -> dict[str, Any]:
    """Return the schemas of bodies that the contract with the kiosks defines. What the centre adds is not required."""
    template = "#/components/schemas/{model}"
    manifest = TypeAdapter(ManifestMessage).json_schema(ref_template=template)
    manifest["required"] = [name for name in manifest["required"] if name not in ("order", "revision", "status")]
    operator = TypeAdapter(OperatorMessage).json_schema(ref_template=template)
    return {**manifest.pop("$defs"), "Manifest": manifest, "OperatorGiven": operator}


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    """Add access and common errors to an operation."""
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    scope = needs_of(route)
    if scope is None:
        return
    operation["security"] = [{"token": []}, {"session": []} if method == "GET" else {"session": [], "csrf": []}]
    operation["x-scope"] = str(scope)
    operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
    for status in _errors_of(operation, method):
        responses.setdefault(str(status), _problem(status))
    for status, response in responses.items():
        if int(status) >= 400:
            response.setdefault("content", PROBLEM_CONTENT)
    operation["responses"] = dict(sorted(responses.items()))


def _errors_of(operation: dict[str, Any], method: str) -> Iterator[int]:
    yield from (400, 401, 403, 422, 429, 503)
    parameters = operation.get("parameters", [])
    if any(parameter["in"] == "path" for parameter in parameters):
        yield 404
    if method != "GET" and any(parameter["name"].lower().startswith("if-") for parameter in parameters):
        yield 412
    if "requestBody" in operation:
        yield from (413, 415)


def _problem(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _ERRORS[status],
        "content": PROBLEM_CONTENT,
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response
