"""The snapshot file: the state at one position, and what must be known about the log before it.

    magic 8s | version u32 | CRC-32 u32 | length of the JSON u32 | length of the state u32 | JSON | state

It is always replaced as a whole. A segment is removed from the snapshot's list before its file is deleted, so a listed
file that is missing is damage.
"""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent.errors import JournalDamaged, JournalOfAnotherVersion
from agent.journal.journal_ids import Era
from agent.journal.segments import Segment
from agent.runtime.durable import read_file, replace_durably

__all__ = ["SNAPSHOT_NAME", "Snapshot", "load_snapshot", "store_snapshot"]

SNAPSHOT_NAME = "snapshot"
_MAGIC = b"\xf5KSNAP\r\n"
_VERSION = 1
_HEAD_START = struct.Struct("<8sI")
_HEAD = struct.Struct("<8sIIII")
_CRC_FROM = 16


class Snapshot(Struct, frozen=True, kw_only=True):
    """`state` is the state after the event at `position`. The next record is at byte `offset` of segment `index`.

    `closed` are the segments before that one, `eras` the journal ids used so far, oldest first. `delivered` is the
    delivery mark and `age_s` the age clock at the time of writing.
    """

    position: int
    state: bytes
    index: int
    offset: int
    delivered: int
    age_s: int
    eras: tuple[Era, ...]
    pruned: tuple[tuple[int, int], ...]
    closed: tuple[Segment, ...]


def _encode(snapshot: Snapshot) -> bytes:
    facts = json.dumps(
        {
            "position": snapshot.position,
            "index": snapshot.index,
            "offset": snapshot.offset,
            "delivered": snapshot.delivered,
            "age_s": snapshot.age_s,
            "eras": snapshot.eras,
            "pruned": snapshot.pruned,
            "closed": [(s.index, s.first_position, s.last_position, s.end, s.age_s) for s in snapshot.closed],
        },
        separators=(",", ":"),
    ).encode()
    body = struct.pack("<II", len(facts), len(snapshot.state)) + facts + snapshot.state
    return struct.pack("<8sII", _MAGIC, _VERSION, zlib.crc32(body)) + body


def _facts(data: bytes, path: Path) -> tuple[dict[str, Any], bytes]:
    # The version first: another one may have all that follows elsewhere.
    if len(data) >= _HEAD_START.size:
        magic, version = _HEAD_START.unpack_from(data)
        if magic == _MAGIC and version != _VERSION:
            raise JournalOfAnotherVersion(
                str(path), 8, f"the snapshot has format {version}; this program understands format {_VERSION}"
            )
    if len(data) < _HEAD.size:
        raise JournalDamaged(str(path), len(data), "the snapshot is cut short")
    magic, _, crc, facts_bytes, state_bytes = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise JournalDamaged(str(path), 0, "not a snapshot file")
    if len(data) != _HEAD.size + facts_bytes + state_bytes:
        raise JournalDamaged(str(path), len(data), "the snapshot's length does not match its header")
    if zlib.crc32(memoryview(data)[_CRC_FROM:]) != crc:
        raise JournalDamaged(str(path), 0, "the snapshot's checksum is wrong")
    split = _HEAD.size + facts_bytes
    facts: dict[str, Any] = json.loads(data[_HEAD.size : split])
    return facts, data[split:]


def load_snapshot(directory: Path) -> Snapshot | None:
    """Return the snapshot; None if there is no such file. Raises JournalDamaged, OSError."""
    path = directory / SNAPSHOT_NAME
    try:
        data = read_file(path)
    except FileNotFoundError:
        return None
    facts, state = _facts(data, path)
    return Snapshot(
        position=facts["position"],
        state=state,
        index=facts["index"],
        offset=facts["offset"],
        delivered=facts["delivered"],
        age_s=facts["age_s"],
        eras=tuple(Era(journal, base) for journal, base in facts["eras"]),
        pruned=tuple((first, last) for first, last in facts["pruned"]),
        closed=tuple(
            Segment(index=index, first_position=first, last_position=last, end=end, age_s=age_s, capacity=end)
            for index, first, last, end, age_s in facts["closed"]
        ),
    )


def store_snapshot(directory: Path, snapshot: Snapshot) -> int:
    """Write the snapshot; return its size in bytes. It is durable when this returns. Raises OSError."""
    data = _encode(snapshot)
    replace_durably(directory / SNAPSHOT_NAME, data)
    return len(data)
