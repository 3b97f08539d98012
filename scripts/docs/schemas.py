"""JSON Schemas of every message in both directions, from the types that write and read them.

Draft 2020-12. What a kiosk publishes: every field of the schema is always there. What a kiosk reads: unknown fields
are ignored, so no schema forbids them.
"""

import typing
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, UnsetType
from pydantic import TypeAdapter

from agent.contract import schemas as inbound
from agent.contract.cloudevents import CloudEvent, Undeliverable
from agent.contract.events import EVENTS, Event
from agent.contract.kiosk_health import KioskHealth
from agent.contract.kiosk_status import KioskStatus
from agent.contract.responses import Response
from agent.contract.station_view import StationView
from scripts.docs.docstrings import attribute_docs, summary

__all__ = ["INBOUND", "OUTBOUND", "event_types", "schemas"]

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

OUTBOUND: Mapping[str, type[Struct]] = {
    "status": KioskStatus,
    "health": KioskHealth,
    "station": StationView,
    "response": Response,
}
"""What a kiosk publishes besides events, by the name of the schema."""

INBOUND: Mapping[str, Any] = {
    "manifest": inbound.ManifestMessage,
    "order-index": inbound.OrdersMessage,
    "operators": inbound.OperatorsMessage,
    "box-sizes": inbound.BoxesMessage,
    "blocked-units": inbound.BlockedMessage,
    "counted": inbound.CountedPartMessage,
    "ack": inbound.AckMessage,
    "verdict": inbound.VerdictMessage,
    "request": inbound.RequestMessage,
    "request-resend": inbound.ResendMessage,
}
"""What a kiosk reads, by the name of the schema."""


def event_types() -> dict[str, type[Struct]]:
    """Return the type of the data of each event, by the event's type as published."""
    known: dict[str, type[Struct]] = {**EVENTS, "event.undeliverable": Undeliverable}
    return {f"kiosk.{name}.v1": cls for name, cls in known.items()}


def schemas() -> dict[str, Schema]:
    """Return all schemas by name."""
    events = {name: _of_event(name, cls) for name, cls in event_types().items()}
    views = {name: _titled(name, _of_struct(cls)) for name, cls in OUTBOUND.items()}
    messages = {name: _titled(name, _of_message(cls)) for name, cls in INBOUND.items()}
    return {**events, **views, **messages}


def _titled(name: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "$id": f"urn:kiosk-agent:v1:{name}", "title": name, **schema}


# -- what a kiosk publishes --------------------------------------------------------------------------------------


def _of_event(name: str, cls: type[Struct]) -> Schema:
    """Return the schema of the document of one type of event."""
    schema = _of_struct(CloudEvent)
    data = _of_struct(cls)
    definitions = data.pop("$defs", {})
    properties = schema["properties"] | {"type": {"const": name}, "data": data}
    document = {**schema, "description": data["description"], "properties": properties, "$defs": definitions}
    return _titled(name, document)


def _of_struct(cls: type[Struct]) -> Schema:
    """Return the schema of an object; those within it are in its `$defs`."""
    known = {one.__name__: one for one in _structs(cls)}
    definitions: dict[str, Schema] = {
        name: _described(known[name], schema) if name in known else schema
        for name, schema in msgspec.json.schema(cls)["$defs"].items()
        if name in known or "enum" in schema
    }
    schema = definitions.pop(cls.__name__)
    used = {name: one for name, one in sorted(definitions.items()) if name != Event.__name__}
    return {**schema, "$defs": used} if used else schema


def _described(cls: type[Struct], schema: Schema) -> Schema:
    """Add what the schema of msgspec lacks: the docs of the fields, and that every field is always written."""
    docs, hints = attribute_docs(cls), typing.get_type_hints(cls)
    fields = dict(_published(cls))
    properties = {
        written: {**({"description": docs[name]} if name in docs else {}), **_without_default(schema, written)}
        for name, written in fields.items()
    }
    return {
        "description": summary(cls),
        "type": "object",
        "properties": properties,
        "required": [written for name, written in fields.items() if UnsetType not in typing.get_args(hints[name])],
    }


def _published(cls: type[Struct]) -> Iterator[tuple[str, str]]:
    """Yield the name of each published field, and the name under which it is written."""
    hidden = (*cls.private, *Event.__struct_fields__) if issubclass(cls, Event) else ()
    for name, written in zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True):
        if name not in hidden:
            yield name, written


def _without_default(schema: Schema, field: str) -> Schema:
    return {key: value for key, value in schema["properties"][field].items() if key != "default"}


def _structs(hint: object) -> Iterator[type[Struct]]:
    """Yield the types of object within a type."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
        for below in typing.get_type_hints(hint).values():
            yield from _structs(below)
    for argument in typing.get_args(hint):
        yield from _structs(argument)


# -- what a kiosk reads ------------------------------------------------------------------------------------------


def _of_message(message: Any) -> Schema:
    """Return the schema of a message; the objects within it are in its `$defs`."""
    schema = TypeAdapter(message).json_schema()
    definitions = {name: _message_described(name, one) for name, one in sorted(schema.pop("$defs", {}).items())}
    described = _message_described(message.__name__, schema)
    return {**described, "$defs": definitions} if definitions else described


def _message_described(name: str, schema: Schema) -> Schema:
    """Add the docs of the fields, and take away the titles that pydantic makes of their names."""
    cls = getattr(inbound, name)
    docs = {} if cls is inbound.ResendMessage else attribute_docs(cls)  # that one has them in its schema
    schema.pop("title", None)
    for field, one in schema["properties"].items():
        one.pop("title", None)
        schema["properties"][field] = {"description": docs[field], **one} if field in docs else one
    return schema
