"""Fetch single orders by subscribing to their topics, a few at a time. Pure; time is handed in.

Brokers cut long runs of retained messages short; a subscription to one topic reliably brings its message.
(`mqtt.md#order-index`)
"""

import math
from collections import deque
from collections.abc import Iterable

__all__ = ["AT_ONCE", "Fetching"]

AT_ONCE = 16


class Fetching:
    """The topics still to be fetched, and those subscribed to now. A topic that brings nothing expires."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._wanted: deque[str] = deque()
        self._known: set[str] = set()
        self._active: dict[str, float] = {}

    def want(self, topics: Iterable[str]) -> None:
        """Fetch these topics too. No-op for topics that are already wanted or subscribed to."""
        for topic in topics:
            if topic not in self._known:
                self._known.add(topic)
                self._wanted.append(topic)

    def start(self, now: float) -> list[str]:
        """Return the topics to subscribe to now."""
        started = []
        while self._wanted and len(self._active) < AT_ONCE:
            topic = self._wanted.popleft()
            self._active[topic] = now + self._timeout_s
            started.append(topic)
        return started

    def arrived(self, topic: str) -> bool:
        """Note a message on this topic; return whether it was fetched and can be unsubscribed from."""
        if self._active.pop(topic, None) is None:
            return False
        self._known.discard(topic)
        return True

    def expire(self, now: float) -> list[str]:
        """Return the topics that brought nothing in time and are to be unsubscribed from."""
        expired = [topic for topic, until in self._active.items() if until <= now]
        for topic in expired:
            self.arrived(topic)
        return expired

    def disconnected(self) -> None:
        """The connection ended: fetch again what was subscribed to."""
        self._wanted.extendleft(reversed(self._active))
        self._active.clear()

    def deadline(self) -> float:
        """Return when `start` or `expire` has something to do; infinity for never."""
        if self._wanted and len(self._active) < AT_ONCE:
            return -math.inf
        return min(self._active.values(), default=math.inf)
