"""Pages of a journal file written anew: what was in doubt is written again, what was begun is erased."""

import os

from agent.durable import write_all

__all__ = ["PAGE_BYTES", "erase", "rewrite"]

PAGE_BYTES = 4096
"""The unit in which the page cache writes back; a failed flush is in doubt for all of a page."""


def rewrite(fd: int, data: bytes, start: int, end: int) -> None:
    """Write again the pages that hold `data[start:end]`, as they stand in `data`, and flush them.

    After a failed flush the kernel takes those pages for clean: another flush alone would write nothing and succeed.
    """
    start -= start % PAGE_BYTES
    write_all(fd, data[start:end], start)
    os.fdatasync(fd)


def erase(fd: int, start: int, end: int, capacity: int) -> None:
    """Fill the file with zeros from `start` to before `end`, cut it to `capacity` bytes if it grew, and flush."""
    capacity = max(capacity, start)
    if os.fstat(fd).st_size > capacity:
        os.ftruncate(fd, capacity)
    write_all(fd, bytes(max(0, min(end, capacity) - start)), start)
    os.fdatasync(fd)
