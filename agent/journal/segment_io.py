"""Access to segment files: write pages again after a failed flush, erase an interrupted write."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import JournalFault
from agent.runtime.durable import write_all

__all__ = ["PAGE_BYTES", "erase", "rewrite", "storage_fault"]

PAGE_BYTES = 4096
"""The page cache writes back whole pages, so a failed flush leaves whole pages in doubt."""


def rewrite(fd: int, data: bytes, start: int, end: int) -> None:
    """Write the pages that hold `data[start:end]` again, with the content of `data`, and flush them. Raises OSError.

    After a failed flush the kernel marks those pages as clean: a second flush alone would write nothing and succeed.
    """
    start -= start % PAGE_BYTES
    write_all(fd, data[start:end], start)
    os.fdatasync(fd)


def erase(fd: int, start: int, end: int, capacity: int) -> None:
    """Fill bytes `start` to before `end` with zeros, cut the file to `capacity` bytes if it is longer, and flush."""
    capacity = max(capacity, start)
    if os.fstat(fd).st_size > capacity:
        os.ftruncate(fd, capacity)
    write_all(fd, bytes(max(0, min(end, capacity) - start)), start)
    os.fdatasync(fd)


@contextmanager
def storage_fault(doing: str) -> Iterator[None]:
    """Raise an OSError of the block as a JournalFault whose text begins with `doing`."""
    try:
        yield
    except JournalFault:
        raise
    except OSError as exc:
        raise JournalFault(f"{doing}: {exc.strerror or exc}") from exc
