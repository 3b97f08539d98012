"""How a refused configuration is told: one line a problem, with its path, what was expected and what was found.

Values that may be secrets are never shown.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from agent.runtime.log import quote

__all__ = ["MISSING", "KeyPath", "Problems", "dotted", "reason", "shown"]

KeyPath = tuple[str | int, ...]
"""The keys and list places that lead to a value, from the top of the file."""


class _Missing:
    """Stands for a value that is not there."""


MISSING: Final = _Missing()

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET_KEY = re.compile(r"pass|secret|token|credential|pin_code|private", re.IGNORECASE)
_SHOWN_CHARS = 80


def dotted(path: KeyPath) -> str:
    """`station[0].scanner[1].port`; a key that is not a bare one is quoted and escaped."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else quote(part[:_SHOWN_CHARS])
            text += f".{key}" if text else key
    return text


def shown(path: KeyPath, value: object) -> str:
    """What was found, for a person to read: at most one line, and masked where it may be a secret."""
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
        # A path may be shown; a password that someone wrote in its place may not.
        return not (isinstance(value, str) and "/" in value)
    if _SECRET_KEY.search(key):
        return True
    # user:password@host
    return isinstance(value, str) and key in ("host", "hosts") and "@" in value


class Problems:
    """Collects everything that is wrong, in the order in which it was found."""

    def __init__(self, homes: Mapping[str, Iterable[str]]) -> None:
        """`homes`: the keys of each table, by its name in the file, to tell where a misplaced key belongs."""
        self.lines: list[str] = []
        self._homes = homes

    def say(self, path: KeyPath, what: str) -> None:
        self.lines.append(f"{dotted(path)}: {what}" if path else what)

    def expected(self, path: KeyPath, expected: str, found: object) -> None:
        """The value at `path` is not what was expected; `MISSING` where there is none."""
        self.say(path, f"expected {expected}, found {shown(path, found)}")

    def unreadable_file(self, path: KeyPath, file: str, error: OSError) -> None:
        """The file named at `path` cannot be read."""
        self.say(path, f"expected a readable file, found {shown(path, file)}: {reason(error)}")

    def unknown_key(
        self, path: KeyPath, known: Iterable[str], homes: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """A key that its table does not know, with where it belongs, or the nearest of the `known` ones.

        Its value is not shown. `homes` are looked in before those of the whole file.
        """
        key = str(path[-1])
        for places in (homes or {}, self._homes):
            here = [name for name, keys in places.items() if key in keys]
            if here:
                self.say(path, f"unknown key; it belongs to {' or '.join(here)}")
                return
        # Only a refused configuration needs difflib; a start does not pay for it.
        from difflib import get_close_matches

        choices = sorted(known)
        near = get_close_matches(key.lower(), choices, n=1, cutoff=0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(choices)}"
        self.say(path, f"unknown key; {hint}")


def reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
