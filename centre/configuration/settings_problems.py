"""What is wrong with a configuration file: `FILE: KEY: found …, expected …`, one line each.

A value that may be a secret is never shown.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from centre.legible import legible, quoted

__all__ = ["ABSENT", "SettingsPath", "SettingsProblems", "key_text"]

SettingsPath = tuple[str | int, ...]
"""The keys and list indexes that lead to a value, from the top of the file."""


class _Absent:
    """The type of `ABSENT`."""


ABSENT: Final = _Absent()
"""Stands for a value that is not in the file."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET_KEY = re.compile(r"pass|secret|token|credential|private", re.IGNORECASE)
_SHOWN_CHARS = 80


def key_text(path: SettingsPath) -> str:
    """Return a path as text: `broker[0].port`. A key that TOML would quote is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else quoted(part[:_SHOWN_CHARS])
            text += f".{key}" if text else key
    return text


def _shown(path: SettingsPath, value: object) -> str:
    """Return what was found, on one line."""
    if value is ABSENT:
        return "nothing"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if _may_be_secret(path, value):
        return "a value not shown here"
    if isinstance(value, str):
        return quoted(value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…")
    return str(value)[:_SHOWN_CHARS]


def _may_be_secret(path: SettingsPath, value: object) -> bool:
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if key.endswith("_file"):
        # A path may be shown, but somebody may have written the password itself there.
        return not (isinstance(value, str) and "/" in value)
    # user:password@host
    return bool(_SECRET_KEY.search(key)) or (isinstance(value, str) and "@" in value)


class SettingsProblems:
    """Collects the lines, in the order in which the problems are found."""

    def __init__(self, file: Path) -> None:
        self.lines: list[str] = []
        self._file = legible(str(file))

    def add(self, path: SettingsPath, what: str) -> None:
        self.lines.append(": ".join(part for part in (self._file, key_text(path), what) if part))

    def expected(self, path: SettingsPath, expected: str, found: object) -> None:
        """Report that the value at `path` is not what was expected. `found` may be `ABSENT`."""
        self.add(path, f"found {_shown(path, found)}, expected {expected}")

    def unknown_key(self, path: SettingsPath, known: Iterable[str]) -> None:
        """Report an unknown key with the nearest of the `known` ones, but not its value."""
        choices = sorted(known)
        near = get_close_matches(str(path[-1]).lower(), choices, n=1, cutoff=0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"expected one of {', '.join(choices)}"
        self.add(path, f"unknown key, {hint}")
