"""The main thread reads the devices while the scan path's thread is busy, so that no kernel buffer overflows."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from agent.runtime.event_loop import EventLoop

__all__ = ["reading_as_fallback"]

_LOOK_S = 0.1
"""The device loop does not wake the main thread for timers: for a scan cut short, or a device that is back."""


@contextmanager
def reading_as_fallback(loop: asyncio.AbstractEventLoop, device_loop: EventLoop) -> Iterator[None]:
    """Run `device_loop` from the asyncio loop whenever its owner does not."""
    timer: asyncio.TimerHandle | None = None

    def look() -> None:
        nonlocal timer
        device_loop.try_run_once()
        timer = loop.call_later(_LOOK_S, look)

    loop.add_reader(device_loop.ready_fd, device_loop.try_run_once)
    timer = loop.call_later(_LOOK_S, look)
    try:
        yield
    finally:
        timer.cancel()
        loop.remove_reader(device_loop.ready_fd)
