"""Where the uplink gets its events from: the journal, seen through three questions."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

__all__ = ["EventSource", "SourceHead", "SourcedEvent"]


class SourceHead(Struct, frozen=True, kw_only=True):
    """Where the journal stands.

    A *position* counts all events of this device over all journal ids; a *sequence* counts from 1 under one id.
    Events of the current `journal` have position = `base` + sequence. All positions to `delivered` are delivered.
    """

    journal: str
    last_position: int
    last_sequence: int
    delivered: int

    @property
    def base(self) -> int:
        """The last position of the journal ids before this one; 0 for the first."""
        return self.last_position - self.last_sequence


class SourcedEvent(Protocol):
    """One committed event; `document` is its CloudEvents document as published."""

    @property
    def position(self) -> int: ...
    @property
    def journal(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def document(self) -> bytes: ...


class EventSource(Protocol):
    """The journal, as the uplink's thread reads it while others append. Every method is thread-safe."""

    def head(self) -> SourceHead:
        """Where the journal stands now; cheap."""
        ...

    def read(self, after: int, limit: int) -> Sequence[SourcedEvent]:
        """At most `limit` committed events behind position `after`, in order; empty at the end.

        Raises JournalDamaged, JournalFault or OSError.
        """
        ...

    def event_id(self, journal: str, sequence: int) -> str | None:
        """The id of an event, or none where it is unknown or pruned. Raises as `read` does."""
        ...
