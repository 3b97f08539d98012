"""Making a journal directory fit to be written to: the rest of an interrupted write is erased, a first segment made."""

import fcntl
import os
from pathlib import Path

from agent.errors import JournalBusy
from agent.journal.examine import Standing
from agent.journal.files import erase, rewrite
from agent.journal.frames import HEADER_BYTES, SegmentHeader, encode_frame, encode_header, seed_of
from agent.journal.segments import make_standby, remove_temporary, segment_path, segment_sizes
from agent.runtime.durable import sync_directory, write_all

__all__ = ["create_first", "lock_directory", "make_directory", "opening_write", "settle"]


def make_directory(directory: Path) -> None:
    """Make the directory if there is none, durable under its name."""
    if not directory.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        sync_directory(directory.parent)


def lock_directory(directory: Path) -> int:
    """Keep the directory for this process; returns the descriptor to close. Raises JournalBusy when another has it."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(fd)
        raise JournalBusy(f"the journal in {directory} is in use by another process") from exc
    except OSError:
        os.close(fd)
        raise
    return fd


def opening_write(header: SegmentHeader, *, count: int, mark: int, age_s: int, payload: bytes) -> bytes:
    """What begins a segment: its header and first frame, to be written at once."""
    return encode_header(header) + encode_frame(
        seed_of(header.index),
        journal=header.journal.encode("ascii"),
        position=header.position,
        sequence=header.sequence,
        count=count,
        mark=mark,
        age_s=age_s,
        payload=payload,
    )


def create_first(directory: Path, journal: str, capacity: int) -> None:
    """Make the first segment of a new journal; an empty frame makes its id last."""
    make_standby(directory, 1, capacity)
    header = SegmentHeader(index=1, journal=journal, position=1, sequence=1, capacity=capacity)
    fd = os.open(segment_path(directory, 1), os.O_RDWR | os.O_CLOEXEC)
    try:
        write_all(fd, opening_write(header, count=0, mark=0, age_s=0, payload=b""), 0)
        os.fdatasync(fd)
    finally:
        os.close(fd)


def settle(directory: Path, standing: Standing, capacity: int) -> int:
    """Make what was found the durable truth. Raises OSError.

    Returns how many bytes of an interrupted write were erased. The newest frame is written again: a process that was
    killed may have left it unflushed, or after a failed flush.
    """
    remove_temporary(directory)
    capacities = {segment.index: segment.capacity for segment in standing.segments}
    for part in standing.unfinished:
        fd = os.open(segment_path(directory, part.index), os.O_RDWR | os.O_CLOEXEC)
        try:
            erase(fd, part.offset, part.end, capacities.get(part.index, capacity))
        finally:
            os.close(fd)
    if standing.newest is not None:
        path = segment_path(directory, standing.segments[-1].index)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            first = standing.newest.start == HEADER_BYTES
            rewrite(fd, path.read_bytes(), 0 if first else standing.newest.start, standing.newest.end)
        finally:
            os.close(fd)
    for index in standing.outdated:
        os.unlink(segment_path(directory, index))
    if standing.standby is not None and segment_sizes(directory)[standing.standby] != capacity:
        os.unlink(segment_path(directory, standing.standby))
        standing.standby = None
    sync_directory(directory)
    return sum(part.end - part.offset for part in standing.unfinished)
