"""From a message's bytes to a checked JSON value, or to the one error that names every wrong field."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from agent.contract.manifest import same_case
from agent.contract.refused import MessageRefused

__all__ = ["MAX_MESSAGE_BYTES", "checked", "content_of", "refused", "repeated"]

MAX_MESSAGE_BYTES = 256 * 1024

_MAX_FIELDS = 20
_MAX_TOPIC_CHARS = 1024
_MAX_FIELD_CHARS = 120

T = TypeVar("T")

_adapters: dict[type, TypeAdapter[Any]] = {}
"""Each built when first used: a kiosk at its start may need none of them."""


def _shown(text: str) -> str:
    """Text out of a message, fit for a log line."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= _MAX_FIELD_CHARS else shown[:_MAX_FIELD_CHARS] + "…"


def refused(topic: str, fields: Iterable[str]) -> MessageRefused:
    """The error that names the topic and these fields: of a topic longer than any of ours, or very many fields, the
    first."""
    if len(topic) > _MAX_TOPIC_CHARS:
        topic = topic[:_MAX_TOPIC_CHARS] + "…"
    named = list(fields)
    left_out = len(named) - _MAX_FIELDS
    if left_out > 0:
        named[_MAX_FIELDS:] = [f"and {left_out} more"]
    return MessageRefused(topic, named)


def _field(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "message"
    return f"{_shown(where)}: {_shown(error['msg'])}"


def content_of(payload: bytes, topic: str) -> Any:
    """The JSON value in a message's bytes: strict JSON in UTF-8, of bounded size and depth."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise refused(topic, [f"{len(payload)} bytes, more than {MAX_MESSAGE_BYTES}"])
    try:
        # Only the fields' names come again and again; to look for the values too takes half as long again.
        return from_json(payload, allow_inf_nan=False, cache_strings="keys")
    except ValueError as exc:
        raise refused(topic, [f"not JSON: {_shown(str(exc))}"]) from exc


def checked(schema: type[T], content: object, topic: str) -> T:
    """The content as `schema` (of `agent.contract.schemas`) has it; no value is coerced."""
    adapter = _adapters.get(schema)
    if adapter is None:
        adapter = _adapters[schema] = TypeAdapter(schema)
    try:
        value: T = adapter.validate_python(content, strict=True)
        return value
    except ValidationError as exc:
        raise refused(topic, map(_field, exc.errors(include_url=False, include_input=False))) from exc


def repeated(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Of (where, name) pairs one line for each name that was there before, compared without case."""
    seen: dict[str, str] = {}
    for where, name in named:
        first = seen.setdefault(same_case(name), where)
        if first != where:
            yield f"{where}: The same as {first}"
