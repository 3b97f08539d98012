"""Replace files so that a power cut leaves the old content or the new, never a part (`faults.md#power-cut`)."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["TEMPORARY", "replace_durably", "replace_file", "sync_directory", "write_all"]

TEMPORARY = ".tmp"
"""Suffix of files that are being written."""


def sync_directory(directory: Path) -> None:
    """Flush the names in a directory to disk. Raises OSError."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes, offset: int) -> None:
    """Write all of `data` at `offset`. Raises OSError."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest = rest[written:]
        offset += written


def replace_file(path: Path, data: bytes) -> None:
    """Replace the file at `path`, as a whole or not at all.

    The new content is durable; that it has the name `path` is durable once `sync_directory` has returned. Raises
    OSError; then the old file is unchanged.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            write_all(fd, data, 0)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except OSError:
        # On a full disk, the unfinished file would take the space that housekeeping needs.
        with suppress(OSError):
            os.unlink(temporary)
        raise


def replace_durably(path: Path, data: bytes) -> None:
    """Replace the file at `path` as `replace_file` does. The change is durable when this returns."""
    replace_file(path, data)
    sync_directory(path.parent)
