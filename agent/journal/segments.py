"""Segments: the files of the journal. Each is created ahead of time, filled with zeros, under its final name.

A segment without a header is a standby. Its header is written together with its first record, in one write, so that
the change to a new segment costs a commit no extra flush.
"""

import errno
import os
from bisect import bisect_right
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from agent.journal.segment_io import PAGE_BYTES
from agent.runtime.durable import TEMPORARY, read_file, replace_durably, sync_directory

__all__ = [
    "SEGMENT_BYTES",
    "Segment",
    "SegmentTable",
    "make_standby",
    "remove_temporary",
    "segment_path",
    "segment_sizes",
]

SEGMENT_BYTES = 1 << 20
_SUFFIX = ".seg"


class Segment(Struct, kw_only=True):
    """What is known about a segment in use.

    Its first `end` bytes hold the events `first_position` to `last_position` (none if that is lower). `age_s` is the
    age clock at its newest record, or when it was sealed. `last_position`, `end` and `age_s` grow until then.
    `capacity` is its size when created; one large record may exceed it.
    """

    index: int
    first_position: int
    last_position: int
    end: int
    age_s: int
    capacity: int


class SegmentTable(NamedTuple):
    """Where the events are: the segments in use, oldest first, and the (first, last) positions that were pruned."""

    segments: tuple[Segment, ...]
    pruned: tuple[tuple[int, int], ...]

    def segment_of(self, position: int) -> Segment | None:
        """Return the segment that holds a position; None if none does."""
        at = bisect_right(self.segments, position, key=lambda segment: segment.first_position) - 1
        if at < 0 or self.segments[at].last_position < position:
            return None
        return self.segments[at]

    def pruned_through(self, position: int) -> int | None:
        """Return the last position of the pruned range around `position`; None if it was not pruned."""
        at = bisect_right(self.pruned, position, key=lambda first_last: first_last[0]) - 1
        if at < 0 or self.pruned[at][1] < position:
            return None
        return self.pruned[at][1]


def segment_path(directory: Path, index: int) -> Path:
    """Return the path of a segment file."""
    return directory / f"{index:010d}{_SUFFIX}"


def segment_sizes(directory: Path) -> dict[int, int]:
    """Return the size in bytes of each segment file, by segment number. Raises OSError, also for a symbolic link."""
    sizes = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            stem = entry.name.removesuffix(_SUFFIX)
            if stem != entry.name and stem.isascii() and stem.isdigit():
                if entry.is_symlink():
                    raise OSError(errno.ELOOP, f"{entry.path} is a symbolic link")
                with suppress(FileNotFoundError):  # pruned by the daemon in the meantime
                    sizes[int(stem)] = entry.stat(follow_symlinks=False).st_size
    return sizes


def remove_temporary(directory: Path) -> None:
    """Remove temporary files of interrupted writes. Raises OSError."""
    with os.scandir(directory) as entries:
        unfinished = [entry.path for entry in entries if entry.name.endswith(TEMPORARY)]
    for path in unfinished:
        os.unlink(path)


def make_standby(directory: Path, index: int, capacity: int) -> None:
    """Create an empty segment. Its name is durable when this returns. Raises OSError.

    It is filled with zeros, not only reserved: a record that overwrites zeros changes no file system metadata, so its
    flush writes only the record. An empty segment left by an earlier, failed attempt is used as it is.
    """
    path = segment_path(directory, index)
    if os.path.lexists(path):
        if read_file(path) != bytes(capacity):
            raise FileExistsError(errno.EEXIST, "the next segment's file exists and is not empty", str(path))
        sync_directory(directory)
        return
    # By pages: what one write puts into the page cache is one large folio, and ext4 walks through all of it at each
    # write and flush of a record. Measured on an ext4 of 2 cores: a record costs 224 µs so, and 259 µs otherwise.
    replace_durably(path, bytes(capacity), piece_bytes=PAGE_BYTES)
