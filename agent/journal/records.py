"""The journal's on-disk format: encode and decode records and segment headers. Pure; `segments` handles the files.

A record is one commit: a header, its event documents one per line, then one line that stays on this kiosk.
All integers are little-endian:

    magic 4s | CRC-32 u32 | payload length u32 | events u32 |
    journal id 8s | position u64 | sequence u64 | mark u64 | age u32

Position and sequence belong to the first event; a record without events carries those of the next event. The CRC covers
everything after itself. It starts from the segment number, so that a record copied into another segment is invalid.
The magic contains a byte that UTF-8 never contains, so no document can look like a record.
"""

import struct
import zlib
from typing import NamedTuple

from msgspec import Struct

from agent.errors import JournalOfAnotherVersion

__all__ = [
    "RECORD_HEADER_BYTES",
    "SEGMENT_HEADER_BYTES",
    "Commit",
    "RecordHeader",
    "SegmentHeader",
    "StoredEvent",
    "crc_seed",
    "decode_commit",
    "decode_events",
    "decode_segment_header",
    "encode_record",
    "encode_segment_header",
    "encode_segment_start",
    "find_record",
    "is_blank",
    "next_record",
    "record_at",
    "refuse_other_record_version",
    "refuse_other_segment_version",
]

_RECORD_FAMILY = b"\xf5KJ"
_RECORD_VERSION = b"1"
_RECORD_MAGIC = _RECORD_FAMILY + _RECORD_VERSION
_START = struct.Struct("<4sI")
_REST = struct.Struct("<II8sQQQI")
_RECORD = struct.Struct("<4sIII8sQQQI")
RECORD_HEADER_BYTES = _RECORD.size
"""Length of a record's header."""

_SEGMENT_MAGIC = b"\xf5KIOSK\r\n"
_VERSION = 1
_LARGEST_VERSION = 0xFFFF
_SEGMENT_START = struct.Struct("<8sI")
_SEGMENT = struct.Struct("<8sIQ8sQQQ")
SEGMENT_HEADER_BYTES = 64
"""Length of a segment's header. It shares a disk sector with the first record's header, so one write writes both."""

_pack_start = _START.pack
_pack_rest = _REST.pack
_unpack_record = _RECORD.unpack_from
_crc32 = zlib.crc32


class Commit(Struct, frozen=True, kw_only=True):
    """A record with events. `position` and `sequence` belong to the first of `documents`."""

    journal: str
    position: int
    sequence: int
    documents: tuple[bytes, ...]
    private: bytes


class StoredEvent(Struct, frozen=True, kw_only=True):
    """One event. `position` counts across all journal ids, `sequence` within the id `journal`."""

    position: int
    journal: str
    sequence: int
    document: bytes


class RecordHeader(NamedTuple):
    """The header of a valid record, which is `data[start:end]` of the bytes it was found in."""

    start: int
    end: int
    events: int
    journal: str
    position: int
    sequence: int
    mark: int
    age_s: int


class SegmentHeader(Struct, frozen=True, kw_only=True):
    """A segment's number, its size when it was created, and the position and sequence of its first event."""

    index: int
    journal: str
    position: int
    sequence: int
    capacity: int


def crc_seed(index: int) -> int:
    """Return the start value of the CRCs in a segment."""
    return _crc32(b"segment %d" % index)


def encode_record(
    seed: int, *, journal: bytes, position: int, sequence: int, count: int, mark: int, age_s: int, payload: bytes
) -> bytes:
    """Return the bytes of one record. `payload` is its lines, joined by newlines; `count` of them are events."""
    body = _pack_rest(len(payload), count, journal, position, sequence, mark, age_s) + payload
    return _pack_start(_RECORD_MAGIC, _crc32(body, seed)) + body


def record_at(data: bytes, offset: int, seed: int) -> RecordHeader | None:
    """Return the record that starts at `offset`; None unless it is complete and its checksum and line count fit."""
    body = offset + RECORD_HEADER_BYTES
    if len(data) < body:
        return None
    magic, crc, length, count, journal, position, sequence, mark, age_s = _unpack_record(data, offset)
    end = body + length
    if magic != _RECORD_MAGIC or len(data) < end:
        return None
    if _crc32(memoryview(data)[offset + _START.size : end], seed) != crc or data.count(b"\n", body, end) != count:
        return None
    return RecordHeader(offset, end, count, journal.decode("ascii"), position, sequence, mark, age_s)


