"""Files that survive a power cut: the old content or the new, never a part."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["TEMPORARY", "replace_durably", "replace_file", "sync_directory", "write_all"]

TEMPORARY = ".tmp"
"""What the name of a file not yet finished ends with."""


def sync_directory(directory: Path) -> None:
    """Flush which names the directory has. Raises OSError."""
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


def replace_file(path: Path, data: bytes, *, piece_bytes: int | None = None) -> None:
    """Put a file in the place of `path`, whole or not at all; which of the two has the name is durable once
    `sync_directory` has returned. Raises OSError; the file is as it was.

    `piece_bytes` is the size of the writes it is made with, where that matters.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            write_all(fd, data, 0, piece_bytes=piece_bytes)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except OSError:
        # On a full disk the part that was written would stand in the way of what frees space.
        with suppress(OSError):
            os.unlink(temporary)
        raise


def replace_durably(path: Path, data: bytes, *, piece_bytes: int | None = None) -> None:
    """The same, and durable when this returns."""
    replace_file(path, data, piece_bytes=piece_bytes)
    sync_directory(path.parent)
