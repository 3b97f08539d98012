"""Which file a path leads to, to notice that an open file was deleted or replaced (`faults.md#journal-file-gone`)."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["FileIdentity"]

_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_INO = 0x100
_StatxBuffer = ctypes.c_uint64 * 32
_INO, _DEVICE = 4, 17  # of struct statx, in <linux/stat.h>, as 64-bit words

Identity = tuple[int, int]
"""Inode and device, as the call gives them."""


def _by_statx() -> Callable[[bytes, "ctypes.Array[ctypes.c_uint64]"], Identity | None] | None:
    """Return a function that looks a path up by statx(2); None where the C library has no such call.

    `os.stat` asks for timestamps, and since Linux 6.13 that makes the next timestamps of the file finer: every flush
    then has an inode to write. This asks for the inode's number alone. PyDLL keeps the GIL, because releasing it would
    cost more than the call, which reads cached names only.
    """
    try:
        statx = ctypes.PyDLL(None).statx
    except (OSError, AttributeError):
        return None

    def look_up(path: bytes, found: "ctypes.Array[ctypes.c_uint64]") -> Identity | None:
        if statx(_AT_FDCWD, path, _AT_SYMLINK_NOFOLLOW, _STATX_INO, found):
            return None
        return found[_INO], found[_DEVICE]

    # A kernel before 4.11, or a sandbox, may not know the call.
    return look_up if look_up(b"/", _StatxBuffer()) is not None else None


def _by_stat(path: bytes, _: object) -> Identity | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_dev


_look_up: Callable[[bytes, "ctypes.Array[ctypes.c_uint64]"], Identity | None] = _by_stat


class FileIdentity:
    """The file that `path` led to when this was made. A symbolic link is a file of its own. Any thread may use it."""

    def __init__(self, path: Path) -> None:
        self._path = os.fsencode(path)
        # One buffer for all calls, because each commit makes one. Two threads may share it: the GIL is kept during the
        # call, and both ask about the same path.
        self._buffer = _StatxBuffer()
        self._file = _look_up(self._path, self._buffer)

    def is_in_place(self) -> bool:
        """Return whether the path still leads to that file. Takes a microsecond or two."""
        file = self._file
        return file is not None and _look_up(self._path, self._buffer) == file


_look_up = _by_statx() or _by_stat
