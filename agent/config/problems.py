"""The messages of a refused configuration: one line per problem, with its path, what was expected and what was found.

A value that may be a secret is never shown.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from agent.runtime.log import quote

__all__ = ["MISSING", "KeyPath", "Problems", "dotted", "reason", "shown"]

KeyPath = tuple[str | int, ...]
"""The keys and list indexes that lead to a value, from the top of the file."""


class _Missing:
    """The type of `MISSING`."""


MISSING: Final = _Missing()
"""Stands for a value that is not in the file."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET_KEY = re.compile(r"pass|secret|token|credential|pin_code|private", re.IGNORECASE)
_SHOWN_CHARS = 80


def dotted(path: KeyPath) -> str:
    """Return a path as text: `station[0].scanner[1].port`. A key that TOML would quote is quoted and escaped."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else quote(part[:_SHOWN_CHARS])
            text += f".{key}" if text else key
    return text


def shown(path: KeyPath, value: object) -> str:
    """Return what was found, as text of at most one line; masked if it may be a secret."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_secret(path, value):
        return "a value not shown here"
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…"
        return quote(cut)
    return str(value)[:_SHOWN_CHARS]


def _is_secret(path: KeyPath, value: object) -> bool:
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if key.endswith("_file"):
        # A path may be shown, but somebody may have written the password itself there.
        return not (isinstance(value, str) and "/" in value)
    if _SECRET_KEY.search(key):
        return True
    # user:password@host
    return isinstance(value, str) and key in ("host", "hosts") and "@" in value


class Problems:
    """Collects the messages, in the order in which the problems are found."""

    def __init__(self, homes: Mapping[str, Iterable[str]]) -> None:
        """`homes` has the keys of each table, by its name in the file, to say where a misplaced key belongs."""
        self.lines: list[str] = []
        self._homes = homes

    def say(self, path: KeyPath, what: str) -> None:
        self.lines.append(f"{dotted(path)}: {what}" if path else what)

    def expected(self, path: KeyPath, expected: str, found: object) -> None:
        """Report that the value at `path` is not what was expected. `found` may be `MISSING`."""
        self.say(path, f"expected {expected}, found {shown(path, found)}")

    def unreadable_file(self, path: KeyPath, file: str, error: OSError) -> None:
        """Report that the file named at `path` cannot be read."""
        self.say(path, f"expected a readable file, found {shown(path, file)}: {reason(error)}")

    def unknown_key(
        self, path: KeyPath, known: Iterable[str], homes: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Report an unknown key: the table where it belongs, or the nearest of the `known` keys, but not its value.

        `homes` is searched before the tables of the whole file.
        """
        key = str(path[-1])
        for places in (homes or {}, self._homes):
            here = [name for name, keys in places.items() if key in keys]
            if here:
                self.say(path, f"unknown key; it belongs to {' or '.join(here)}")
                return
        # Imported here, so that a start with a sound configuration does not spend time on it.
        from difflib import get_close_matches

        choices = sorted(known)
        near = get_close_matches(key.lower(), choices, n=1, cutoff=0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(choices)}"
        self.say(path, f"unknown key; {hint}")


def reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
