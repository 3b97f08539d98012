"""Read a journal from outside: while the daemon writes it, or after it was damaged. Takes no lock and changes nothing.

One segment at a time is read and its file closed again. Damage is reported, and reading continues behind it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from agent.errors import JournalDamaged, JournalOfAnotherVersion
from agent.journal.records import (
    SEGMENT_HEADER_BYTES,
    RecordHeader,
    StoredEvent,
    crc_seed,
    decode_events,
    decode_segment_header,
    find_record,
    is_blank,
    record_at,
    refuse_other_record_version,
    refuse_other_segment_version,
)
from agent.journal.segments import segment_path, segment_sizes
from agent.journal.snapshot import load_snapshot
from agent.runtime.durable import open_file, read_file

__all__ = ["Damage", "Found", "UnfinishedTail", "read_all", "read_bases", "segments_in"]


class Damage(Struct, frozen=True, kw_only=True):
    """A place that cannot be read, or where events are missing."""

    path: Path
    offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}: at byte {self.offset}: {self.what}"


class UnfinishedTail(Struct, frozen=True, kw_only=True):
    """`size` bytes at the very end that are no record: a write in progress, or an interrupted one."""

    path: Path
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.path}: at byte {self.offset}: {self.size} bytes of an unfinished write"


Found = StoredEvent | Damage | UnfinishedTail


def segments_in(directory: Path) -> list[int]:
    """Return the numbers of the segment files, sorted. Raises OSError."""
    return sorted(segment_sizes(directory))


def read_all(directory: Path, *, since: int = 0) -> Iterator[Found]:
    """Yield all readable events in order, and every damaged place, from segment number `since` on. Raises OSError.

    (`faults.md#damaged-journal`)
    """
    return _ReadAll(directory).run(since)


class _ReadAll:
    """One pass over a directory. `_position` is the last position seen; None while the next event may have any."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._position: int | None = None
        self._end: tuple[Path, int] = (directory, 0)
        self._unfinished: UnfinishedTail | None = None
        self._pruned: tuple[tuple[int, int], ...] = ()

    def run(self, since: int) -> Iterator[Found]:
        snapshot = None
        try:
            snapshot = load_snapshot(self._directory)
            self._pruned = () if snapshot is None else snapshot.pruned
            self._position = None if since else 0
        except JournalDamaged as exc:
            yield Damage(path=Path(exc.path), offset=exc.offset, what=exc.what)
        for index in segments_in(self._directory):
            if index >= since:
                try:
                    yield from self._segment(index)
                except JournalOfAnotherVersion as exc:
                    yield Damage(path=Path(exc.path), offset=exc.offset, what=exc.what)
                    self._position = None
        if self._unfinished is not None:
            yield self._unfinished
        if snapshot is None or self._position is None:
            return
        # A listed segment may have been pruned before it could be read.
        if not self._was_pruned(self._position + 1, snapshot.position):
            path, offset = self._end
            what = f"the log ends with event {self._position}, the snapshot is of {snapshot.position}"
            yield Damage(path=path, offset=offset, what=what)

    def _segment(self, index: int) -> Iterator[Found]:
        path = segment_path(self._directory, index)
        data = _read(path)
        if data is not None and find_record(data, 0, crc_seed(index)) is None and not is_blank(data, 0):
            data = _read(path)  # perhaps its first commit was being written
        if data is None:
            return
        refuse_other_segment_version(data, str(path))
        refuse_other_record_version(data, SEGMENT_HEADER_BYTES, str(path))
        header = decode_segment_header(data)
        if len(data) < (SEGMENT_HEADER_BYTES if header is None else header.capacity):
            yield Damage(path=path, offset=len(data), what="the file is cut short")
        if find_record(data, 0, crc_seed(index)) is None:
            if not is_blank(data, 0) and self._unfinished is None:
                self._unfinished = UnfinishedTail(path=path, offset=0, size=len(data.rstrip(b"\0")))
            return
        if header is None or header.index != index:
            yield Damage(path=path, offset=0, what="the segment's header is damaged")
        yield from self._records(path, data, crc_seed(index))

    def _records(self, path: Path, data: bytes, seed: int) -> Iterator[Found]:
        at = SEGMENT_HEADER_BYTES
        read_again_at = -1
        while True:
            head = record_at(data, at, seed)
            if head is None:
                if not is_blank(data, at) and read_again_at != at:
                    # A commit that was being written may have been read in part, and later ones as a whole.
                    data, read_again_at = _read(path) or data, at
                    continue
                refuse_other_record_version(data, at, str(path))
                head = find_record(data, at, seed)
                if head is None:
                    break
                yield Damage(path=path, offset=at, what=f"no valid record up to byte {head.start}")
            else:
                yield from self._missing(path, head)
            yield from decode_events(data, head)
            if self._position is not None or head.events:
                self._position = head.position + head.events - 1
            at = head.end
        self._end = (path, at)
        if not is_blank(data, at):
            self._unfinished = UnfinishedTail(path=path, offset=at, size=len(data.rstrip(b"\0")) - at)

    def _missing(self, path: Path, head: RecordHeader) -> Iterator[Damage]:
        """Yield the damage before a record: events that are neither there nor pruned."""
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is not None:
            yield Damage(path=unfinished.path, offset=unfinished.offset, what=f"no valid record before {path.name}")
        elif self._position is not None and head.position <= self._position:
            what = f"event {head.position} follows event {self._position}"
            yield Damage(path=path, offset=head.start, what=what)
        elif self._position is not None and not self._was_pruned(self._position + 1, head.position - 1):
            where, offset = self._end
            what = f"the events {self._position + 1} to {head.position - 1} are missing before {path.name}"
            yield Damage(path=where, offset=offset, what=what)

    def _was_pruned(self, first: int, last: int) -> bool:
        """Return whether the positions `first` to `last` were all pruned, perhaps since the snapshot was read."""
        if last < first or _within(first, last, self._pruned):
            return True
        with suppress(JournalDamaged):
            snapshot = load_snapshot(self._directory)
            self._pruned = () if snapshot is None else snapshot.pruned
        return _within(first, last, self._pruned)


def _within(first: int, last: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(begin <= first and last <= end for begin, end in ranges)


def _read(path: Path) -> bytes | None:
    """Return a segment's bytes; None if it was pruned since the directory was listed."""
    try:
        return read_file(path)
    except FileNotFoundError:
        return None


def read_bases(directory: Path) -> dict[str, int]:
    """Return the base of each journal id found, oldest first: an event's position is its id's base + its sequence.

    Raises OSError.
    """
    found: dict[str, int] = {}
    with suppress(JournalDamaged):
        snapshot = load_snapshot(directory)
        found.update({} if snapshot is None else dict(snapshot.eras))
    for index in segments_in(directory):
        with suppress(FileNotFoundError):
            fd = open_file(segment_path(directory, index), os.O_RDONLY)
            try:
                header = decode_segment_header(os.pread(fd, SEGMENT_HEADER_BYTES, 0))
            finally:
                os.close(fd)
            if header is not None:
                found.setdefault(header.journal, header.position - header.sequence)
    return found
