"""The service manager's end of sd_notify(3): hears when a daemon says that it is ready."""

import socket
import tempfile
import threading
import time
from collections.abc import Callable

from harness.waiting import DEADLINE_S

__all__ = ["ServiceManager"]

_ALIVE_POLL_S = 0.05


class ServiceManager:
    """A datagram socket that a thread reads; `path` is the daemon's NOTIFY_SOCKET."""

    def __init__(self) -> None:
        # In a short folder of its own: the path of a socket has room for about a hundred characters.
        self._directory = tempfile.TemporaryDirectory(prefix="kiosk-")
        self.path = f"{self._directory.name}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._heard = threading.Condition()
        self._ready_at: list[float] = []
        self._reader = threading.Thread(target=self._read, name="service-manager", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while datagram := self._socket.recv(4096):
            now = time.monotonic()
            with self._heard:
                self._ready_at += [now for line in datagram.decode().splitlines() if line == "READY=1"]
                self._heard.notify_all()

    @property
    def count(self) -> int:
        """How many times READY=1 has come."""
        with self._heard:
            return len(self._ready_at)

    def wait_ready(self, after: int, is_alive: Callable[[], bool], *, deadline_s: float = DEADLINE_S) -> float | None:
        """Return the monotonic time of the READY=1 that follows the first `after`; None if the daemon ends instead.

        Raises AssertionError at the deadline.
        """
        end = time.monotonic() + deadline_s
        with self._heard:
            while len(self._ready_at) <= after:
                if not is_alive():
                    return None
                assert time.monotonic() < end, f"the daemon was not ready after {deadline_s:.0f} s"
                self._heard.wait(_ALIVE_POLL_S)
            return self._ready_at[after]

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.path)  # an empty datagram ends the reader
        self._reader.join(DEADLINE_S)
        self._socket.close()
        self._directory.cleanup()
