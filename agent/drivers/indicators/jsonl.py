"""An indicator for machines: each signal is one line of JSON, written at once."""

import json
import os
import stat

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.drivers.indicators.indicator import SignalsOnly
from agent.errors import DeviceError

__all__ = ["JsonlIndicator"]


class JsonlIndicator(SignalsOnly):
    """Writes `{"station", "signal", "reason", "monotonic_ns"}` lines to a file or FIFO, each with one unbuffered write.

    `monotonic_ns` is the time passed to `show`. It never waits for a reader: lines that do not fit into a FIFO are
    dropped, and `fault` says so until a write succeeds. Raises DeviceError if the path cannot be opened.
    """

    def __init__(self, *, station: str, path: str) -> None:
        super().__init__()
        self._path = path
        try:
            self._fd: int | None = _open(path)
        except OSError as exc:
            raise DeviceError(f"{path} cannot be opened: {exc.strerror}") from exc
        self._station = station
        self._torn = b""

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        if self._fd is None:
            return
        values = {"station": self._station, "signal": signal, "reason": reason, "monotonic_ns": monotonic_ns}
        line = self._torn + json.dumps(values).encode() + b"\n"
        try:
            written = os.write(self._fd, line)
        except BlockingIOError:
            self.fault = f"{self._path} is full: no program reads it"
        except OSError as exc:
            self.fault = f"{self._path}: {exc.strerror}"
        else:
            # If the disk became full in the middle of this line, the next one must start on a new line.
            complete = written == len(line)
            self._torn = b"" if complete else b"\n"
            self.fault = None if complete else f"{self._path}: the disk is full, a line was cut short"

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _open(path: str) -> int:
    flags = os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        is_fifo = stat.S_ISFIFO(os.stat(path).st_mode)
    except FileNotFoundError:
        is_fifo = False
    # Opened for reading and writing, a FIFO does not wait for a reader and does not break without one (fifo(7)).
    return os.open(path, flags | (os.O_RDWR if is_fifo else os.O_WRONLY), 0o644)
