"""Fetching single orders: subscribing to their topics, a few at a time, until each has come. Pure; time is handed in.

Brokers cut long runs of retained messages short; a subscription to one topic brings its message for certain.
"""

import math
from collections import deque
from collections.abc import Iterable

__all__ = ["AT_ONCE", "Fetching"]

AT_ONCE = 16


class Fetching:
    """Topics wanted, and those subscribed to by themselves now. A topic that brings nothing is given up in time."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._wanted: deque[str] = deque()
        self._known: set[str] = set()
        self._active: dict[str, float] = {}

    def want(self, topics: Iterable[str]) -> None:
        """Fetch these too; those already wanted or under way are not asked for twice."""
        for topic in topics:
            if topic not in self._known:
                self._known.add(topic)
                self._wanted.append(topic)

    def start(self, now: float) -> list[str]:
        """Topics to subscribe to now."""
        started = []
        while self._wanted and len(self._active) < AT_ONCE:
            topic = self._wanted.popleft()
            self._active[topic] = now + self._timeout_s
            started.append(topic)
        return started

    def came(self, topic: str) -> bool:
        """A message came on this topic; true if it was fetched, so that it is to be unsubscribed from."""
        if self._active.pop(topic, None) is None:
            return False
        self._known.discard(topic)
        return True

    def give_up(self, now: float) -> list[str]:
        """Topics that brought nothing in time: to be unsubscribed from."""
        late = [topic for topic, until in self._active.items() if until <= now]
        for topic in late:
            self.came(topic)
        return late

    def disconnected(self) -> None:
        """What was under way is to be asked for anew."""
        self._wanted.extendleft(reversed(self._active))
        self._active.clear()

    def deadline(self) -> float:
        """When `start` or `give_up` has something to do; infinity for never."""
        if self._wanted and len(self._active) < AT_ONCE:
            return -math.inf
        return min(self._active.values(), default=math.inf)
