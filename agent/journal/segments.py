"""Segments: the files of the log. Each is made ahead of time, filled with zeros, under its final name.

A segment without a header stands by. Its header is written with its first frame, in one write: to change over to it
costs a commit no flush of its own.
"""

import errno
import os
from bisect import bisect_right
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from agent.journal.files import PAGE_BYTES
from agent.runtime.durable import TEMPORARY, replace_durably, sync_directory

__all__ = ["SEGMENT_BYTES", "Segment", "Table", "make_standby", "remove_temporary", "segment_path", "segment_sizes"]

SEGMENT_BYTES = 1 << 20
_SUFFIX = ".seg"


class Segment(Struct, kw_only=True):
    """What is known of a segment in use.

    It holds the events `first_position` to `last_position` (none if that is lower) in its first `end` bytes. `age_s`
    is the age clock when it was sealed, before that at its newest frame. `last_position`, `end` and `age_s` grow until
    it is sealed. `capacity` is the size it was made with; one large frame may exceed it.
    """

    index: int
    first_position: int
    last_position: int
    end: int
    age_s: int
    capacity: int


class Table(NamedTuple):
    """Where the events are: the segments in use, oldest first, and the ranges of positions that were pruned."""

    segments: tuple[Segment, ...]
    pruned: tuple[tuple[int, int], ...]

    def segment_of(self, position: int) -> Segment | None:
        at = bisect_right(self.segments, position, key=lambda segment: segment.first_position) - 1
        if at < 0 or self.segments[at].last_position < position:
            return None
        return self.segments[at]

    def pruned_through(self, position: int) -> int | None:
        """The last position of the pruned range that `position` is in; none if it is in none."""
        at = bisect_right(self.pruned, position, key=lambda first_last: first_last[0]) - 1
        if at < 0 or self.pruned[at][1] < position:
            return None
        return self.pruned[at][1]


def segment_path(directory: Path, index: int) -> Path:
    return directory / f"{index:010d}{_SUFFIX}"


def segment_sizes(directory: Path) -> dict[int, int]:
    """The size in bytes of each segment file, by its number."""
    sizes = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            stem = entry.name.removesuffix(_SUFFIX)
            if stem != entry.name and stem.isascii() and stem.isdigit():
                with suppress(FileNotFoundError):  # pruned meanwhile, when seen from outside
                    sizes[int(stem)] = entry.stat().st_size
    return sizes


def remove_temporary(directory: Path) -> None:
    """Remove what was left of files that were never finished."""
    with os.scandir(directory) as entries:
        unfinished = [entry.path for entry in entries if entry.name.endswith(TEMPORARY)]
    for path in unfinished:
        os.unlink(path)


def make_standby(directory: Path, index: int, capacity: int) -> None:
    """Make an empty segment, durable under its name. Raises OSError.

    Zeros are written, not only reserved: a frame that overwrites them changes nothing in the file system's own books,
    so its flush has only the frame to write. An empty segment that an earlier, failed attempt left is taken.
    """
    path = segment_path(directory, index)
    if path.exists():
        if path.read_bytes() != bytes(capacity):
            raise FileExistsError(errno.EEXIST, "a segment in use has the next one's name", str(path))
        sync_directory(directory)
        return
    # In one write the kernel would cache it as one large folio, and walk through all of that at every frame's flush.
    replace_durably(path, bytes(capacity), piece_bytes=PAGE_BYTES)
