"""The events and the objects in them, from `agent.contract.events`."""

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal

from msgspec import Struct

from agent.contract.cloudevents import Undeliverable, topic_of
from agent.contract.events import EVENTS, Event
from agent.contract.reasons import Reason, Seen
from scripts.docs.anchors import linked, slug
from scripts.docs.docstrings import attribute_docs, summary
from scripts.docs.markdown import code, table

__all__ = ["events", "values"]

_PLAIN = {str: "string", int: "integer", bool: "boolean", types.NoneType: "null"}
_ELSEWHERE = {
    Reason: "[reason](workflow.md#one-reason-per-refusal)",
    Seen: "[seen](scanning.md#what-was-seen)",
}
_STAND_IN = "event.undeliverable"
_TYPES: dict[str, type[Struct]] = {**EVENTS, _STAND_IN: Undeliverable}


def events() -> str:
    """Return a table of the event types, and one of the fields of each."""
    rows = (
        (
            f"[{code(name)}](#{slug(name)})",
            code(_topic_of(name)),
            linked(summary(cls)),
            f"[schema](schemas/kiosk.{name}.v1.json)",
        )
        for name, cls in _TYPES.items()
    )
    overview = table(("type `kiosk.….v1`", "topic", "recorded when", "schema"), rows)
    return "\n".join((overview, *(f"#### {name}\n\n{_fields_table(cls)}" for name, cls in _TYPES.items())))


def values() -> str:
    """Return a table of the fields of each object that stands in an event."""
    objects = dict.fromkeys(one for cls in _TYPES.values() for _, hint in _fields(cls) for one in _objects(hint))
    return "\n".join(
        f"#### {_name(cls)}\n\n{linked(summary(cls))}\n\n{_fields_table(cls)}" for cls in sorted(objects, key=_name)
    )


def _topic_of(name: str) -> str:
    document = f'"type":"kiosk.{name}.v1"'
    return f"event/{topic_of(document.encode())}"


# -- fields ------------------------------------------------------------------------------------------------------


def _fields(cls: type[Struct]) -> Iterator[tuple[str, object]]:
    """Yield name and type of each published field."""
    hints = typing.get_type_hints(cls, include_extras=True)
    private = (*cls.private, *Event.__struct_fields__) if issubclass(cls, Event) else ()
    return ((name, hints[name]) for name in cls.__struct_fields__ if name not in private)


def _fields_table(cls: type[Struct]) -> str:
    docs = attribute_docs(cls)
    rows = ((code(name), _type_name(hint), linked(docs.get(name, ""))) for name, hint in _fields(cls))
    return table(("field", "type", "meaning"), rows)


def _objects(hint: object) -> Iterator[type[Struct]]:
    """Yield the types of object within a type."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
        for _, below in _fields(hint):
            yield from _objects(below)
    for argument in typing.get_args(hint):
        yield from _objects(argument)


# -- types -------------------------------------------------------------------------------------------------------


def _name(cls: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).lower()


def _type_name(hint: Any, many: bool = False) -> str:
    """Return what a field holds in JSON, in the plural for `many`."""
    s = "s" if many else ""
    if hint in _PLAIN:
        return _PLAIN[hint] + s
    if hint in _ELSEWHERE:
        return _ELSEWHERE[hint]
    if isinstance(hint, type):
        return _one_of(hint) if issubclass(hint, Enum) else f"[{_name(hint)}{s}](#{slug(_name(hint))})"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        enum = [one for meta in hint.__metadata__ for one in (meta.extra_json_schema or {}).get("enum", ())]
        return _one_of(enum) if enum else _type_name(arguments[0], many)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(one, many) for one in arguments)
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple:
        return f"list of {_type_name(arguments[0], many=True)}"
    if origin is not None and issubclass(origin, Mapping):
        return f"object of {_type_name(arguments[1], many=True)}"
    raise TypeError(f"no name for {hint}")


def _one_of(choices: Iterable[str]) -> str:
    return " or ".join(map(code, choices))
