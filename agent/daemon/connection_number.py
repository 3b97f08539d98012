"""The number of the present connection to the broker: kept on disk, and higher with every connect."""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from agent.runtime.durable import replace_durably

__all__ = ["CONNECTION_FILE", "ConnectionNumber"]

CONNECTION_FILE = "connection"
"""Its name in the state directory."""

_log = logging.getLogger(__name__)

_MAX_BYTES = 32
_LARGEST = 2**53
"""The largest integer that every JSON reader keeps exactly."""


class ConnectionNumber:
    """For one thread at a time. A disk that cannot be read or written never keeps the kiosk offline.

    Without a number on the disk, numbers start at the present Unix time in seconds. So they also rise when the card is
    replaced, unless the clock is wrong just then. They are never below 1, even with a clock before 1970.
    (`mqtt.md#connection-number`)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest: int | None = None

    def next(self) -> int:
        """Return a number that is higher than all before, and keep it on the disk if that is possible."""
        if self._newest is None:
            self._newest = self._read()
        self._newest = max(1, int(time.time())) if self._newest is None else self._newest + 1
        try:
            replace_durably(self._path, b"%d\n" % self._newest)
        except FileNotFoundError:
            pass  # no state directory: the kiosk has never run
        except OSError as exc:
            _log.warning("the number of the connection cannot be written", extra={"why": exc})
        return self._newest

    def _read(self) -> int | None:
        with suppress(OSError, ValueError):
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with open(fd, "rb") as file:
                text = file.read(_MAX_BYTES).strip()
            if text.isdigit() and int(text) <= _LARGEST:
                return int(text)
        return None
