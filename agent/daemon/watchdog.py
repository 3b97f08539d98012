"""Feed systemd's watchdog from the main loop, as long as the scan path works too."""

import asyncio
from collections.abc import Callable

from agent.runtime.systemd import Notifier

__all__ = ["feed_watchdog"]

_FEED_S = 1.0
"""The longest pause between two feeds."""


async def feed_watchdog(notifier: Notifier, interval_s: float | None, is_alive: Callable[[], bool]) -> None:
    """Feed the watchdog at least three times in `interval_s`, while `is_alive` says so. No-op without an interval."""
    while interval_s is not None:
        if is_alive():
            notifier.watchdog()
        await asyncio.sleep(min(_FEED_S, interval_s / 3))
