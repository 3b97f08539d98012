"""Publish delivered events again when the centre asks for them, independent of the outbox and under their own ids."""

import math
from collections import deque

from agent.uplink.event_source import EventSource, SourcedEvent
from agent.uplink.outbox import Outgoing

__all__ = ["AT_ONCE", "RANGES_MAX", "Resending"]

AT_ONCE = 32
RANGES_MAX = 10


class Resending:
    """Ranges of positions to publish again, in order, a few in flight at a time. (`mqtt.md#requests`)

    An event that the broker refuses is not retried.
    """

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._ranges: deque[tuple[int, int]] = deque()
        self._queue: deque[SourcedEvent] = deque()
        self._inflight: dict[int, int] = {}
        self._sent_at: dict[int, float] = {}

    @property
    def in_flight(self) -> int:
        """How many events are published and not yet answered by the broker."""
        return len(self._inflight)

    def want(self, first: int, last: int) -> None:
        """Publish the events at positions `first` to `last` again. Pruned ones are skipped.

        Of more than ten ranges that wait, the newest are kept.
        """
        if first <= last and (first, last) not in self._ranges:
            self._ranges.append((first, last))
            if len(self._ranges) > RANGES_MAX:
                self._ranges.popleft()

    def next(self) -> Outgoing | None:
        """Return the event to publish now; None if none may go. After publishing it call `sent_as`.

        Raises what the source raises.
        """
        if len(self._inflight) >= AT_ONCE:
            return None
        while not self._queue and self._ranges:
            first, last = self._ranges.popleft()
            events = self._source.read(first - 1, AT_ONCE)
            self._queue.extend(event for event in events if event.position <= last)
            if events and events[-1].position < last:
                self._ranges.appendleft((events[-1].position + 1, last))
        if not self._queue:
            return None
        event = self._queue.popleft()
        return Outgoing(event.position, event.document)

    def sent_as(self, token: int, position: int, now: float) -> None:
        """The event was published; `answered` will get the same `token`."""
        self._inflight[token] = position
        self._sent_at[token] = now

    def answered(self, token: int) -> bool:
        """Note the broker's answer; return False if nothing was published as `token`."""
        self._sent_at.pop(token, None)
        return self._inflight.pop(token, None) is not None

    def stalled_since(self) -> float:
        """Return when the oldest event in flight was published; infinity if there is none."""
        return next(iter(self._sent_at.values()), math.inf)

    def disconnected(self) -> None:
        """The connection ended: publish what was in flight or read again, before the rest."""
        again = [*self._inflight.values(), *(event.position for event in self._queue)]
        self._inflight.clear()
        self._sent_at.clear()
        self._queue.clear()
        if again:
            self._ranges.appendleft((min(again), max(again)))
