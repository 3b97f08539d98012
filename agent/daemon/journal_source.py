"""The journal as the uplink reads it: committed events from any position, and where the journal ends."""

import json
from collections.abc import Callable, Sequence

from agent.errors import JournalDamaged
from agent.journal import Journal, Reader, StoredEvent
from agent.uplink.event_source import SourceHead

__all__ = ["JournalSource"]


class JournalSource:
    """An `EventSource` over the journal that `journal` returns; empty while that is None. Used by one thread."""

    def __init__(self, journal: Callable[[], Journal | None]) -> None:
        self._journal = journal
        self._reader: Reader | None = None
        self._read_from: Journal | None = None
        self._next = 0

    def close(self) -> None:
        """Close the reader. Idempotent; a later `read` opens another."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def head(self) -> SourceHead:
        journal = self._journal()
        if journal is None:
            return SourceHead(journal="", last_position=0, last_sequence=0, delivered=0)
        head = journal.head
        return SourceHead(
            journal=head.journal,
            last_position=head.position,
            last_sequence=head.sequence,
            delivered=journal.delivered,
        )

    def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        journal = self._journal()
        if journal is None:
            return ()
        if self._reader is None or self._read_from is not journal or after != self._next:
            self._open(journal, after)
        reader = self._reader
        if reader is None:
            return ()
        try:
            events = reader.read(limit)
        except (JournalDamaged, OSError):
            self.close()
            raise
        self._next = events[-1].position if events else after
        return events

    def event_id(self, journal_id: str, sequence: int) -> str | None:
        journal = self._journal()
        if journal is None:
            return None
        event = journal.event(journal=journal_id, sequence=sequence)
        return None if event is None else str(json.loads(event.document)["id"])

    def _open(self, journal: Journal, after: int) -> None:
        self.close()
        self._reader = journal.reader(after=after)
        self._read_from = journal
        self._next = after
