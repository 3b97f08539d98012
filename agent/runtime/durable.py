"""Replace files so that a power cut leaves the old content or the new, never a part (`faults.md#power-cut`)."""

import errno
import os
from contextlib import suppress
from pathlib import Path

__all__ = [
    "TEMPORARY",
    "make_directory",
    "open_file",
    "read_file",
    "replace_durably",
    "replace_file",
    "sync_directory",
    "write_all",
]

TEMPORARY = ".tmp"
"""Suffix of files that are being written."""

_FILE_MODE = 0o640
_DIRECTORY_MODE = 0o750


def make_directory(path: Path) -> None:
    """Create a directory and those above it, if they are missing; names are durable on return. Raises OSError.

    What is created has the same rights whatever the umask. A symbolic link is refused. (`faults.md#state-directory`)
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "is a symbolic link", str(path))
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for one in reversed(missing):
        try:
            one.mkdir()
            one.chmod(_DIRECTORY_MODE)
        except FileExistsError:
            if not one.is_dir():  # else another process has made it in the meantime
                raise
        sync_directory(one.parent)


def open_file(path: Path, flags: int) -> int:
    """Open a file that exists; return the descriptor. Raises OSError, also for a symbolic link."""
    # O_NONBLOCK changes nothing for a file, but a FIFO in its place would be waited for.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def read_file(path: Path) -> bytes:
    """Return the content of a file. Raises OSError, also for a symbolic link."""
    # As the opener, so that the descriptor is closed if this is a directory.
    with open(path, "rb", opener=lambda _, flags: open_file(path, flags)) as file:
        return file.read()


def sync_directory(directory: Path) -> None:
    """Flush the names in a directory to disk. Raises OSError."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes, offset: int, *, piece_bytes: int | None = None) -> None:
    """Write all of `data` at `offset`, at most `piece_bytes` at once. Raises OSError."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest[:piece_bytes], offset)
        rest = rest[written:]
        offset += written


def replace_file(path: Path, data: bytes, *, flush: bool = True, piece_bytes: int | None = None) -> None:
    """Replace the file at `path`, as a whole or not at all. Its rights are the same whatever the umask.

    `piece_bytes` is that of `write_all`. With `flush` the new content is durable; that it has the name `path` is
    durable once `sync_directory` has returned. Raises OSError; then the old file is unchanged.
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        fd = _create(temporary)
        try:
            os.fchmod(fd, _FILE_MODE)
            write_all(fd, data, 0, piece_bytes=piece_bytes)
            if flush:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except OSError:
        # On a full disk, the unfinished file would take the space that housekeeping needs.
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _create(path: Path) -> int:
    """Create a file, instead of whatever has its name: an unfinished one, or a link to a file of somebody else."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, _FILE_MODE)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, flags, _FILE_MODE)


def replace_durably(path: Path, data: bytes, *, piece_bytes: int | None = None) -> None:
    """Replace the file at `path` as `replace_file` does. The change is durable when this returns."""
    replace_file(path, data, piece_bytes=piece_bytes)
    sync_directory(path.parent)
