"""Sample documents, and helpers to read a journal back."""

from collections.abc import Callable
from pathlib import Path

from agent.journal import Journal, StoredEvent

SMALL = 1024
"""A segment size that a few events fill."""


def document(number: int, size: int = 0) -> bytes:
    return b'{"n":%d,"pad":"%s"}' % (number, b"." * size)


def events_in(journal: Journal, after: int = 0, limit: int = 7) -> list[StoredEvent]:
    """Return all events after a position, read in batches."""
    found: list[StoredEvent] = []
    with journal.reader(after) as reader:
        while batch := reader.read(limit):
            assert len(batch) <= limit
            found += batch
    return found


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def ids(*names: str) -> Callable[[], str]:
    """Return a `new_id` that gives these ids in order."""
    remaining = iter(names)
    return lambda: next(remaining)
