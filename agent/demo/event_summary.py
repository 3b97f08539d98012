"""An event in a few words, for people."""

import json
from typing import Any

from msgspec import Struct

__all__ = ["EventSummary", "summary_of"]

_SHOWN = ("operator", "role", "kind", "reason", "sku", "what", "value", "unit", "size", "label", "cause", "outcome")


class EventSummary(Struct, frozen=True, kw_only=True):
    """`kind` is `scan.accepted` of its type, `text` a few words of its data; `unit` the device that it is about."""

    sequence: int
    kind: str
    text: str
    order: str | None = None
    unit: str | None = None


def summary_of(document: bytes) -> EventSummary:
    """Return the summary of an event document."""
    event: dict[str, Any] = json.loads(document)
    data = event["data"]
    kind = str(event["type"]).removeprefix("kiosk.").removesuffix(".v1")
    unit = data.get("unit")
    return EventSummary(
        sequence=int(event["sequence"]),
        kind=kind,
        text=_text(kind, data),
        order=data.get("order"),
        unit=unit.get("id") if isinstance(unit, dict) else None,
    )


def _text(kind: str, data: dict[str, Any]) -> str:
    of_order = ("order", "mode") if kind.startswith("order.") else ()
    words = [_word(data[name]) for name in (*of_order, *_SHOWN) if data.get(name) is not None]
    if "contents" in data:
        words.append(f"{sum(content['quantity'] for content in data['contents'])} pieces")
    elif data.get("quantity", 1) != 1:
        words.append(f"× {data['quantity']}")
    return " ".join(words)


def _word(value: object) -> str:
    return str(value.get("id") or value.get("code")) if isinstance(value, dict) else str(value)
