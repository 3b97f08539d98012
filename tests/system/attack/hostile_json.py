"""Messages that the contract forbids, or nearly: made from the published JSON Schemas by a seeded generator."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from harness.wire import schema_named

__all__ = ["hostile_message", "sound_message"]

_PATTERNED = {
    "^([0-9]{8}|[0-9]{12,14})$": "9506000134352",
    "^[0-9]{8}$": "35693803",
    "^[A-Z0-9]{1,32}$": "E7",
    "^[0-9]{1,12}$": "000000000001",
    "^[0-9]{12}$": "000000000001",
    "^[A-Za-z0-9_.:~-]{1,64}$": "T-1",
}
"""A text for each pattern that a schema of a message to the kiosk has."""

HUGE = (2**63 - 1, 2**63, 2**64, -1, -(2**63), 10**400, 1e308, 1.5, 1.0, 0)
WRONG: tuple[object, ...] = (
    None, True, False, "", "x", " ", "3", [], [[]], {}, {"": None}, "\ud800", "\udfff\ud800", "\0", "\x1b[31m",
    "\u202e", "A" * 64, "A" * 65, "A" * 100_000, ["A" * 64] * 501, *HUGE,
)  # fmt: skip


def sound_message(schema: dict[str, Any], chance: random.Random) -> Any:
    """Return a message that its schema allows."""
    return _sample(schema, schema.get("$defs", {}), chance)


def _sample(schema: dict[str, Any], named: dict[str, Any], chance: random.Random) -> Any:
    if "$ref" in schema:
        return _sample(named[schema["$ref"].rpartition("/")[2]], named, chance)
    if "anyOf" in schema:
        return _sample(chance.choice(schema["anyOf"]), named, chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            found = {
                name: _sample(below, named, chance)
                for name, below in schema.get("properties", {}).items()
                if name in required or chance.random() < 0.7
            }
            more = schema.get("additionalProperties")
            if isinstance(more, dict):
                found |= {f"AT-{number}": _sample(more, named, chance) for number in range(chance.randint(0, 4))}
            return found
        case "array":
            count = chance.randint(schema.get("minItems", 0), min(schema.get("maxItems", 4), 4))
            return [_sample(schema["items"], named, chance) for _ in range(count)]
        case "integer":
            return chance.randint(schema.get("minimum", 0), min(schema.get("maximum", 100), 100))
        case "boolean":
            return chance.random() < 0.5
        case "string":
            if "pattern" in schema:
                return _PATTERNED[schema["pattern"]]
            return f"AT-{chance.randrange(10**6)}"
    return None


# -- spoiling ----------------------------------------------------------------------------------------------------------


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Return (container, key or index) of everything in a document."""
    found: list[tuple[Any, Any]] = []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, below in items:
        found.append((node, key))
        found += _places(below)
    return found


def _replace(document: Any, chance: random.Random) -> Any:
    places = _places(document)
    if not places or chance.random() < 0.05:
        return deepcopy(chance.choice(WRONG))
    container, key = chance.choice(places)
    container[key] = deepcopy(chance.choice(WRONG))
    return document


def _delete(document: Any, chance: random.Random) -> Any:
    places = _places(document)
    if places:
        container, key = chance.choice(places)
        del container[key]
    return document


def _nest(document: Any, chance: random.Random) -> Any:
    places = _places(document)
    if places:
        container, key = chance.choice(places)
        for _ in range(chance.choice((1, 50, 300))):
            container[key] = chance.choice(([container[key]], {"order": container[key]}))
    return document


def _repeat(document: Any, chance: random.Random) -> Any:
    """Multiply the items of a list."""
    lists = [container[key] for container, key in _places(document) if isinstance(container[key], list)]
    if lists:
        chosen = chance.choice(lists)
        chosen[:] = chosen * chance.choice((2, 501, 2000))
    return document


_DOCUMENT: tuple[Callable[[Any, random.Random], Any], ...] = (_replace, _replace, _replace, _delete, _nest, _repeat)


def _spoil_text(raw: bytes, chance: random.Random) -> bytes:
    """Spoil what is written, not what it says."""
    at = chance.randrange(len(raw)) if raw else 0
    match chance.randrange(12):
        case 0:
            return raw[:-1]
        case 1:
            return raw[:at]
        case 2:
            return raw[:at] + bytes((chance.randrange(256),)) + raw[at + 1 :]
        case 3:
            return raw.replace(b"{", b'{"revision": 1, "revision": "2", "order": 7, ', 1)
        case 4:
            return raw.replace(b": ", b": NaN, ", 1) if chance.random() < 0.5 else raw.replace(b"1", b"NaN", 1)
        case 5:
            return raw.replace(b"1", chance.choice((b"-Infinity", b"1e400", b"1E2", b"01", b"0x1", b"9" * 5000)), 1)
        case 6:
            return b"\xef\xbb\xbf" + raw
        case 7:
            return raw.decode(errors="replace").encode("utf-16")
        case 8:
            return raw + raw
        case 9:
            return raw.replace(b'"', b"'")
        case 10:
            return b"[" * 200_000 if chance.random() < 0.5 else b'{"order":' * 20_000
        case _:
            return raw.replace(b'"', b'"\\ud800', 3)


def hostile_message(name: str, chance: random.Random) -> bytes:
    """Return a message of the schema `name`, spoilt in one to three places."""
    document = sound_message(schema_named(name), chance)
    for _ in range(chance.randint(0, 2)):
        document = chance.choice(_DOCUMENT)(document, chance)
    raw = json.dumps(document).encode()
    return _spoil_text(raw, chance) if chance.random() < 0.4 else raw
