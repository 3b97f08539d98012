"""The journal's files: reading them unnoticed; writing pages anew, what was in doubt again, what was begun erased."""

import os
from pathlib import Path

from agent.runtime.durable import write_all

__all__ = ["PAGE_BYTES", "erase", "open_to_read", "rewrite"]

PAGE_BYTES = 4096
"""The unit in which the page cache writes back; a failed flush is in doubt for all of a page."""

_UNNOTICED: int = getattr(os, "O_NOATIME", 0)
"""Linux has it."""


def open_to_read(path: Path) -> int:
    """A descriptor that is read without a trace. Raises OSError.

    The time of access would make the file's inode dirty, and the next commit's flush would have to write it, too.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC
    try:
        return os.open(path, flags | _UNNOTICED)
    except PermissionError:  # the owner's right alone; another one who may read the file reads it as usual
        return os.open(path, flags)


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
