"""Finding out where the journal stands when it is opened: a walk over the snapshot and all frames after it.

Nothing is written here. Bytes that are no frame are an interrupted write if no valid frame follows, in this segment or
a later one: `Standing.unfinished` has them, to be erased. Otherwise they are damage, and nobody may write.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from agent.errors import JournalDamaged
from agent.journal.frames import (
    HEADER_BYTES,
    Commit,
    FrameHead,
    SegmentHeader,
    commit_of,
    decode_header,
    find_frame,
    frame_at,
    is_blank,
    seed_of,
)
from agent.journal.segments import Segment, segment_path, segment_sizes
from agent.journal.snapshot import Era, Snapshot

__all__ = ["Standing", "Unfinished", "commits_from", "examine"]


class Unfinished(Struct, frozen=True, kw_only=True):
    """Bytes of an interrupted write: in segment `index`, from `offset` to before `end`."""

    index: int
    offset: int
    end: int


class Standing(Struct, kw_only=True):
    """What the journal holds. Without segments it is new.

    `newest` is the last frame found after the snapshot, in the last of `segments`; `outdated` are files to be
    deleted: segments that were pruned, and empty ones but for `standby`, the number of the one next in turn.
    """

    segments: list[Segment] = field(default_factory=list)
    eras: list[Era] = field(default_factory=list)
    journal: str = ""
    position: int = 0
    sequence: int = 0
    delivered: int = 0
    age_s: int = 0
    newest: FrameHead | None = None
    unfinished: list[Unfinished] = field(default_factory=list)
    outdated: list[int] = field(default_factory=list)
    standby: int | None = None


def examine(directory: Path, snapshot: Snapshot | None) -> Standing:
    """Where the journal stands. Raises JournalDamaged, OSError."""
    sizes = segment_sizes(directory)
    standing = Standing()
    live = sorted(sizes)
    if snapshot is not None:
        _begin_at(snapshot, standing, directory, sizes)
        live = [index for index in live if index >= snapshot.index]
    elif live and live[0] != 1:
        raise JournalDamaged(str(segment_path(directory, 1)), 0, "the segment is missing, and there is no snapshot")
    for expected, index in enumerate(live, live[0] if live else 0):
        if index != expected:
            raise JournalDamaged(str(segment_path(directory, expected)), 0, "the segment is missing")
    _Walk(directory, snapshot, standing).run(live)
    return standing


def _begin_at(snapshot: Snapshot, standing: Standing, directory: Path, sizes: dict[int, int]) -> None:
    needed = [(segment.index, segment.end) for segment in snapshot.closed]
    for index, end in (*needed, (snapshot.index, snapshot.offset)):
        if index not in sizes:
            raise JournalDamaged(str(segment_path(directory, index)), 0, "the segment is missing")
        if sizes[index] < end:
            raise JournalDamaged(
                str(segment_path(directory, index)), sizes[index], f"cut short, {end} bytes were in use"
            )
    listed = {segment.index for segment in snapshot.closed}
    standing.segments = list(snapshot.closed)
    standing.eras = list(snapshot.eras)
    standing.position = snapshot.position
    standing.delivered = snapshot.delivered
    standing.age_s = snapshot.age_s
    standing.outdated = sorted(index for index in sizes if index < snapshot.index and index not in listed)


class _Walk:
    """One pass over the segments after the snapshot; what it finds goes into `standing`."""

    def __init__(self, directory: Path, snapshot: Snapshot | None, standing: Standing) -> None:
        self._directory = directory
        self._snapshot = snapshot
        self._standing = standing
        self._ended: tuple[Path, int, str] | None = None

    def run(self, live: list[int]) -> None:
        for index in live:
            path = segment_path(self._directory, index)
            data = path.read_bytes()
            used = 0 if self._ended is not None else self._use(index, path, data)
            if used and is_blank(data, used):
                continue
            if self._ended is None:
                self._ended = _end(path, data, used)
            behind = find_frame(data, used, seed_of(index))
            if behind is not None:
                where, offset, what = self._ended
                raise JournalDamaged(
                    str(where), offset, f"{what}, but a valid one follows at byte {behind.start} of {path.name}"
                )
            if not is_blank(data, used):
                end = len(data.rstrip(b"\0"))
                self._standing.unfinished.append(Unfinished(index=index, offset=used, end=end))
            if used:
                continue
            if self._standing.standby is None:
                self._standing.standby = index
            else:
                self._standing.outdated.append(index)
        if self._snapshot is not None and self._standing.position < self._snapshot.delivered:
            last = self._standing.segments[-1]
            raise JournalDamaged(
                str(segment_path(self._directory, last.index)),
                last.end,
                f"the log ends with event {self._standing.position}, but {self._snapshot.delivered} were delivered",
            )

    def _use(self, index: int, path: Path, data: bytes) -> int:
        """Take what the segment holds into the standing; returns where its valid frames end, 0 if it has none."""
        standing = self._standing
        header = decode_header(data)
        begun = self._snapshot is not None and index == self._snapshot.index
        if len(data) < (HEADER_BYTES if header is None else header.capacity):
            raise JournalDamaged(str(path), len(data), "cut short")
        if header is not None and header.index != index:
            raise JournalDamaged(str(path), 0, f"this is segment {header.index}")
        if header is None:
            if begun:
                raise JournalDamaged(str(path), 0, "the segment's header is damaged")
            return 0
        first = frame_at(data, HEADER_BYTES, seed_of(index))
        if first is None and not begun:
            return 0
        self._enter(header, path, begun=begun)
        offset = self._snapshot.offset if self._snapshot is not None and begun else HEADER_BYTES
        if first is not None and not begun and standing.segments:
            standing.segments[-1].age_s = first.age_s
        segment = Segment(
            index=index,
            first_position=header.position,
            last_position=standing.position,
            end=offset,
            age_s=standing.age_s,
            capacity=header.capacity,
        )
        while (head := frame_at(data, offset, seed_of(index))) is not None:
            self._take(head, path)
            offset = head.end
        segment.end = offset
        segment.last_position = standing.position
        segment.age_s = standing.age_s
        standing.segments.append(segment)
        return offset

    def _enter(self, header: SegmentHeader, path: Path, *, begun: bool) -> None:
        """Check that a segment goes on where the log stood before it."""
        standing = self._standing
        known = {era.journal: era.base for era in standing.eras}
        if begun:
            if header.journal not in known:
                raise JournalDamaged(str(path), 0, f"the snapshot knows no journal {header.journal}")
            standing.sequence = standing.position - known[header.journal]
        else:
            if header.position != standing.position + 1:
                last = standing.segments[-1] if standing.segments else None
                raise JournalDamaged(
                    str(path if last is None else segment_path(self._directory, last.index)),
                    0 if last is None else last.end,
                    f"event {standing.position + 1} is expected, {path.name} begins with {header.position}",
                )
            if header.journal != standing.journal:
                standing.sequence = 0
                if known.setdefault(header.journal, standing.position) != standing.position:
                    raise JournalDamaged(str(path), 0, f"the journal id {header.journal} comes twice")
                standing.eras = [Era(journal, base) for journal, base in known.items()]
            if header.sequence != standing.sequence + 1:
                raise JournalDamaged(str(path), 0, f"begins with sequence {header.sequence}, not the next one")
        standing.journal = header.journal

    def _take(self, head: FrameHead, path: Path) -> None:
        standing = self._standing
        expected = (standing.journal, standing.position + 1, standing.sequence + 1)
        if (head.journal, head.position, head.sequence) != expected:
            raise JournalDamaged(
                str(path), head.start, f"holds event {head.position} where {standing.position + 1} is expected"
            )
        standing.position += head.events
        standing.sequence += head.events
        standing.delivered = max(standing.delivered, head.mark)
        standing.age_s = max(standing.age_s, head.age_s)
        standing.newest = head


def _end(path: Path, data: bytes, used: int) -> tuple[Path, int, str]:
    """Where and how the log ends, told in the words of a damage: it may turn out to be one."""
    if is_blank(data, used):
        return path, used, "nothing is written"
    if used or decode_header(data) is not None:
        return path, used or HEADER_BYTES, "no valid frame"
    return path, 0, "the segment's header is damaged"


def commits_from(directory: Path, segments: tuple[Segment, ...], index: int, offset: int) -> Iterator[Commit]:
    """The commits from byte `offset` of segment `index` on, in order. Raises JournalDamaged, OSError."""
    for segment in segments:
        if segment.index < index:
            continue
        path = segment_path(directory, segment.index)
        data = path.read_bytes()[: segment.end]
        at = offset if segment.index == index else HEADER_BYTES
        while at < segment.end:
            head = frame_at(data, at, seed_of(segment.index))
            if head is None:
                raise JournalDamaged(str(path), at, "no valid frame")
            if head.events:
                yield commit_of(data, head)
            at = head.end
