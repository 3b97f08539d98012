"""Prepare a journal directory for writing: lock it, erase an interrupted write, create the first segment."""

import fcntl
import os
from pathlib import Path

from agent.errors import JournalBusy
from agent.journal.examination import Findings
from agent.journal.records import SEGMENT_HEADER_BYTES, SegmentHeader, encode_segment_start
from agent.journal.segment_io import erase, rewrite
from agent.journal.segments import make_standby, remove_temporary, segment_path, segment_sizes
from agent.runtime.durable import open_file, read_file, sync_directory, write_all

__all__ = ["create_first", "lock_directory", "make_durable"]


def lock_directory(directory: Path, held: int | None = None) -> int:
    """Lock the directory for this process; return the descriptor whose closing unlocks it.

    `held` is a lock that this process has, perhaps on the same directory: then both descriptors hold it. Raises
    JournalBusy if another process holds the lock, OSError.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if held is not None and os.path.sameopenfile(held, fd):
            os.close(fd)
            return os.dup(held)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(fd)
        raise JournalBusy(f"the journal in {directory} is in use by another process") from exc
    except OSError:
        os.close(fd)
        raise
    return fd


def create_first(directory: Path, journal: str, capacity: int) -> None:
    """Create the first segment of a new journal. An empty record in it makes the journal id durable."""
    make_standby(directory, 1, capacity)
    header = SegmentHeader(index=1, journal=journal, position=1, sequence=1, capacity=capacity)
    fd = open_file(segment_path(directory, 1), os.O_RDWR)
    try:
        write_all(fd, encode_segment_start(header, count=0, mark=0, age_s=0, payload=b""), 0)
        os.fdatasync(fd)
    finally:
        os.close(fd)


def make_durable(directory: Path, findings: Findings, capacity: int) -> int:
    """Make the directory durable as `examine` found it; return how many bytes of an interrupted write were erased.

    The newest record is written again: the process that wrote it may have been killed before its flush, or its flush
    may have failed. Raises OSError. Implements `faults.md#unfinished-tail`.
    """
    remove_temporary(directory)
    capacities = {segment.index: segment.capacity for segment in findings.segments}
    for part in findings.tails:
        fd = open_file(segment_path(directory, part.index), os.O_RDWR)
        try:
            erase(fd, part.offset, part.end, capacities.get(part.index, capacity))
        finally:
            os.close(fd)
    if findings.newest is not None:
        path = segment_path(directory, findings.segments[-1].index)
        fd = open_file(path, os.O_RDWR)
        try:
            first = findings.newest.start == SEGMENT_HEADER_BYTES
            rewrite(fd, read_file(path), 0 if first else findings.newest.start, findings.newest.end)
        finally:
            os.close(fd)
    for index in findings.outdated:
        os.unlink(segment_path(directory, index))
    if findings.standby is not None and segment_sizes(directory)[findings.standby] != capacity:
        os.unlink(segment_path(directory, findings.standby))
        findings.standby = None
    sync_directory(directory)
    return sum(part.end - part.offset for part in findings.tails)
