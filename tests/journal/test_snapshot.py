"""The snapshot file."""

from pathlib import Path

import pytest

from agent.errors import JournalDamaged
from agent.journal.journal_ids import Era
from agent.journal.segments import Segment
from agent.journal.snapshot import Snapshot, load_snapshot, store_snapshot

SNAPSHOT = Snapshot(
    position=12,
    state=b"\xf5state\n",
    index=3,
    offset=640,
    delivered=9,
    age_s=77,
    eras=(Era("3F0C9A1B", 0), Era("9A770001", 5)),
    pruned=((1, 4),),
    closed=(Segment(index=2, first_position=5, last_position=10, end=900, age_s=60, capacity=900),),
)


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert load_snapshot(tmp_path) is None
    size = store_snapshot(tmp_path, SNAPSHOT)
    assert (tmp_path / "snapshot").stat().st_size == size
    assert load_snapshot(tmp_path) == SNAPSHOT


def test_any_byte_changed_or_cut_off_is_damage(tmp_path: Path) -> None:
    """`faults.md#damaged-journal`"""
    store_snapshot(tmp_path, SNAPSHOT)
    path = tmp_path / "snapshot"
    content = path.read_bytes()
    for at in range(len(content)):
        for damaged in (content[:at], content[:at] + bytes((content[at] ^ 0x11,)) + content[at + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(JournalDamaged):
                load_snapshot(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    store_snapshot(tmp_path, SNAPSHOT)
    path = tmp_path / "snapshot"
    content = bytearray(path.read_bytes())
    content[8] = 2
    path.write_bytes(content)
    with pytest.raises(JournalDamaged, match="format 2"):
        load_snapshot(tmp_path)
