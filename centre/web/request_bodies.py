"""Bodies of requests: read whole, after the access was checked, and parsed as strict JSON."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from centre.web.problem_details import Problem, shown, wrong_field, wrong_fields

__all__ = ["FileBody", "JsonBody", "JsonObject", "json_body", "parsed_as"]

JsonObject = Mapping[str, Any]

Model = TypeVar("Model", bound=BaseModel)


_CARELESS = "application/x-www-form-urlencoded"
"""What curl's `-d` and Python's urllib say of any body, unless they are told. A browser's form has no CSRF header."""


async def _json_bytes(request: Request) -> bytes:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", _CARELESS) and not kind.endswith("+json"):
        raise Problem(
            415, f"The body must be JSON, not {shown(kind)}. Send Content-Type: application/json.",
            headers={"Accept": "application/json"},
        )  # fmt: skip
    return await request.body()


async def _json_object(request: Request) -> JsonObject:
    body = await _json_bytes(request)
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as exc:
        raise wrong_field("", f"The body is not JSON: {shown(str(exc))}.") from exc
    if not isinstance(value, dict):
        raise wrong_field("", "Must be a JSON object.")
    return value


async def _file_bytes(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise Problem(415, "The body must be the file itself, not a form. With curl: --data-binary @FILE.")
    return await request.body()


JsonBody = Annotated[JsonObject, Depends(_json_object)]
"""The JSON object in the body. FastAPI's own parsing would come before the access is checked, and coerces values."""

FileBody = Annotated[bytes, Depends(_file_bytes)]
"""A file as the body."""


def parsed_as(model: type[Model], value: JsonObject) -> Model:
    """Return the value as a model has it; nothing is coerced. Raise Problem 422 with every wrong field."""
    try:
        return model.model_validate(value, strict=True)
    except ValidationError as exc:
        raise wrong_fields(
            (".".join(shown(str(part)) for part in error["loc"]), shown(error["msg"]))
            for error in exc.errors(include_url=False, include_input=False, include_context=False)
        ) from exc


def json_body(schema: Mapping[str, Any], description: str, example: object = None) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that takes a JSON body."""
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "description": description, "content": {"application/json": content}}}
