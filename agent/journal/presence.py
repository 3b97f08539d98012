"""Check whether the files of an open journal are where they were, and whether another folder can replace it."""

import os
from pathlib import Path

from msgspec import Struct

from agent.errors import JournalFault
from agent.journal.examination import Findings
from agent.journal.reader import Reader
from agent.journal.segments import SegmentTable, segment_path
from agent.journal.snapshot import SNAPSHOT_NAME

__all__ = ["FileList", "LastCommitted", "refuse_other_folder"]


class FileList:
    """The names and inodes of a journal's files, as they were first seen. For one thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._inodes: dict[str, int] = {}

    def missing(self, table: SegmentTable, *, has_snapshot: bool) -> Path | None:
        """Return a file that was deleted or replaced since it was first seen here; None if there is none.

        Takes about a microsecond a file. The caller looks again if a segment was pruned in the meantime.
        """
        try:
            with os.scandir(self._directory) as entries:
                found = {entry.name: entry.inode() for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            return self._directory
        except OSError:  # no descriptor is free, or the disk fails: that tells nothing about the files
            return None
        if has_snapshot and SNAPSHOT_NAME not in found:
            return self._directory / SNAPSHOT_NAME
        inodes = {}
        for segment in table.segments:
            path = segment_path(self._directory, segment.index)
            inode = found.get(path.name)
            if inode is None or self._inodes.get(path.name, inode) != inode:
                return path
            inodes[path.name] = inode
        self._inodes = inodes
        return None


class LastCommitted(Struct, frozen=True, kw_only=True):
    """What a folder must hold to take the place of a journal: its id in use, and its newest event, None if unknown."""

    journal: str
    position: int
    document: bytes | None


class _Examined(Struct, frozen=True):
    """The findings as a log that `Reader` reads."""

    directory: Path
    table: SegmentTable
    last_position: int


def refuse_other_folder(
    directory: Path, findings: Findings, pruned: tuple[tuple[int, int], ...], last: LastCommitted
) -> None:
    """Raise JournalFault unless the folder holds the journal id and its last committed event. Writes nothing.

    (`faults.md#journal-file-gone`)
    """
    if not findings.segments:
        raise JournalFault(f"{directory} holds no journal; put the folder of journal {last.journal} back")
    if findings.journal != last.journal:
        raise JournalFault(f"{directory} holds journal {findings.journal}, not {last.journal}; put its folder back")
    if findings.position < last.position:
        raise JournalFault(
            f"{directory} ends with event {findings.position}, but event {last.position} was signalled; put the "
            "newest folder back"
        )
    log = _Examined(directory, SegmentTable(tuple(findings.segments), pruned), findings.position)
    with Reader(log, after=last.position - 1) as reader:
        events = reader.read(1) if last.document is not None else []
    if events and events[0].document != last.document:
        raise JournalFault(f"{directory} has another event {last.position}; put the folder of this kiosk back")
