"""A relay to a real broker, for a slow, silent or broken connection."""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

__all__ = ["Relay"]


class Relay:
    """Passes bytes between clients and a broker's port. Context-managed.

    At most `bytes_per_s` pass each way; nothing passes while `mute` is set. `connections` counts them.
    """

    def __init__(self, port: int, *, bytes_per_s: int | None = None) -> None:
        self._behind = port
        self._bytes_per_s = bytes_per_s
        self.mute = threading.Event()
        self.connections = 0
        self._is_over = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._run, name="relay", daemon=True).start()

    def _run(self) -> None:
        while not self._is_over:
            try:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection(("127.0.0.1", self._behind))
            except OSError:
                if self._is_over:
                    return
                continue
            self.connections += 1
            self._open = [ours, theirs]
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pump, args=(source, target), name="relay-pump", daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        chunk = 65536 if self._bytes_per_s is None else max(1, self._bytes_per_s // 100)
        with suppress(OSError):
            while data := source.recv(chunk):
                if self._bytes_per_s is not None:
                    time.sleep(len(data) / self._bytes_per_s)
                if not self.mute.is_set():
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def has_had(self, connections: int) -> bool:
        return self.connections >= connections

    def cut(self) -> None:
        """Break the connection, in the middle of whatever it carries."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
