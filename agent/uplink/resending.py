"""Sending again what the consumer asks for (`resend`), beside the outbox: delivered events under their own ids."""

from collections import deque

from agent.uplink.event_source import EventSource, SourcedEvent
from agent.uplink.outbox import Outgoing

__all__ = ["AT_ONCE", "Resending"]

AT_ONCE = 32


class Resending:
    """Ranges of positions to publish again, in order, a few in flight at a time. What the broker refuses is left."""

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._ranges: deque[tuple[int, int]] = deque()
        self._queue: deque[SourcedEvent] = deque()
        self._inflight: dict[int, int] = {}

    @property
    def in_flight(self) -> int:
        return len(self._inflight)

    def want(self, first: int, last: int) -> None:
        """Send the events at positions `first` to `last` again; positions that are pruned are passed over."""
        if first <= last and (first, last) not in self._ranges:
            self._ranges.append((first, last))

    def next(self) -> Outgoing | None:
        """The event to publish now, if one may go; then call `sent_as`. Raises what the source raises."""
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

    def sent_as(self, token: int, position: int) -> None:
        """The event was published as `token`."""
        self._inflight[token] = position

    def answered(self, token: int) -> bool:
        """The broker answered; false if `token` is not ours."""
        return self._inflight.pop(token, None) is not None

    def disconnected(self) -> None:
        """What was in flight or read is to be sent anew, before the rest."""
        again = [*self._inflight.values(), *(event.position for event in self._queue)]
        self._inflight.clear()
        self._queue.clear()
        if again:
            self._ranges.appendleft((min(again), max(again)))
