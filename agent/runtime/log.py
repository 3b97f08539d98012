"""Structured logs on standard output: one line per record, `message key=value …`, safe to read in any terminal.

Loggers are those of `logging`, named by module. Fields are passed as `extra`:

    _log = logging.getLogger(__name__)
    _log.warning("scanner lost", extra={"scanner": "left", "why": "unplugged"})

Unprintable characters are escaped in messages and fields, so no barcode can send control sequences to a terminal or
forge a line (`scanning.md#control-characters`). Secrets belong in types that do not show them (`pydantic.SecretStr`).
"""

import io
import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

__all__ = ["LineFormatter", "configure", "escape", "is_journal", "quote"]

# Priorities of sd-daemon(3). journald reads and removes them from the start of a line.
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}

# The attributes that every record has. All others are fields.
_RECORD_KEYS = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def _escaped(char: str) -> str:
    short = _SHORT_ESCAPES.get(char)
    if short is not None:
        return short
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def escape(text: str) -> str:
    r"""Return `text` on one line: unprintable characters and backslashes become `\n`, `\x1d`, `\\` … Reversible."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(char if char.isprintable() and char != "\\" else _escaped(char) for char in text)


def quote(text: str) -> str:
    """Return `text` escaped, in double quotes."""
    return '"' + escape(text).replace('"', '\\"') + '"'


def _value(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    text = str(value)
    plain = text != "" and text.isprintable() and not any(char in text for char in ' "=\\')
    return text if plain else quote(text)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether `stream` is the connection to journald that `$JOURNAL_STREAM` announces (systemd.exec(5))."""
    announced = environ.get("JOURNAL_STREAM")
    if announced is None:
        return False
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return announced == f"{stat.st_dev}:{stat.st_ino}"


class LineFormatter(logging.Formatter):
    """Formats one line per record. With `journal` it starts with the priority as `<N>`, else with time and level."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        parts = [f"{record.name}: {escape(record.getMessage())}"]
        parts += [f"{key}={_value(value)}" for key, value in vars(record).items() if key not in _RECORD_KEYS]
        if record.exc_info:
            parts.append(f"exception={quote(self.formatException(record.exc_info))}")
        line = " ".join(parts)
        if self._journal:
            return f"<{_PRIORITIES.get(record.levelno, 6)}>{line}"
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{at}.{int(record.msecs):03d}Z {record.levelname} {line}"


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send all logs to `stream` (default: standard output): ours from `level` on, those of libraries from WARNING on.

    Call it once, at the start of a process. Another call replaces the set-up.
    """
    stream = sys.stdout if stream is None else stream
    if isinstance(stream, io.TextIOWrapper):
        # A log line must not fail because the locale's encoding lacks a character.
        stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(journal=is_journal(stream, os.environ)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("agent").setLevel(level)
    # If the reader is gone (a closed pipe), a log line must not print a traceback.
    logging.raiseExceptions = False
