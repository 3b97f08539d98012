"""Talk to systemd: `sd_notify(3)` as plain datagrams, and the watchdog's interval (`sd_watchdog_enabled(3)`)."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

__all__ = ["ServiceNotifier", "watchdog_s"]


def watchdog_s(environ: Mapping[str, str] = os.environ, *, pid: int | None = None) -> float | None:
    """Return how many seconds systemd waits for a watchdog message; None if it does not watch this process."""
    meant_for = environ.get("WATCHDOG_PID")
    if meant_for is not None and meant_for != str(os.getpid() if pid is None else pid):
        return None
    try:
        interval_us = int(environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return interval_us / 1e6 if interval_us > 0 else None


class ServiceNotifier:
    """The service manager's notification socket. Without one, all calls are no-ops. No call blocks or raises."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the NUL byte of an abstract socket address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if self._address.startswith(("/", "\0")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    def ready(self) -> None:
        """Tell systemd that the service has started."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Tell systemd that the service is stopping."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the status line that `systemctl status` shows."""
        self._send("STATUS=" + " ".join(text.split()))

    async def feed_watchdog(self, interval_s: float | None) -> None:
        """Tell systemd often enough that the event loop is alive, until cancelled. Returns at once without interval."""
        while interval_s is not None:
            self._send("WATCHDOG=1")
            await asyncio.sleep(interval_s / 3)

    def close(self) -> None:
        """Close the socket. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, line: str) -> None:
        if self._socket is not None:
            # A manager that is gone or busy must not stop the centre.
            with contextlib.suppress(OSError):
                self._socket.sendto(line.encode("utf-8", "replace"), self._address)
