"""An asyncio event that any thread may set."""

import asyncio
import contextlib

__all__ = ["ThreadSafeEvent"]


class ThreadSafeEvent:
    """`set` may be called by any thread; `wait` belongs to one task of the loop, and clears the event."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._is_set = False

    def set(self) -> None:
        """Wake the waiting task. No-op once the loop is closed."""
        if not self._is_set:
            self._is_set = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the event is set, and clear it. Return False if the time was over first."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        # Cleared before the waiter looks at what was set, so that a set after its look wakes it again.
        self._event.clear()
        self._is_set = False
        return True
