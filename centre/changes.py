"""Wake-ups after a commit, for the publishers and the board's live pages.

A wake-up carries no data: the waiter reads the database.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum

__all__ = ["Change", "Changes", "Waiter"]


class Change(StrEnum):
    """What kind of row has changed."""

    RETAINED = "retained"
    EVENTS = "events"
    ORDERS = "orders"
    KIOSKS = "kiosks"
    CONFLICTS = "conflicts"


class Waiter:
    """One subscription. Changes that come while nobody waits are remembered, each kind once."""

    def __init__(self, kinds: Iterable[Change]) -> None:
        self.kinds = frozenset(kinds)
        self._seen: set[Change] = set()
        self._event = asyncio.Event()

    def wake(self, kinds: Iterable[Change]) -> None:
        """Remember changes. Called in the event loop's thread."""
        found = self.kinds.intersection(kinds)
        if found:
            self._seen |= found
            self._event.set()

    async def wait(self, timeout_s: float | None = None) -> frozenset[Change]:
        """Return what has changed since the last call; empty after the timeout."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), timeout_s)
        self._event.clear()
        found, self._seen = frozenset(self._seen), set()
        return found


class Changes:
    """Hands changes to all waiters."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiters: list[Waiter] = []

    def subscribe(self, *kinds: Change) -> Waiter:
        """Return a new waiter for these kinds. End it with `unsubscribe`."""
        waiter = Waiter(kinds)
        self._waiters.append(waiter)
        return waiter

    def unsubscribe(self, waiter: Waiter) -> None:
        self._waiters.remove(waiter)

    def tell(self, *kinds: Change) -> None:
        """Wake the waiters; any thread may call it, after its commit."""
        self._loop.call_soon_threadsafe(self._tell, kinds)

    def _tell(self, kinds: tuple[Change, ...]) -> None:
        for waiter in self._waiters:
            waiter.wake(kinds)
