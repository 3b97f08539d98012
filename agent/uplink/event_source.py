"""The interface through which the uplink reads the journal."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

__all__ = ["EventSource", "SourceHead", "SourcedEvent"]


class SourceHead(Struct, frozen=True, kw_only=True):
    """The journal id in use, the newest event, and the delivery mark.

    A *position* counts all events of this device across all journal ids. A *sequence* counts from 1 within one id.
    Under the present `journal`, position = `base` + sequence. Everything up to position `delivered` is delivered.
    """

    journal: str
    last_position: int
    last_sequence: int
    delivered: int

    @property
    def base(self) -> int:
        """The last position under earlier journal ids; 0 if there are none."""
        return self.last_position - self.last_sequence


class SourcedEvent(Protocol):
    """A committed event. `document` is its CloudEvents document as published."""

    @property
    def position(self) -> int: ...
    @property
    def journal(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def document(self) -> bytes: ...


class EventSource(Protocol):
    """The journal as the uplink's thread reads it while other threads append. All methods are thread-safe."""

    def head(self) -> SourceHead:
        """Return the journal's head now. Cheap."""
        ...

    def read(self, after: int, limit: int) -> Sequence[SourcedEvent]:
        """Return at most `limit` committed events after position `after`, in order; empty if there are none.

        Raises JournalDamaged, JournalFault or OSError.
        """
        ...

    def event_id(self, journal: str, sequence: int) -> str | None:
        """Return the id of an event; None if it is unknown or pruned. Raises the same as `read`."""
        ...
