"""From the bytes of a message to a checked JSON value, or to one error that names every wrong field.

Rule: `mqtt.md#refused-messages`.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from agent.contract.manifest import same_case
from agent.contract.refused import MessageRefused
from agent.contract.schemas import MAX_NAME

__all__ = ["MAX_MESSAGE_BYTES", "check_name", "checked", "content_of", "refused", "repeated", "too_large"]

MAX_MESSAGE_BYTES = 256 * 1024

_MAX_FIELDS = 20
_MAX_TOPIC_CHARS = 1024
_MAX_FIELD_CHARS = 120

T = TypeVar("T")

_adapters: dict[type, TypeAdapter[Any]] = {}
"""Each is built when it is first used: a kiosk may need none of them at its start."""


def _shown(text: str) -> str:
    """Return text from a message in a form fit for a log line."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= _MAX_FIELD_CHARS else shown[:_MAX_FIELD_CHARS] + "…"


def refused(topic: str, fields: Iterable[str]) -> MessageRefused:
    """Return the error that names a topic and its wrong fields. A long topic or list of fields is cut short."""
    if len(topic) > _MAX_TOPIC_CHARS:
        topic = topic[:_MAX_TOPIC_CHARS] + "…"
    named = list(fields)
    left_out = len(named) - _MAX_FIELDS
    if left_out > 0:
        named[_MAX_FIELDS:] = [f"and {left_out} more"]
    return MessageRefused(topic, named)


def too_large(topic: str, size: int) -> MessageRefused:
    """Return the error for a message of `size` bytes, whether it was received or discarded."""
    return refused(topic, [f"{size} bytes, more than {MAX_MESSAGE_BYTES}"])


def _field(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "message"
    return f"{_shown(where)}: {_shown(error['msg'])}"


def content_of(payload: bytes, topic: str) -> Any:
    """Return the JSON value of a message: strict JSON in UTF-8, of bounded size and depth. Raise MessageRefused."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise too_large(topic, len(payload))
    try:
        # Only names of fields are repeated often enough to be worth caching.
        return from_json(payload, allow_inf_nan=False, cache_strings="keys")
    except ValueError as exc:
        raise refused(topic, [f"not JSON: {_shown(str(exc))}"]) from exc


def checked(schema: type[T], content: object, topic: str) -> T:
    """Return the content as a schema of `agent.contract.schemas` has it. No value is coerced. Raise MessageRefused."""
    adapter = _adapters.get(schema)
    if adapter is None:
        adapter = _adapters[schema] = TypeAdapter(schema)
    try:
        value: T = adapter.validate_python(content, strict=True)
        return value
    except ValidationError as exc:
        raise refused(topic, map(_field, exc.errors(include_url=False, include_input=False))) from exc


def check_name(name: str, topic: str) -> None:
    """Check the end of a topic like any other id: it is kept, and published in events. Raise MessageRefused."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise refused(topic, [f"topic: Its end must be printable text of at most {MAX_NAME} characters"])


def repeated(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each name of (where, name) pairs that stood there before, compared without case."""
    seen: dict[str, str] = {}
    for where, name in named:
        first = seen.setdefault(same_case(name), where)
        if first != where:
            yield f"{where}: The same as {first}"
