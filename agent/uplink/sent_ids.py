"""The ids of events that were published and are not delivered, so that most acks can be checked without a read."""

from collections import deque

__all__ = ["SentIds"]


class SentIds:
    """Event ids by position. Positions are added in ascending order; adding one again is a no-op."""

    def __init__(self) -> None:
        self._ids: deque[tuple[int, str]] = deque()

    def add(self, position: int, document: bytes) -> None:
        """Remember the id of the event at `position`. `document` is its CloudEvents document."""
        if not self._ids or position > self._ids[-1][0]:
            self._ids.append((position, _id_of(document)))

    def get(self, position: int) -> str | None:
        """Return the event's id; None if it is not remembered."""
        if not self._ids or not 0 <= (index := position - self._ids[0][0]) < len(self._ids):
            return None
        at, event_id = self._ids[index]
        return event_id if at == position else None

    def delivered(self, through: int) -> None:
        """Forget everything up to position `through`."""
        while self._ids and self._ids[0][0] <= through:
            self._ids.popleft()

    def clear(self) -> None:
        """Forget everything: the journal has a new id."""
        self._ids.clear()


def _id_of(document: bytes) -> str:
    """Return a document's `id` without parsing all of it. Our ids contain no escapes."""
    start = document.index(b'"id":"') + 6
    return document[start : document.index(b'"', start)].decode("ascii", "replace")
