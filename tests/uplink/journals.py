"""An event source in memory, which a test can prune, roll back and break."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from agent.uplink.event_source import SourceHead

__all__ = ["Stored", "StoredJournal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    position: int
    journal: str
    sequence: int
    document: bytes

    @property
    def id(self) -> str:
        text: str = json.loads(self.document)["id"]
        return text


class StoredJournal:
    """The `EventSource` of a test. `delivered` is the stored delivery mark; `broken` is raised by every read."""

    def __init__(self, journal: str = "AAAAAAAA", *, events: int = 0) -> None:
        self.journal = journal
        self.boot = "00000000"
        self.base = 0
        self.delivered = 0
        self.pruned = 0
        self.events: list[Stored] = []
        self.broken: Exception | None = None
        for _ in range(events):
            self.commit()

    def commit(self, *, type_: str = "scan.accepted", padding: int = 0) -> Stored:
        sequence = len(self.events) + 1 - self.base
        event = Stored(
            position=len(self.events) + 1,
            journal=self.journal,
            sequence=sequence,
            document=self.new_document(sequence, type_=type_, padding=padding),
        )
        self.events.append(event)
        return event

    def new_document(self, sequence: int, *, type_: str, padding: int) -> bytes:
        """Return the document of an event: what the uplink reads of it, and no more."""
        document = {
            "specversion": "1.0",
            "id": f"{self.journal}-{sequence:012d}-{self.boot}",
            "type": f"kiosk.{type_}.v1",
            "sequence": f"{sequence:012d}",
            "data": {"padding": "x" * padding},
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def start_over(self, journal: str) -> None:
        self.journal = journal
        self.base = len(self.events)

    # -- EventSource -------------------------------------------------------------------------------------------------

    def head(self) -> SourceHead:
        last = len(self.events)
        return SourceHead(
            journal=self.journal, last_position=last, last_sequence=last - self.base, delivered=self.delivered
        )

    def read(self, after: int, limit: int) -> Sequence[Stored]:
        if self.broken:
            raise self.broken
        start = max(after, self.pruned)
        return self.events[start : start + limit]

    def event_id(self, journal: str, sequence: int) -> str | None:
        if self.broken:
            raise self.broken
        for event in reversed(self.events[self.pruned :]):
            if event.journal == journal and event.sequence == sequence:
                return event.id
        return None
