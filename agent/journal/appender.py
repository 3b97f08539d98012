"""Append records to the segment files, one write and one flush each, and recover from a failed write."""

import errno
import os
import threading
from pathlib import Path

from msgspec import Struct

from agent.errors import JournalFault
from agent.journal.records import (
    SEGMENT_HEADER_BYTES,
    RecordHeader,
    SegmentHeader,
    crc_seed,
    decode_segment_header,
    encode_record,
    encode_segment_start,
    record_at,
)
from agent.journal.segment_io import erase, rewrite, storage_fault
from agent.journal.segments import Segment, make_standby, segment_path
from agent.runtime.durable import open_file
from agent.runtime.file_identity import FileIdentity

__all__ = ["Appender"]


class _UncertainWrite(Struct, frozen=True, kw_only=True):
    """A write to segment `index` that may or may not be on disk. It ended before byte `end`; 0 if it never began."""

    index: int
    end: int


class Appender:
    """Writes one record after the other. `segment` is the segment in use.

    After a failed write or flush the write is in doubt: `append` raises JournalFault until `recover` has succeeded.
    Any thread may call `prepare`; all else is for one thread.
    """

    def __init__(self, directory: Path, segment: Segment, *, capacity: int, standby: bool) -> None:
        self._directory = directory
        self._capacity = capacity
        self._standby = standby
        self._standby_lock = threading.Lock()
        self._uncertain: _UncertainWrite | None = None
        self.segment = segment
        self._seed = crc_seed(segment.index)
        path = segment_path(directory, segment.index)
        self._fd = open_file(path, os.O_RDWR)
        self._identity = FileIdentity(path)
        self.is_gone = False
        """Whether the segment's file was found deleted or replaced. It stays so: nothing is written any more."""

    @property
    def in_doubt(self) -> bool:
        """Whether the last write failed and `recover` has not succeeded since."""
        return self._uncertain is not None

    def is_in_place(self) -> bool:
        """Return whether the segment's file is where it was. Any thread may call this."""
        return not self.is_gone and self._identity.is_in_place()

    def look_for_file(self) -> bool:
        """Return whether the segment's file is where it was; if not, `is_gone` is set and nothing is written any more.

        (`faults.md#journal-file-gone`)
        """
        if not self.is_gone and not self._identity.is_in_place():
            self.give_up()
        return not self.is_gone

    def give_up(self) -> None:
        """Write nothing any more: a file of the journal is gone."""
        self.is_gone = True
        self._uncertain = self._uncertain or _UncertainWrite(index=self.segment.index, end=0)

    def append(
        self,
        *,
        journal: str,
        position: int,
        sequence: int,
        count: int,
        mark: int,
        age_s: int,
        payload: bytes,
        fresh: bool = False,
    ) -> None:
        """Write one record. It is durable when this returns. With `fresh` it begins a new segment.

        `position` and `sequence` are those of the first of `count` events. Raises JournalFault.
        (`budgets.md#flushes-per-scan`, `budgets.md#bytes-per-scan`)
        """
        if self._uncertain is not None:
            raise JournalFault("the journal's last write failed and is in doubt")
        segment = self.segment
        offset = segment.end
        record = encode_record(
            self._seed,
            journal=journal.encode("ascii"),
            position=position,
            sequence=sequence,
            count=count,
            mark=mark,
            age_s=age_s,
            payload=payload,
        )
        end = offset + len(record)
        if fresh or end > segment.capacity:
            header = SegmentHeader(
                index=segment.index + 1,
                journal=journal,
                position=position,
                sequence=sequence,
                capacity=self._capacity,
            )
            self._append_to_next(header, count=count, mark=mark, age_s=age_s, payload=payload)
            return
        fd = self._fd
        try:
            if os.pwrite(fd, record, offset) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(fd)
        except OSError as exc:
            self._uncertain = _UncertainWrite(index=segment.index, end=end)
            raise JournalFault(f"the journal cannot be written: {exc.strerror}") from exc
        if not self._identity.is_in_place():
            self.give_up()
            raise _gone(self._directory, segment.index)
        segment.end = end
        segment.last_position = position + count - 1
        segment.age_s = age_s

    def _append_to_next(self, header: SegmentHeader, *, count: int, mark: int, age_s: int, payload: bytes) -> None:
        data = encode_segment_start(header, count=count, mark=mark, age_s=age_s, payload=payload)
        with self._standby_lock, storage_fault("the journal's next segment cannot be written"):
            fd = self._open_next(header.index)
            identity = FileIdentity(segment_path(self._directory, header.index))
            try:
                if os.pwrite(fd, data, 0) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fdatasync(fd)
            except OSError:
                self._uncertain = _UncertainWrite(index=header.index, end=len(data))
                os.close(fd)
                raise
            if not identity.is_in_place():
                os.close(fd)
                self.give_up()
                raise _gone(self._directory, header.index)
            self._use_segment(fd, header, last_position=header.position + count - 1, end=len(data), age_s=age_s)

    def _open_next(self, index: int) -> int:
        try:
            if not self._standby:
                make_standby(self._directory, index, self._capacity)
            self._standby = False
            return open_file(segment_path(self._directory, index), os.O_RDWR)
        except OSError:
            self._uncertain = _UncertainWrite(index=index, end=0)
            raise

    def _use_segment(self, fd: int, header: SegmentHeader, *, last_position: int, end: int, age_s: int) -> None:
        old_fd = self._fd
        self.segment.age_s = age_s
        self.segment = Segment(
            index=header.index,
            first_position=header.position,
            last_position=last_position,
            end=end,
            age_s=age_s,
            capacity=header.capacity,
        )
        self._seed = crc_seed(header.index)
        self._fd = fd
        self._identity = FileIdentity(segment_path(self._directory, header.index))
        os.close(old_fd)

    def recover(self, position: int) -> tuple[bytes, RecordHeader] | None:
        """Find out whether the write in doubt, which began with the event at `position`, is on disk.

        A complete record is written again, flushed and adopted: return (the segment's bytes, the record). A part of a
        record is erased: return None. Raises JournalFault while the storage still fails; the write stays in doubt then.
        (`faults.md#disk-fault`)
        """
        write = self._uncertain
        if write is None:
            return None
        if not self.look_for_file():
            raise _gone(self._directory, self.segment.index)
        with self._standby_lock, storage_fault("the journal cannot be reopened"):
            adopted = self._check_write(write, position) if write.end else None
            self._uncertain = None
        return adopted

    def _check_write(self, write: _UncertainWrite, position: int) -> tuple[bytes, RecordHeader] | None:
        if write.index == self.segment.index:
            return self._check_current(write, position)
        return self._check_next(write, position)

    def _check_current(self, write: _UncertainWrite, position: int) -> tuple[bytes, RecordHeader] | None:
        segment = self.segment
        fd = open_file(segment_path(self._directory, segment.index), os.O_RDWR)
        try:
            data = os.pread(fd, os.fstat(fd).st_size, 0)
            record = record_at(data, segment.end, self._seed)
            if record is None or record.position != position:
                erase(fd, segment.end, write.end, segment.capacity)
                record = None
            else:
                rewrite(fd, data, segment.end, record.end)
        except OSError:
            os.close(fd)
            raise
        old_fd, self._fd = self._fd, fd
        os.close(old_fd)
        if record is None:
            return None
        segment.end = record.end
        segment.last_position = position + record.events - 1
        segment.age_s = record.age_s
        return data, record

    def _check_next(self, write: _UncertainWrite, position: int) -> tuple[bytes, RecordHeader] | None:
        fd = open_file(segment_path(self._directory, write.index), os.O_RDWR)
        try:
            data = os.pread(fd, os.fstat(fd).st_size, 0)
            header = decode_segment_header(data)
            record = record_at(data, SEGMENT_HEADER_BYTES, crc_seed(write.index))
            if header is None or record is None or record.position != position:
                erase(fd, 0, write.end, self._capacity)
                os.close(fd)
                self._standby = True
                return None
            rewrite(fd, data, 0, record.end)
        except OSError:
            os.close(fd)
            raise
        self._use_segment(fd, header, last_position=position + record.events - 1, end=record.end, age_s=record.age_s)
        return data, record

    def prepare(self) -> None:
        """Create the next segment ahead of time, if it is missing. Raises JournalFault."""
        with self._standby_lock:
            if self._standby or self._uncertain is not None:
                return
            with storage_fault("the journal's next segment cannot be made"):
                make_standby(self._directory, self.segment.index + 1, self._capacity)
            self._standby = True

    def close(self) -> None:
        """Close the segment's file. Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _gone(directory: Path, index: int) -> JournalFault:
    return JournalFault(f"{segment_path(directory, index)} was deleted or replaced; put the journal's folder back")
