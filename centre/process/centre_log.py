"""The log: one line a fact, `message key=value …`, safe to read in any terminal.

Loggers are those of `logging`, named by module. Fields are passed as `extra`. A message's text is fixed: lines with the
same text are one kind, and a peer that causes many of a kind does not fill the disk.
"""

import io
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import TextIO

from msgspec import Struct

from centre.legible import legible, quoted

__all__ = ["CentreLineFormatter", "KindLimit", "configure_log"]

# Priorities of sd-daemon(3). journald reads and removes them from the start of a line.
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}

# The attributes that every record has. All others are fields.
_RECORD_KEYS = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})


def _value(value: object) -> str:
    text = str(value)
    plain = text != "" and text.isprintable() and not any(char in text for char in ' "=\\')
    return text if plain else quoted(text)


class CentreLineFormatter(logging.Formatter):
    """Formats one line per record. With `journal` it starts with the priority as `<N>`, else with time and level."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        parts = [f"{record.name}: {legible(record.getMessage())}"]
        parts += [f"{key}={_value(value)}" for key, value in vars(record).items() if key not in _RECORD_KEYS]
        if record.exc_info:
            parts.append(f"exception={quoted(self.formatException(record.exc_info))}")
        line = " ".join(parts)
        if self._journal:
            return f"<{_PRIORITIES.get(record.levelno, 6)}>{line}"
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{at}.{int(record.msecs):03d}Z {record.levelname} {line}"


class _Span(Struct):
    began: float
    written: int = 0
    left_out: int = 0


class KindLimit(logging.Filter):
    """At most `most` lines in `span_s` of each kind. The next line after that says how many were `left_out`.

    A kind is a logger with a message text, before its arguments are put in.
    """

    def __init__(self, *, most: int = 10, span_s: float = 60.0) -> None:
        super().__init__()
        self._most = most
        self._span_s = span_s
        self._spans: dict[tuple[str, str], _Span] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        kind = (record.name, str(record.msg))
        with self._lock:
            span = self._spans.get(kind)
            if span is None or record.created - span.began >= self._span_s:
                if span is not None and span.left_out:
                    record.left_out = span.left_out
                span = self._spans[kind] = _Span(record.created)
            if span.written >= self._most:
                span.left_out += 1
                return False
            span.written += 1
            return True


def configure_log(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send all logs to `stream` (default: standard output): ours from `level` on, those of libraries from WARNING on.

    Call it once, at the start of a process. Another call replaces the set-up.
    """
    stream = sys.stdout if stream is None else stream
    if isinstance(stream, io.TextIOWrapper):
        # A log line must not fail because the locale's encoding lacks a character.
        stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(CentreLineFormatter(journal=_is_journald(stream, os.environ)))
    handler.addFilter(KindLimit())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("centre").setLevel(level)
    # If the reader is gone (a closed pipe), a log line must not print a traceback.
    logging.raiseExceptions = False


def _is_journald(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether `stream` is the connection to journald that `$JOURNAL_STREAM` announces (systemd.exec(5))."""
    announced = environ.get("JOURNAL_STREAM")
    if announced is None:
        return False
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return announced == f"{stat.st_dev}:{stat.st_ino}"
