"""Events read from the journal in batches, waiting to be published."""

from collections import deque

from agent.uplink.event_source import EventSource, SourcedEvent

__all__ = ["ReadAhead"]

BATCH = 128


class ReadAhead:
    """The events after a position, in order. Every method raises what the source raises.

    Only one batch is in memory, however large the backlog is. (`budgets.md#memory-per-waiting-event`,
    `budgets.md#commit-with-a-backlog`)
    """

    def __init__(self, source: EventSource, *, after: int) -> None:
        self._source = source
        self._queue: deque[SourcedEvent] = deque()
        self._read = after
        self.bases: dict[str, int] = {}
        """Bases of the journal ids seen so far: an event's position is its id's base + its sequence."""

    def first(self, *, base: int) -> SourcedEvent | None:
        """Return the next event; None if there is none yet. `base` is the base of the present journal id."""
        if not self._queue:
            events = self._source.read(self._read, BATCH)
            if not events:
                return None
            self._queue.extend(events)
            self._read = events[-1].position
            if events[0].position <= base:
                for event in events:
                    self._learn_base(event)
        return self._queue[0]

    def remove_first(self) -> None:
        """Remove the event that `first` returned."""
        self._queue.popleft()

    def skip_to(self, position: int) -> None:
        """Drop everything up to `position`."""
        while self._queue and self._queue[0].position <= position:
            self._queue.popleft()
        self._read = max(self._read, position)

    def restart(self, *, after: int) -> None:
        """Read again from a position on."""
        self._queue.clear()
        self._read = after

    def base_of(self, journal: str, *, delivered: int) -> int | None:
        """Return the base of a journal id; None unless it is known or is the id of the first undelivered event."""
        if journal not in self.bases:
            for event in self._source.read(delivered, 1):
                self._learn_base(event)
        return self.bases.get(journal)

    def _learn_base(self, event: SourcedEvent) -> None:
        self.bases.setdefault(event.journal, event.position - event.sequence)
