"""Configuration files, written from plain tables."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["toml"]


def toml(settings: Mapping[str, Any], path: str = "") -> str:
    """Return a TOML document of tables, lists of tables, and values."""
    plain, nested = "", ""
    for key, value in settings.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            nested += f"\n[{name}]\n{toml(value, name)}"
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            nested += "".join(f"\n[[{name}]]\n{toml(item, name)}" for item in value)
        else:
            # JSON and TOML write these alike: strings without control characters, integers, booleans, lists of them.
            plain += f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
    return plain + nested
