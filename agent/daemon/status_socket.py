"""The Unix socket behind `kiosk-agent status` (`commands.md#status-of-the-daemon`): one JSON document a connection."""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PATIENCE_S", "SOCKET_NAME", "StatusSocket", "is_running"]

_log = logging.getLogger(__name__)

SOCKET_NAME = "status.sock"
"""In the state directory."""

PATIENCE_S = 5.0
"""How long a client waits for the answer."""

_BACKLOG = 8


def is_running(state_dir: Path) -> bool:
    """Return whether a daemon on `state_dir` takes connections."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(PATIENCE_S)
        try:
            stream.connect(str(state_dir / SOCKET_NAME))
        except OSError:
            return False
    return True


def _set_mode(path: Path) -> None:
    """Let the group connect, whatever the umask. Raises OSError if `path` has become a symbolic link."""
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise OSError(errno.ENOTSOCK, "is not the socket", str(path))
        os.chmod(f"/proc/self/fd/{fd}", 0o660)
    finally:
        os.close(fd)


class StatusSocket:
    """A context manager that answers with `document()`. No-op if the socket cannot be created, as on a full disk."""

    def __init__(self, loop: asyncio.AbstractEventLoop, directory: Path, document: Callable[[], bytes]) -> None:
        self._loop = loop
        self._path = directory / SOCKET_NAME
        self._document = document
        self._socket: socket.socket | None = None
        self._answers: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._path.unlink(missing_ok=True)
            os.fchmod(listener.fileno(), 0o600)  # the file that bind() makes is never open to others
            listener.bind(str(self._path))
            _set_mode(self._path)
            listener.listen(_BACKLOG)
        except OSError as exc:
            listener.close()
            _log.warning(
                "kiosk-agent status will not work: its socket cannot be created", extra={"path": self._path, "why": exc}
            )
            return self
        self._socket = listener
        self._loop.add_reader(listener, self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            connection.setblocking(False)
            task = self._loop.create_task(self._answer(connection))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                await self._loop.sock_sendall(connection, self._document())
