"""Examine the journal when it is opened: check the snapshot and walk over all records after it. Writes nothing.

Bytes that are no record belong to an interrupted write if no valid record follows, in the same segment or a later one;
`Findings.tails` lists them. Otherwise they are damage, and the journal must not be written to.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from agent.errors import JournalDamaged
from agent.journal.journal_ids import Era
from agent.journal.records import (
    SEGMENT_HEADER_BYTES,
    Commit,
    RecordHeader,
    SegmentHeader,
    crc_seed,
    decode_commit,
    decode_segment_header,
    find_record,
    is_blank,
    record_at,
    refuse_other_record_version,
    refuse_other_segment_version,
)
from agent.journal.segments import Segment, segment_path, segment_sizes
from agent.journal.snapshot import Snapshot
from agent.runtime.durable import read_file

__all__ = ["Findings", "TailToErase", "commits_from", "examine"]


class TailToErase(Struct, frozen=True, kw_only=True):
    """Bytes of an interrupted write, to be erased: in segment `index`, from `offset` to before `end`."""

    index: int
    offset: int
    end: int


class Findings(Struct, kw_only=True):
    """What the journal contains. Without segments it is new.

    `newest` is the last record after the snapshot; it lies in the last of `segments`. `standby` is the number of the
    empty segment to be used next. `outdated` are the numbers of files to delete: pruned or surplus empty segments.
    """

    segments: list[Segment] = field(default_factory=list)
    eras: list[Era] = field(default_factory=list)
    journal: str = ""
    position: int = 0
    sequence: int = 0
    delivered: int = 0
    age_s: int = 0
    newest: RecordHeader | None = None
    tails: list[TailToErase] = field(default_factory=list)
    outdated: list[int] = field(default_factory=list)
    standby: int | None = None


def examine(directory: Path, snapshot: Snapshot | None) -> Findings:
    """Return what the journal contains. Raises JournalDamaged (`faults.md#damaged-journal`), OSError.

    Of each file the version is read first: what another version wrote is no damage (`faults.md#another-version`).

    Segments before the snapshot are not read, only their sizes. (`budgets.md#start-with-a-long-journal`)
    """
    sizes = segment_sizes(directory)
    findings = Findings()
    live = sorted(sizes)
    if snapshot is not None:
        _begin_at(snapshot, findings, directory, sizes)
        live = [index for index in live if index >= snapshot.index]
    elif live and live[0] != 1:
        raise JournalDamaged(str(segment_path(directory, 1)), 0, "the segment is missing, and there is no snapshot")
    for expected, index in enumerate(live, live[0] if live else 0):
        if index != expected:
            raise JournalDamaged(str(segment_path(directory, expected)), 0, "the segment is missing")
    _Walk(directory, snapshot, findings).run(live)
    return findings


def _begin_at(snapshot: Snapshot, findings: Findings, directory: Path, sizes: dict[int, int]) -> None:
    """Check that the files the snapshot lists are there, and start `findings` from it."""
    needed = [(segment.index, segment.end) for segment in snapshot.closed]
    for index, end in (*needed, (snapshot.index, snapshot.offset)):
        if index not in sizes:
            raise JournalDamaged(str(segment_path(directory, index)), 0, "the segment is missing")
        if sizes[index] < end:
            raise JournalDamaged(
                str(segment_path(directory, index)), sizes[index], f"the file is cut short, {end} bytes were in use"
            )
    listed = {segment.index for segment in snapshot.closed}
    findings.segments = list(snapshot.closed)
    findings.eras = list(snapshot.eras)
    findings.position = snapshot.position
    findings.delivered = snapshot.delivered
    findings.age_s = snapshot.age_s
    findings.outdated = sorted(index for index in sizes if index < snapshot.index and index not in listed)


class _Walk:
    """One pass over the segments after the snapshot. Results go into `findings`."""

    def __init__(self, directory: Path, snapshot: Snapshot | None, findings: Findings) -> None:
        self._directory = directory
        self._snapshot = snapshot
        self._findings = findings
        self._ended: tuple[Path, int, str] | None = None

    def run(self, live: list[int]) -> None:
        for index in live:
            path = segment_path(self._directory, index)
            data = read_file(path)
            refuse_other_segment_version(data, str(path))
            used = 0 if self._ended is not None else self._use(index, path, data)
            if used and is_blank(data, used):
                continue
            refuse_other_record_version(data, used or SEGMENT_HEADER_BYTES, str(path))
            if self._ended is None:
                self._ended = _end(path, data, used)
            behind = find_record(data, used, crc_seed(index))
            if behind is not None:
                where, offset, what = self._ended
                raise JournalDamaged(
                    str(where), offset, f"{what}, but a valid one follows at byte {behind.start} of {path.name}"
                )
            if not is_blank(data, used):
                end = len(data.rstrip(b"\0"))
                self._findings.tails.append(TailToErase(index=index, offset=used, end=end))
            if used:
                continue
            if self._findings.standby is None:
                self._findings.standby = index
            else:
                self._findings.outdated.append(index)
        if self._snapshot is not None and self._findings.position < self._snapshot.delivered:
            last = self._findings.segments[-1]
            raise JournalDamaged(
                str(segment_path(self._directory, last.index)),
                last.end,
                f"the log ends with event {self._findings.position}, but {self._snapshot.delivered} were delivered",
            )

    def _use(self, index: int, path: Path, data: bytes) -> int:
        """Add a segment to the findings; return where its valid records end, 0 if it has none."""
        findings = self._findings
        header = decode_segment_header(data)
        begun = self._snapshot is not None and index == self._snapshot.index
        if len(data) < (SEGMENT_HEADER_BYTES if header is None else header.capacity):
            raise JournalDamaged(str(path), len(data), "the file is cut short")
        if header is not None and header.index != index:
            raise JournalDamaged(str(path), 0, f"the file contains segment {header.index}")
        if header is None:
            if begun:
                raise JournalDamaged(str(path), 0, "the segment's header is damaged")
            return 0
        first = record_at(data, SEGMENT_HEADER_BYTES, crc_seed(index))
        if first is None and not begun:
            return 0
        self._enter(header, path, begun=begun)
        offset = self._snapshot.offset if self._snapshot is not None and begun else SEGMENT_HEADER_BYTES
        if first is not None and not begun and findings.segments:
            findings.segments[-1].age_s = first.age_s
        segment = Segment(
            index=index,
            first_position=header.position,
            last_position=findings.position,
            end=offset,
            age_s=findings.age_s,
            capacity=header.capacity,
        )
        while (head := record_at(data, offset, crc_seed(index))) is not None:
            self._take(head, path)
            offset = head.end
        segment.end = offset
        segment.last_position = findings.position
        segment.age_s = findings.age_s
        findings.segments.append(segment)
        return offset

    def _enter(self, header: SegmentHeader, path: Path, *, begun: bool) -> None:
        """Check that a segment continues where the one before it ended."""
        findings = self._findings
        known = {era.journal: era.base for era in findings.eras}
        if begun:
            if header.journal not in known:
                raise JournalDamaged(str(path), 0, f"the snapshot does not list journal id {header.journal}")
            findings.sequence = findings.position - known[header.journal]
        else:
            if header.position != findings.position + 1:
                last = findings.segments[-1] if findings.segments else None
                raise JournalDamaged(
                    str(path if last is None else segment_path(self._directory, last.index)),
                    0 if last is None else last.end,
                    f"event {findings.position + 1} is expected, {path.name} begins with {header.position}",
                )
            if header.journal != findings.journal:
                findings.sequence = 0
                if known.setdefault(header.journal, findings.position) != findings.position:
                    raise JournalDamaged(str(path), 0, f"the journal id {header.journal} is used twice")
                findings.eras = [Era(journal, base) for journal, base in known.items()]
            if header.sequence != findings.sequence + 1:
                raise JournalDamaged(str(path), 0, f"begins with sequence {header.sequence}, which is not the next one")
        findings.journal = header.journal

    def _take(self, head: RecordHeader, path: Path) -> None:
        findings = self._findings
        expected = (findings.journal, findings.position + 1, findings.sequence + 1)
        if (head.journal, head.position, head.sequence) != expected:
            raise JournalDamaged(
                str(path), head.start, f"holds event {head.position} where {findings.position + 1} is expected"
            )
        findings.position += head.events
        findings.sequence += head.events
        findings.delivered = max(findings.delivered, head.mark)
        findings.age_s = max(findings.age_s, head.age_s)
        findings.newest = head


def _end(path: Path, data: bytes, used: int) -> tuple[Path, int, str]:
    """Return where the log ends as (path, offset, text) of a damage, because a later segment may prove it to be one."""
    if is_blank(data, used):
        return path, used, "nothing is written"
    if used or decode_segment_header(data) is not None:
        return path, used or SEGMENT_HEADER_BYTES, "no valid record"
    return path, 0, "the segment's header is damaged"


def commits_from(directory: Path, segments: tuple[Segment, ...], index: int, offset: int) -> Iterator[Commit]:
    """Yield the commits from byte `offset` of segment `index` on, in order. Raises JournalDamaged, OSError."""
    for segment in segments:
        if segment.index < index:
            continue
        path = segment_path(directory, segment.index)
        data = read_file(path)[: segment.end]
        at = offset if segment.index == index else SEGMENT_HEADER_BYTES
        while at < segment.end:
            head = record_at(data, at, crc_seed(segment.index))
            if head is None:
                raise JournalDamaged(str(path), at, "no valid record")
            if head.events:
                yield decode_commit(data, head)
            at = head.end
