"""The journal's bytes: frames and segment headers, encoded and decoded. Pure; the files are `segments`' subject.

A frame is one commit: a header, then its events' documents, one a line, then one line that is private to this kiosk.
All integers are little-endian:

    magic 4s | CRC-32 u32 | payload length u32 | events u32 |
    journal id 8s | position u64 | sequence u64 | mark u64 | age u32

Position and sequence are those of the first event; a frame without events carries those of the next one. The CRC covers
all that follows it and begins with a seed made of the segment's number, so that no frame counts in another file.
The magic holds a byte that UTF-8 never has: no document can be taken for a frame.
"""

import struct
import zlib
from typing import NamedTuple

from msgspec import Struct

__all__ = [
    "FRAME_BYTES",
    "HEADER_BYTES",
    "Commit",
    "FrameHead",
    "SegmentHeader",
    "StoredEvent",
    "commit_of",
    "decode_header",
    "encode_frame",
    "encode_header",
    "events_of",
    "find_frame",
    "frame_at",
    "is_blank",
    "next_frame",
    "seed_of",
]

_FRAME_MAGIC = b"\xf5KJ1"
_START = struct.Struct("<4sI")
_REST = struct.Struct("<II8sQQQI")
_FRAME = struct.Struct("<4sIII8sQQQI")
FRAME_BYTES = _FRAME.size
"""The length of a frame's header."""

_SEGMENT_MAGIC = b"\xf5KIOSK\r\n"
_VERSION = 1
_SEGMENT = struct.Struct("<8sIQ8sQQQ")
HEADER_BYTES = 64
"""The length of a segment's header: it lies in one sector with the head of the first frame, written with it at once."""

_pack_start = _START.pack
_pack_rest = _REST.pack
_unpack_frame = _FRAME.unpack_from
_crc32 = zlib.crc32


class Commit(Struct, frozen=True, kw_only=True):
    """One frame with events. `position` and `sequence` are those of the first of `documents`."""

    journal: str
    position: int
    sequence: int
    documents: tuple[bytes, ...]
    private: bytes


class StoredEvent(Struct, frozen=True, kw_only=True):
    """One event: `position` counts over all journal ids, `sequence` under the id `journal`."""

    position: int
    journal: str
    sequence: int
    document: bytes


class FrameHead(NamedTuple):
    """A valid frame's header, and where the frame lies in the bytes it was found in: from `start` to before `end`."""

    start: int
    end: int
    events: int
    journal: str
    position: int
    sequence: int
    mark: int
    age_s: int


class SegmentHeader(Struct, frozen=True, kw_only=True):
    """A segment's header: its number, the size it was made with, and the first event it holds or will hold."""

    index: int
    journal: str
    position: int
    sequence: int
    capacity: int


def seed_of(index: int) -> int:
    """What the CRCs of a segment's frames begin with."""
    return _crc32(b"segment %d" % index)


def encode_frame(
    seed: int, *, journal: bytes, position: int, sequence: int, count: int, mark: int, age_s: int, payload: bytes
) -> bytes:
    body = _pack_rest(len(payload), count, journal, position, sequence, mark, age_s) + payload
    return _pack_start(_FRAME_MAGIC, _crc32(body, seed)) + body


def frame_at(data: bytes, offset: int, seed: int) -> FrameHead | None:
    """The frame that begins at `offset`; none unless it is there whole and its checksum and its lines are right."""
    body = offset + FRAME_BYTES
    if len(data) < body:
        return None
    magic, crc, length, count, journal, position, sequence, mark, age_s = _unpack_frame(data, offset)
    end = body + length
    if magic != _FRAME_MAGIC or len(data) < end:
        return None
    if _crc32(memoryview(data)[offset + _START.size : end], seed) != crc or data.count(b"\n", body, end) != count:
        return None
    return FrameHead(offset, end, count, journal.decode("ascii"), position, sequence, mark, age_s)


def find_frame(data: bytes, offset: int, seed: int) -> FrameHead | None:
    """The first valid frame that begins at `offset` or after it."""
    while (offset := data.find(_FRAME_MAGIC, offset)) >= 0:
        head = frame_at(data, offset, seed)
        if head is not None:
            return head
        offset += 1
    return None


def next_frame(data: bytes, offset: int) -> tuple[int, int] | None:
    """(end, events) of the frame at `offset`, by its header alone: for frames that were checked before."""
    body = offset + FRAME_BYTES
    if len(data) < body or not data.startswith(_FRAME_MAGIC, offset):
        return None
    _, _, length, count, *_ = _unpack_frame(data, offset)
    return body + length, count


def commit_of(data: bytes, head: FrameHead) -> Commit:
    *documents, private = data[head.start + FRAME_BYTES : head.end].split(b"\n")
    return Commit(
        journal=head.journal,
        position=head.position,
        sequence=head.sequence,
        documents=tuple(documents),
        private=private,
    )


def events_of(data: bytes, head: FrameHead) -> list[StoredEvent]:
    lines = data[head.start + FRAME_BYTES : head.end].split(b"\n")
    return [
        StoredEvent(position=head.position + i, journal=head.journal, sequence=head.sequence + i, document=lines[i])
        for i in range(head.events)
    ]


def encode_header(header: SegmentHeader) -> bytes:
    body = _SEGMENT.pack(
        _SEGMENT_MAGIC,
        _VERSION,
        header.index,
        header.journal.encode("ascii"),
        header.position,
        header.sequence,
        header.capacity,
    ).ljust(HEADER_BYTES - 4, b"\0")
    return body + _crc32(body).to_bytes(4, "little")


def decode_header(data: bytes) -> SegmentHeader | None:
    """The header at the beginning of a segment's bytes; none where it is damaged or of another version."""
    body = data[: HEADER_BYTES - 4]
    if len(data) < HEADER_BYTES or _crc32(body) != int.from_bytes(data[HEADER_BYTES - 4 : HEADER_BYTES], "little"):
        return None
    magic, version, index, journal, position, sequence, capacity = _SEGMENT.unpack_from(body)
    if magic != _SEGMENT_MAGIC or version != _VERSION:
        return None
    return SegmentHeader(
        index=index, journal=journal.decode("ascii"), position=position, sequence=sequence, capacity=capacity
    )


def is_blank(data: bytes, offset: int) -> bool:
    """Whether nothing but zeros stands from `offset` on."""
    return data[offset:] == bytes(len(data) - offset)