def find_record(data: bytes, offset: int, seed: int) -> RecordHeader | None:
    """Return the first valid record that starts at `offset` or later."""
    while (offset := data.find(_RECORD_MAGIC, offset)) >= 0:
        head = record_at(data, offset, seed)
        if head is not None:
            return head
        offset += 1
    return None


def next_record(data: bytes, offset: int) -> tuple[int, int] | None:
    """Return (end, events) of the record at `offset`, unchecked: for records whose checksum was verified before."""
    body = offset + RECORD_HEADER_BYTES
    if len(data) < body or not data.startswith(_RECORD_MAGIC, offset):
        return None
    _, _, length, count, *_ = _unpack_record(data, offset)
    return body + length, count


def decode_commit(data: bytes, head: RecordHeader) -> Commit:
    """Return the commit of a record with events."""
    *documents, private = data[head.start + RECORD_HEADER_BYTES : head.end].split(b"\n")
    return Commit(
        journal=head.journal,
        position=head.position,
        sequence=head.sequence,
        documents=tuple(documents),
        private=private,
    )


def decode_events(data: bytes, head: RecordHeader) -> list[StoredEvent]:
    """Return the events of a record, in order; empty for a record without events."""
    lines = data[head.start + RECORD_HEADER_BYTES : head.end].split(b"\n")
    return [
        StoredEvent(position=head.position + i, journal=head.journal, sequence=head.sequence + i, document=lines[i])
        for i in range(head.events)
    ]


def encode_segment_header(header: SegmentHeader) -> bytes:
    """Return the bytes of a segment's header."""
    body = _SEGMENT.pack(
        _SEGMENT_MAGIC,
        _VERSION,
        header.index,
        header.journal.encode("ascii"),
        header.position,
        header.sequence,
        header.capacity,
    ).ljust(SEGMENT_HEADER_BYTES - 4, b"\0")
    return body + _crc32(body).to_bytes(4, "little")


def encode_segment_start(header: SegmentHeader, *, count: int, mark: int, age_s: int, payload: bytes) -> bytes:
    """Return a segment's header and its first record, to be written at once."""
    return encode_segment_header(header) + encode_record(
        crc_seed(header.index),
        journal=header.journal.encode("ascii"),
        position=header.position,
        sequence=header.sequence,
        count=count,
        mark=mark,
        age_s=age_s,
        payload=payload,
    )


def decode_segment_header(data: bytes) -> SegmentHeader | None:
    """Return the header at the start of a segment; None if it is damaged or of another version."""
    body, crc = data[: SEGMENT_HEADER_BYTES - 4], data[SEGMENT_HEADER_BYTES - 4 : SEGMENT_HEADER_BYTES]
    if len(data) < SEGMENT_HEADER_BYTES or _crc32(body) != int.from_bytes(crc, "little"):
        return None
    magic, version, index, journal, position, sequence, capacity = _SEGMENT.unpack_from(body)
    if magic != _SEGMENT_MAGIC or version != _VERSION:
        return None
    return SegmentHeader(
        index=index, journal=journal.decode("ascii"), position=position, sequence=sequence, capacity=capacity
    )


def refuse_other_segment_version(data: bytes, path: str) -> None:
    """Raise JournalOfAnotherVersion if these are the first bytes of a segment in another format.

    The version is judged before the checksum, which another version may have elsewhere. A number that no program will
    reach is damage. (`faults.md#another-version`)
    """
    if len(data) < _SEGMENT_START.size:
        return
    magic, version = _SEGMENT_START.unpack_from(data)
    if magic == _SEGMENT_MAGIC and version != _VERSION and 0 < version <= _LARGEST_VERSION:
        raise JournalOfAnotherVersion(
            path, 8, f"the segment has format {version}; this program understands format {_VERSION}"
        )


def refuse_other_record_version(data: bytes, offset: int, path: str) -> None:
    """Raise JournalOfAnotherVersion if a record in another format stands where a record is expected.

    A version is a letter or digit: other bytes there are damage. (`faults.md#another-version`)
    """
    version = data[offset + len(_RECORD_FAMILY) : offset + len(_RECORD_MAGIC)]
    if data.startswith(_RECORD_FAMILY, offset) and version.isalnum() and version != _RECORD_VERSION:
        raise JournalOfAnotherVersion(
            path,
            offset,
            f"the record has format {version.decode()}; this program understands format {_RECORD_VERSION.decode()}",
        )


def is_blank(data: bytes, offset: int) -> bool:
    """Return whether all bytes from `offset` on are zero."""
    return data[offset:] == bytes(len(data) - offset)
