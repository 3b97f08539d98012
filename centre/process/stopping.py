"""How the centre ends: asked to by a signal, or by the first failure of one of its parts."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

__all__ = ["Stop", "ignore_hangups", "running", "stopping_on_signals"]

_log = logging.getLogger(__name__)


class Stop:
    """The request to end. It belongs to the event loop's thread; the first request gives the reason."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self.reason = ""
        self.failure: BaseException | None = None
        """The first failure of a part."""

    def request(self, reason: str) -> None:
        """End the centre in order."""
        if not self._requested.is_set():
            self.reason = reason
            self._requested.set()

    def fail(self, failure: BaseException) -> None:
        """End the centre because one of its parts failed."""
        if self.failure is None:
            self.failure = failure
        self.request("a part failed")

    async def wait(self) -> None:
        """Wait for the request."""
        await self._requested.wait()


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """Treat SIGTERM and SIGINT as a request to end; SIGHUP too, if a terminal has hung up, and not otherwise."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.request, number.name)
    if has_terminal():
        loop.add_signal_handler(signal.SIGHUP, stop.request, signal.SIGHUP.name)
    else:
        loop.add_signal_handler(signal.SIGHUP, _log.warning, "SIGHUP changes nothing: restart to read the settings")
    try:
        yield
    finally:
        for number in (*signals, signal.SIGHUP):
            loop.remove_signal_handler(number)
        ignore_hangups()


def has_terminal() -> bool:
    """Return whether a person has started the process at a terminal."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def ignore_hangups() -> None:
    """Let SIGHUP end the process only if it has a terminal. systemd would not start it again."""
    if not has_terminal():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


@asynccontextmanager
async def running(stop: Stop, *parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the parts beside the body. One that fails ends the centre; at the end of the body all are cancelled."""
    tasks = [asyncio.create_task(part) for part in parts]
    for task in tasks:
        task.add_done_callback(lambda done: _note_failure(stop, done))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _note_failure(stop: Stop, done: "asyncio.Task[None]") -> None:
    if not done.cancelled() and (failure := done.exception()) is not None:
        stop.fail(failure)
