"""Which file a path leads to, to notice that an open file was deleted or replaced (`faults.md#journal-file-gone`)."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["FileIdentity"]

_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_INO = 0x100
_STATX_BYTES = 256
_INO, _DEVICE = 4, 17  # of struct statx, in <linux/stat.h>, as 64-bit words

Identity = tuple[int, int]
"""Inode and device, as the call gives them."""

LookUp = Callable[[], Identity | None]
"""Looks one path up. None: nothing is there."""


def _by_statx() -> Callable[[bytes], LookUp] | None:
    """Return a function that prepares to look a path up by statx(2); None where the C library has no such call.

    `os.stat` asks for timestamps, and since Linux 6.13 that makes the next timestamps of the file finer: every flush
    then has an inode to write. This asks for the inode's number alone. PyDLL keeps the GIL, because releasing it would
    cost more than the call, which reads cached names only.
    """
    try:
        statx = ctypes.PyDLL(None).statx
    except (OSError, AttributeError):
        return None

    def prepare(path: bytes) -> LookUp:
        # One buffer for all calls, because each commit waits for one: 13 µs after a flush, 17 with a buffer for each.
        # Threads may share it: the GIL is kept during the call, and all of them ask about the same path.
        buffer = ctypes.create_string_buffer(_STATX_BYTES)
        words = memoryview(buffer).cast("B").cast("Q")

        def look_up() -> Identity | None:
            if statx(_AT_FDCWD, path, _AT_SYMLINK_NOFOLLOW, _STATX_INO, buffer):
                return None
            return words[_INO], words[_DEVICE]

        return look_up

    # A kernel before 4.11, or a sandbox, may not know the call.
    return prepare if prepare(b"/")() is not None else None


def _by_stat(path: bytes) -> LookUp:
    def look_up() -> Identity | None:
        try:
            found = os.lstat(path)
        except OSError:
            return None
        return found.st_ino, found.st_dev

    return look_up


_prepare: Callable[[bytes], LookUp] = _by_statx() or _by_stat


class FileIdentity:
    """The file that `path` led to when this was made. A symbolic link is a file of its own. Any thread may use it."""

    def __init__(self, path: Path) -> None:
        self._look_up = _prepare(os.fsencode(path))
        self._file = self._look_up()

    def is_in_place(self) -> bool:
        """Return whether the path still leads to that file. Takes a microsecond or two."""
        return self._file is not None and self._look_up() == self._file
