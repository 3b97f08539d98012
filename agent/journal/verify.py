"""Reading a journal from outside: while the daemon writes it, or after it was damaged. Takes no lock, alters nothing.

One segment is read at a time and its file closed again. What does not fit is told, and reading goes on behind it.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from agent.errors import JournalDamaged
from agent.journal.frames import (
    HEADER_BYTES,
    FrameHead,
    StoredEvent,
    decode_header,
    events_of,
    find_frame,
    frame_at,
    is_blank,
    seed_of,
)
from agent.journal.segments import segment_path, segment_sizes
from agent.journal.snapshot import load_snapshot

__all__ = ["Damage", "Found", "Unfinished", "bases", "segments_in", "survey"]


class Damage(Struct, frozen=True, kw_only=True):
    """A place that cannot be read, or where something is missing."""

    path: Path
    offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}: at byte {self.offset}: {self.what}"


class Unfinished(Struct, frozen=True, kw_only=True):
    """`size` bytes at the very end that are no frame: a write that is under way, or was interrupted."""

    path: Path
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.path}: at byte {self.offset}: {self.size} bytes of an unfinished write"


Found = StoredEvent | Damage | Unfinished


def segments_in(directory: Path) -> list[int]:
    """The numbers of the segment files, in order. Raises OSError."""
    return sorted(segment_sizes(directory))


def survey(directory: Path, *, since: int = 0) -> Iterator[Found]:
    """All events that can be read, in order, and every damaged place; `since`: from that segment on. Raises OSError."""
    return _Survey(directory).run(since)


class _Survey:
    """One reading of a directory. `_position` is that of the last event seen, none while it does not matter."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._position: int | None = None
        self._end: tuple[Path, int] = (directory, 0)
        self._unfinished: Unfinished | None = None
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
                yield from self._segment(index)
        if self._unfinished is not None:
            yield self._unfinished
        if snapshot is None or self._position is None:
            return
        # What was listed may have been pruned before it could be read.
        if not self._was_pruned(self._position + 1, snapshot.position):
            path, offset = self._end
            what = f"the log ends with event {self._position}, the snapshot is of {snapshot.position}"
            yield Damage(path=path, offset=offset, what=what)

    def _segment(self, index: int) -> Iterator[Found]:
        path = segment_path(self._directory, index)
        data = _read(path)
        if data is not None and find_frame(data, 0, seed_of(index)) is None and not is_blank(data, 0):
            data = _read(path)  # its first commit was being written, perhaps
        if data is None:
            return
        header = decode_header(data)
        if len(data) < (HEADER_BYTES if header is None else header.capacity):
            yield Damage(path=path, offset=len(data), what="cut short")
        if find_frame(data, 0, seed_of(index)) is None:
            if not is_blank(data, 0) and self._unfinished is None:
                self._unfinished = Unfinished(path=path, offset=0, size=len(data.rstrip(b"\0")))
            return
        if header is None or header.index != index:
            yield Damage(path=path, offset=0, what="the segment's header is damaged")
        yield from self._frames(path, data, seed_of(index))

    def _frames(self, path: Path, data: bytes, seed: int) -> Iterator[Found]:
        at = HEADER_BYTES
        read_again_at = -1
        while True:
            head = frame_at(data, at, seed)
            if head is None:
                if not is_blank(data, at) and read_again_at != at:
                    # A commit written while the file was read may have been seen in part, and later ones whole.
                    data, read_again_at = _read(path) or data, at
                    continue
                head = find_frame(data, at, seed)
                if head is None:
                    break
                yield Damage(path=path, offset=at, what=f"no valid frame up to byte {head.start}")
            else:
                yield from self._missing(path, head)
            yield from events_of(data, head)
            if self._position is not None or head.events:
                self._position = head.position + head.events - 1
            at = head.end
        self._end = (path, at)
        if not is_blank(data, at):
            self._unfinished = Unfinished(path=path, offset=at, size=len(data.rstrip(b"\0")) - at)

    def _missing(self, path: Path, head: FrameHead) -> Iterator[Damage]:
        """What ought to stand before a frame, and neither does nor was pruned."""
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is not None:
            yield Damage(path=unfinished.path, offset=unfinished.offset, what=f"no valid frame before {path.name}")
        elif self._position is not None and head.position <= self._position:
            what = f"event {head.position} follows event {self._position}"
            yield Damage(path=path, offset=head.start, what=what)
        elif self._position is not None and not self._was_pruned(self._position + 1, head.position - 1):
            where, offset = self._end
            what = f"the events {self._position + 1} to {head.position - 1} are missing before {path.name}"
            yield Damage(path=where, offset=offset, what=what)

    def _was_pruned(self, first: int, last: int) -> bool:
        """Whether all of the positions `first` to `last` were pruned, perhaps after the snapshot was read first."""
        if last < first or _within(first, last, self._pruned):
            return True
        with suppress(JournalDamaged):
            snapshot = load_snapshot(self._directory)
            self._pruned = () if snapshot is None else snapshot.pruned
        return _within(first, last, self._pruned)


def _within(first: int, last: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(begin <= first and last <= end for begin, end in ranges)


def _read(path: Path) -> bytes | None:
    """A segment's bytes; none if it was pruned since the directory was read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def bases(directory: Path) -> dict[str, int]:
    """The journal ids that can be found, oldest first; under one an event's position is its base + its sequence.

    Raises OSError.
    """
    found: dict[str, int] = {}
    with suppress(JournalDamaged):
        snapshot = load_snapshot(directory)
        found.update({} if snapshot is None else dict(snapshot.eras))
    for index in segments_in(directory):
        with suppress(FileNotFoundError), segment_path(directory, index).open("rb") as file:
            header = decode_header(file.read(HEADER_BYTES))
            if header is not None:
                found.setdefault(header.journal, header.position - header.sequence)
    return found
