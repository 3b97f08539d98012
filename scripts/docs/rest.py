"""REST: its requests, and the objects in bodies and answers, from the OpenAPI document."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from centre.web.app import rest_app
from centre.web.openapi_document import openapi_document
from scripts.docs.anchors import slug
from scripts.docs.markdown import code, table

__all__ = ["rest_objects", "rest_requests", "rest_table"]

_REF = "#/components/schemas/"
_COMMON_ERRORS = {"400", "401", "403", "422", "429", "503"}
_HIDDEN = {"ProblemDetails"}

Operation = Mapping[str, Any]


@cache
def _document() -> Mapping[str, Any]:
    return openapi_document(rest_app())


def _operations() -> Iterator[tuple[str, Operation]]:
    """Yield each request, such as `GET /orders/{order}`, with its operation. Paths are relative to /api/v1."""
    for path, operations in _document()["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path.removeprefix('/api/v1')}", operation


def rest_table() -> str:
    """Return a table of all requests."""
    rows = [
        (f"[{code(request)}](#{slug(request)})", operation.get("x-scope", "none"), operation["summary"])
        for request, operation in _operations()
    ]
    return table(("request", "scope", "does"), rows)


def rest_requests() -> str:
    """Return a section for each request."""
    return "\n".join(_section(request, operation) for request, operation in _operations())


def _section(request: str, operation: Operation) -> str:
    text = operation["description"].rpartition("\n\nScope:")[0] or operation["description"]
    parts = [f"#### {request}\n", f"{text}\n"]
    if rows := [_parameter(one) for one in operation.get("parameters", [])]:
        parts.append(table(("parameter", "in", "type", "meaning"), rows))
    if "requestBody" in operation:
        body = operation["requestBody"]
        types = " or ".join(f"{code(kind)}, {_type(one['schema'])}" for kind, one in body["content"].items())
        parts.append(f"Body: {types}. {body['description']}\n")
    parts.append(_answers(operation["responses"]))
    return "\n".join(parts)


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str, str]:
    required = "" if parameter["required"] or parameter["in"] == "path" else "optional "
    default = parameter["schema"].get("default")
    shown = "" if default is None or default is False else f" Default {default}."
    return (
        code(parameter["name"]),
        parameter["in"],
        f"{required}{_type(parameter['schema']).removesuffix(' or null')}",
        f"{parameter['description']}{shown}",
    )


def _answers(responses: Mapping[str, Any]) -> str:
    rows = []
    for status, response in responses.items():
        if status in _COMMON_ERRORS and not _is_special(response):
            continue
        content = response.get("content", {})
        kinds = [
            _type(one["schema"]) if kind.endswith("json") and "problem" not in kind else code(kind)
            for kind, one in content.items()
            if kind != "application/problem+json" or _is_special(response)
        ]
        rows.append((status, ", ".join(kinds), "" if response["description"] == "Successful Response"
                     else response["description"]))  # fmt: skip
    return table(("answer", "content", "when"), rows)


def _is_special(response: Mapping[str, Any]) -> bool:
    """Return whether the errors of a response are described for this request alone."""
    return "ImportProblem" in str(response.get("content"))


def rest_objects() -> str:
    """Return a table for each object that bodies and answers consist of."""
    sections = []
    for name, schema in _document()["components"]["schemas"].items():
        if name in _HIDDEN or "properties" not in schema or name.startswith("Page_"):
            continue
        rows = [
            (code(field), _type(one) + ("" if field in schema.get("required", ()) else ", optional"), _meaning(one))
            for field, one in schema["properties"].items()
        ]
        sections.append(
            f"#### {_shown(name)}\n\n{schema.get('description', '')}\n\n{table(('field', 'type', 'meaning'), rows)}"
        )
    return "\n".join(sections)


def _meaning(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", ""))


def _shown(name: str) -> str:
    return name.removesuffix("Model")


def _type(schema: Mapping[str, Any]) -> str:
    """Return a type in words."""
    if "$ref" in schema:
        return _named(schema["$ref"].removeprefix(_REF))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema:
        return " or ".join(map(code, schema["enum"]))
    if "const" in schema:
        return code(schema["const"])
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and "properties" in schema:
        fields = (f"{code(name)}: {_type(one)}" for name, one in schema["properties"].items())
        return f"object with {', '.join(fields)}"
    return str(kind or "anything")


def _named(name: str) -> str:
    if name.startswith("Page_"):
        inside = name.removeprefix("Page_").rstrip("_")
        return f"page of {_link(inside)}" if inside in _document()["components"]["schemas"] else "page of objects"
    schema = _document()["components"]["schemas"][name]
    return _link(name) if "properties" in schema else _type(schema)


def _link(name: str) -> str:
    return f"[{_shown(name)}](#{slug(_shown(name))})"
