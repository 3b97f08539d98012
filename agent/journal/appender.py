"""The writing end of the log: one write and one flush a frame, the next segment, and the way back from a failure."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from agent.errors import JournalFault
from agent.journal.files import erase, rewrite
from agent.journal.frames import HEADER_BYTES, FrameHead, SegmentHeader, decode_header, encode_frame, frame_at, seed_of
from agent.journal.opening import opening_write
from agent.journal.segments import Segment, make_standby, segment_path

__all__ = ["Appender", "storage_fault"]


@contextmanager
def storage_fault(doing: str) -> Iterator[None]:
    """Translate the operating system's errors into a JournalFault that tells what was being done."""
    try:
        yield
    except JournalFault:
        raise
    except OSError as exc:
        raise JournalFault(f"{doing}: {exc.strerror or exc}") from exc


class _Doubt(Struct, frozen=True, kw_only=True):
    """A write that may or may not be on disk: into segment `index`, up to before byte `end`; 0: nothing was written."""

    index: int
    end: int


class Appender:
    """Writes frames behind each other. `segment` is the one in use.

    After a failed write or flush it is `in_doubt` and refuses all until `recover`. All but `prepare` is for one thread.
    """

    def __init__(self, directory: Path, segment: Segment, *, capacity: int, standby: bool) -> None:
        self._directory = directory
        self._capacity = capacity
        self._standby = standby
        self._standby_lock = threading.Lock()
        self._doubt: _Doubt | None = None
        self.segment = segment
        self._seed = seed_of(segment.index)
        self._fd = os.open(segment_path(directory, segment.index), os.O_RDWR | os.O_CLOEXEC)

    @property
    def in_doubt(self) -> bool:
        return self._doubt is not None

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
        """Write one frame, durable when this returns; `fresh`: as the first of a new segment. Raises JournalFault."""
        if self._doubt is not None:
            raise JournalFault("the journal's last write is in doubt")
        segment = self.segment
        offset = segment.end
        frame = encode_frame(
            self._seed,
            journal=journal.encode("ascii"),
            position=position,
            sequence=sequence,
            count=count,
            mark=mark,
            age_s=age_s,
            payload=payload,
        )
        end = offset + len(frame)
        if fresh or end > segment.capacity:
            header = SegmentHeader(
                index=segment.index + 1,
                journal=journal,
                position=position,
                sequence=sequence,
                capacity=self._capacity,
            )
            self._change_over(header, count=count, mark=mark, age_s=age_s, payload=payload)
            return
        fd = self._fd
        try:
            if os.pwrite(fd, frame, offset) != len(frame):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fdatasync(fd)
        except OSError as exc:
            self._doubt = _Doubt(index=segment.index, end=end)
            raise JournalFault(f"the journal cannot be written: {exc.strerror}") from exc
        segment.end = end
        segment.last_position = position + count - 1
        segment.age_s = age_s

    def _change_over(self, header: SegmentHeader, *, count: int, mark: int, age_s: int, payload: bytes) -> None:
        data = opening_write(header, count=count, mark=mark, age_s=age_s, payload=payload)
        with self._standby_lock, storage_fault("the journal's next segment cannot be written"):
            fd = self._open_standby(header.index)
            try:
                if os.pwrite(fd, data, 0) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fdatasync(fd)
            except OSError:
                self._doubt = _Doubt(index=header.index, end=len(data))
                os.close(fd)
                raise
            self._enter(fd, header, last_position=header.position + count - 1, end=len(data), age_s=age_s)

    def _open_standby(self, index: int) -> int:
        try:
            if not self._standby:
                make_standby(self._directory, index, self._capacity)
            self._standby = False
            return os.open(segment_path(self._directory, index), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            self._doubt = _Doubt(index=index, end=0)
            raise

    def _enter(self, fd: int, header: SegmentHeader, *, last_position: int, end: int, age_s: int) -> None:
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
        self._seed = seed_of(header.index)
        self._fd = fd
        os.close(old_fd)

    def recover(self, position: int) -> tuple[bytes, FrameHead] | None:
        """Settle a write in doubt, which was to hold the event at `position`.

        What stands there whole is written again, flushed and taken: (the segment's bytes, the frame). A part of it is
        erased. Raises JournalFault while the storage goes on failing; the write stays in doubt then.
        """
        doubt = self._doubt
        if doubt is None:
            return None
        with self._standby_lock, storage_fault("the journal cannot be reopened"):
            adopted = self._settle(doubt, position) if doubt.end else None
            self._doubt = None
        return adopted

    def _settle(self, doubt: _Doubt, position: int) -> tuple[bytes, FrameHead] | None:
        if doubt.index == self.segment.index:
            return self._settle_here(doubt, position)
        return self._settle_next(doubt, position)

    def _settle_here(self, doubt: _Doubt, position: int) -> tuple[bytes, FrameHead] | None:
        segment = self.segment
        fd = os.open(segment_path(self._directory, segment.index), os.O_RDWR | os.O_CLOEXEC)
        try:
            data = os.pread(fd, os.fstat(fd).st_size, 0)
            frame = frame_at(data, segment.end, self._seed)
            if frame is None or frame.position != position:
                erase(fd, segment.end, doubt.end, segment.capacity)
                frame = None
            else:
                rewrite(fd, data, segment.end, frame.end)
        except OSError:
            os.close(fd)
            raise
        old_fd, self._fd = self._fd, fd
        os.close(old_fd)
        if frame is None:
            return None
        segment.end = frame.end
        segment.last_position = position + frame.events - 1
        segment.age_s = frame.age_s
        return data, frame

    def _settle_next(self, doubt: _Doubt, position: int) -> tuple[bytes, FrameHead] | None:
        fd = os.open(segment_path(self._directory, doubt.index), os.O_RDWR | os.O_CLOEXEC)
        try:
            data = os.pread(fd, os.fstat(fd).st_size, 0)
            header = decode_header(data)
            frame = frame_at(data, HEADER_BYTES, seed_of(doubt.index))
            if header is None or frame is None or frame.position != position:
                erase(fd, 0, doubt.end, self._capacity)
                os.close(fd)
                self._standby = True
                return None
            rewrite(fd, data, 0, frame.end)
        except OSError:
            os.close(fd)
            raise
        self._enter(fd, header, last_position=position + frame.events - 1, end=frame.end, age_s=frame.age_s)
        return data, frame

    def prepare(self) -> None:
        """Make the next segment ahead of time, if there is none. For any thread. Raises JournalFault."""
        with self._standby_lock:
            if self._standby or self._doubt is not None:
                return
            with storage_fault("the journal's next segment cannot be made"):
                make_standby(self._directory, self.segment.index + 1, self._capacity)
            self._standby = True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
