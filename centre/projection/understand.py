"""From the type and data of a document to a typed event, or to NotUnderstood.

A newer kiosk may send fields that this centre does not know: they are ignored, as by every reader
(`mqtt.md#json-values`). An unknown type or value is not understood: what it means for the counts is not known. The
same holds for text and numbers beyond the contract's limits, which no table is made for.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec import DecodeError, ValidationError, convert, inspect
from msgspec.json import Decoder, decode

from agent.contract.events import (
    EVENTS,
    Accepted,
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    PackingConfirmed,
    Released,
    RoleAssigned,
    Size,
    Voided,
)

__all__ = ["KNOWN_TYPES", "STAND_IN", "NotUnderstood", "is_order_name", "understand"]

STAND_IN = "kiosk.event.undeliverable.v1"
"""The type of an event that stands in for one which a broker refuses (`mqtt.md#refused-publish`)."""

ORDER_CHARACTERS = 64
TEXT_CHARACTERS = 256
"""Ids have at most 64 (`mqtt.md#refused-messages`). Longer text may not fit into an index of PostgreSQL."""
LARGEST_NUMBER = 2**31 - 1

_DECODERS = {f"kiosk.{name}.v1": Decoder(cls) for name, cls in EVENTS.items()}


KNOWN_TYPES = frozenset(_DECODERS)


class NotUnderstood(Exception):
    """The event cannot be projected by this version; it may be by another one. The text says why."""


def understand(type_: str, data: Any) -> Event:
    """Return the event in a document's data, which is JSON text. Raises NotUnderstood.

    Whether `order` is an order id is for the caller to check, by the document's subject.
    """
    decoder = _DECODERS.get(type_)
    if decoder is None:
        raise NotUnderstood(f"the type {type_!r} is unknown")
    try:
        event = decoder.decode(data)
    except ValidationError:
        event = _understand_newer(decoder.type, data)
    except (DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise NotUnderstood(f"the data cannot be read: {exc}") from exc
    check = _CHECKS.get(type(event))
    if check is not None and not check(event):
        raise NotUnderstood("a text or number is beyond the contract's limits")
    return event


def is_order_name(text: str) -> bool:
    """Return whether a text is an order id: 1 to 64 printable characters (`mqtt.md#order-ids-in-topics`)."""
    return 0 < len(text) <= ORDER_CHARACTERS and text.isprintable()


# -- a newer kiosk's fields ------------------------------------------------------------------------------------------


def _understand_newer(cls: type[Event], data: Any) -> Event:
    try:
        return convert(_known(decode(data), _type_of(cls)), cls)
    except (DecodeError, UnicodeDecodeError, RecursionError, ValidationError) as exc:
        raise NotUnderstood(f"the data cannot be read: {exc}") from exc


@cache
def _type_of(cls: type[Event]) -> inspect.Type:
    return inspect.type_info(cls)


def _known(value: object, kind: inspect.Type) -> object:
    """Return a JSON value without unknown fields. What is absent and may be null becomes null."""
    match kind:
        case inspect.Metadata():
            return _known(value, kind.type)
        case inspect.UnionType():
            for one in kind.types:
                if isinstance(one, inspect.StructType) and isinstance(value, dict):
                    return _known(value, one)
        case inspect.VarTupleType() if isinstance(value, list):
            return [_known(item, kind.item_type) for item in value]
        case inspect.StructType() if isinstance(value, dict):
            found = {
                field.encode_name: _known(value[field.encode_name], field.type)
                for field in kind.fields
                if field.encode_name in value
            }
            absent = {field.encode_name for field in kind.fields if field.required} - found.keys()
            nulls = {field.encode_name for field in kind.fields if _may_be_null(field.type)}
            return {**found, **dict.fromkeys(absent & nulls)}
    return value


def _may_be_null(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.UnionType) and any(isinstance(one, inspect.NoneType) for one in kind.types)


# -- limits ----------------------------------------------------------------------------------------------------------


def _is_text(text: str) -> bool:
    """PostgreSQL has no NUL in text."""
    return len(text) <= TEXT_CHARACTERS and "\0" not in text


def _is_number(number: int) -> bool:
    return 0 <= number <= LARGEST_NUMBER


def _is_optional_text(text: str | None) -> bool:
    return text is None or _is_text(text)


def _fits_scan(event: Accepted | Voided) -> bool:
    unit = event.unit
    return (
        0 < event.quantity <= LARGEST_NUMBER
        and (unit is None or (event.quantity == 1 and _is_text(unit.id) and all(map(_is_text, unit.aliases))))
        and _is_text(event.box)
        and _is_text(event.line)
        and _is_text(event.sku)
    )


def _fits_contents(event: BoxCreated | BoxReopened | BoxVoided | BoxConfirmed) -> bool:
    return _is_text(event.box) and all(
        0 < content.quantity <= LARGEST_NUMBER
        and _is_text(content.line)
        and _is_text(content.sku)
        and all(map(_is_text, content.units))
        for content in event.contents
    )


def _fits_confirmed(event: BoxConfirmed) -> bool:
    return _fits_contents(event) and _is_optional_text(event.label) and (event.size is None or _fits_size(event.size))


def _fits_size(size: Size) -> bool:
    return _is_text(size.code) and all(map(_is_number, (size.length_mm, size.width_mm, size.height_mm)))


def _fits_sized(event: BoxSized) -> bool:
    return all(map(_is_optional_text, (event.box, event.size, event.label)))


_CHECKS: dict[type[Event], Callable[[Any], bool]] = {
    Accepted: _fits_scan,
    Voided: _fits_scan,
    BoxCreated: _fits_contents,
    BoxReopened: _fits_contents,
    BoxVoided: _fits_contents,
    BoxConfirmed: _fits_confirmed,
    BoxSized: _fits_sized,
    Held: lambda event: _is_optional_text(event.unit),
    Released: lambda event: _is_optional_text(event.unit),
    RoleAssigned: lambda event: _is_text(event.operator),
    PackingConfirmed: lambda event: all(map(_is_optional_text, event.operators.values())),
}
