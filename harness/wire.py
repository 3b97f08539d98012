"""Messages checked against the published JSON Schemas, docs/reference/schemas/.

The schemas allow unknown fields, because readers ignore them. Here a field that the schema does not name is an error in
a message from a kiosk, because it would be a change of the contract.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

__all__ = ["problems", "schema_named", "validator_for"]

_FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "schemas"

_BY_TOPIC = {
    "agent/[^/]+/status": "status",
    "agent/[^/]+/health": "health",
    "agent/[^/]+/station/[^/]+": "station",
    "agent/[^/]+/response/[^/]+": "response",
    "agent/[^/]+/ack": "ack",
    "agent/[^/]+/verdict/[^/]+": "verdict",
    "agent/[^/]+/request/resend": "request-resend",
    "agent/[^/]+/request/[^/]+": "request",
    "order/[^/]+": "manifest",
    "reference/orders": "order-index",
    "reference/orders/[^/]+": "order-index",
    "counted/[^/]+/[^/]+": "counted",
    "reference/operators": "operators",
    "reference/boxes": "box-sizes",
    "reference/blocked/[^/]+": "blocked-units",
}
_PUBLISHED = {"status", "health", "station", "response"}
_EVENT_TYPE = re.compile(r"kiosk\.[a-z_.]+\.v1")


def schema_named(name: str) -> dict[str, Any]:
    """Return a published schema: `status`, `manifest`, `kiosk.scan.accepted.v1`."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return schema


def validator_for(topic: str, document: Mapping[str, Any]) -> Draft202012Validator | None:
    """Return the validator of a message, None if no schema belongs to the topic. An event's type chooses its schema."""
    match = re.fullmatch(r"kiosk/v1/[^/]+/(?P<rest>.+)", topic)
    if match is None:
        return None
    if re.fullmatch("agent/[^/]+/event/[^/]+", match["rest"]):
        name = str(document.get("type"))
        return _validator(name) if _EVENT_TYPE.fullmatch(name) and (_FOLDER / f"{name}.json").exists() else None
    return next((_validator(name) for form, name in _BY_TOPIC.items() if re.fullmatch(form, match["rest"])), None)


def problems(topic: str, payload: bytes | bytearray | str) -> list[str]:
    """Return a line for each thing in a message that its schema does not allow."""
    try:
        document = json.loads(payload)
    except ValueError as exc:
        return [f"{topic}: not JSON: {exc}"]
    validator = validator_for(topic, document) if isinstance(document, dict) else None
    if validator is None:
        return [f"{topic}: no schema"]
    return [f"{topic}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = schema_named(name)
    if name in _PUBLISHED or name.startswith("kiosk."):
        for within in _objects(schema):
            within["additionalProperties"] = False
    return Draft202012Validator(schema)


def _objects(schema: object) -> Iterator[dict[str, Any]]:
    """Yield every part of a schema that names the fields of an object."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for below in schema.values():
            yield from _objects(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from _objects(below)
