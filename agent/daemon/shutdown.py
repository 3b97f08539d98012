"""How the daemon ends: asked to stop by a signal or a caller, or by the first failure of any of its threads."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from agent.errors import JournalDamaged

__all__ = ["PartFailed", "Shutdown", "ending_on_failures", "ending_on_signals", "reloading_on_hangup", "running_beside"]


class PartFailed(Exception):
    """A part of the running daemon failed unexpectedly. A restart may help."""


class Shutdown:
    """The request to end. Any thread may make it, at any time; the first request gives the reason."""

    def __init__(self) -> None:
        self._requested: Future[str] = Future()
        self.failure: BaseException | None = None
        """The first failure of a part, also of one that failed while the others were being stopped."""

    def request(self, why: str) -> None:
        """End the daemon in order."""
        with contextlib.suppress(InvalidStateError):
            self._requested.set_result(why)

    def fail(self, failure: BaseException) -> None:
        """End the daemon because one of its parts failed."""
        if self.failure is None:
            self.failure = failure
        self.request("journal damaged" if isinstance(failure, JournalDamaged) else "bug")

    @property
    def reason(self) -> str:
        """Why the daemon ends, for log and status."""
        is_requested = self._requested.done() and not self._requested.cancelled()
        return self._requested.result() if is_requested else "cannot start"

    async def wait(self) -> None:
        """Wait for the request."""
        await asyncio.wrap_future(self._requested)

    def raise_failure(self) -> None:
        """Raise JournalDamaged or PartFailed if a part has failed."""
        if isinstance(self.failure, JournalDamaged):
            raise self.failure
        if self.failure is not None:
            raise PartFailed(repr(self.failure)) from self.failure


@contextmanager
def ending_on_signals(shutdown: Shutdown, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Treat SIGTERM and SIGINT as a request to end; put back the handlers that were there."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        loop.add_signal_handler(number, shutdown.request, f"signal {number.name}")
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextmanager
def reloading_on_hangup(loop: asyncio.AbstractEventLoop, reload: Callable[[], None]) -> Iterator[None]:
    """Call `reload` in the loop at each SIGHUP; put back the handler that was there (`commands.md#reload`)."""
    before = signal.getsignal(signal.SIGHUP)
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


@contextmanager
def ending_on_failures(shutdown: Shutdown, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Treat an exception that no thread and no callback of the loop catches as a failure.

    Enter it before the first thread is started.
    """

    def thread_failed(args: threading.ExceptHookArgs) -> None:
        shutdown.fail(args.exc_value or RuntimeError(f"the thread {args.thread} died"))

    def callback_failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        shutdown.fail(context.get("exception") or RuntimeError(str(context.get("message"))))

    before = threading.excepthook
    threading.excepthook = thread_failed
    loop.set_exception_handler(callback_failed)
    try:
        yield
    finally:
        threading.excepthook = before
        loop.set_exception_handler(None)


@asynccontextmanager
async def running_beside(shutdown: Shutdown, *coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the coroutines as tasks inside the context, and cancel them at its end. One that fails ends the daemon."""

    async def run(coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        except Exception as exc:  # noqa: BLE001 - whatever it is, it ends the process
            shutdown.fail(exc)

    tasks = [asyncio.create_task(run(coroutine)) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
