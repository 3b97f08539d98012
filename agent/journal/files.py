"""Writing that survives a power cut: the few steps of which the journal is made."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["PAGE_BYTES", "TEMPORARY", "erase", "replace_durably", "rewrite", "sync_directory", "write_all"]

PAGE_BYTES = 4096
"""The unit in which the page cache writes back; a failed flush is in doubt for all of a page."""

TEMPORARY = ".tmp"
"""What the name of a file not yet finished ends with."""


def sync_directory(directory: Path) -> None:
    """Flush which names the directory has."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes, offset: int, *, piece_bytes: int | None = None) -> None:
    """Write all of `data`, in pieces of `piece_bytes` if that is given. Raises OSError."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest[:piece_bytes], offset)
        rest = rest[written:]
        offset += written


def replace_durably(path: Path, data: bytes, *, piece_bytes: int | None = None) -> None:
    """Put a file in the place of `path`, whole or not at all, and durable when this returns.

    `piece_bytes` is the size of the writes it is made with, where that matters.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        write_all(fd, data, 0, piece_bytes=piece_bytes)
        os.fsync(fd)
    except OSError:
        # On a full disk the part that was written would stand in the way of what frees space.
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(fd)
    os.replace(temporary, path)
    sync_directory(path.parent)


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
