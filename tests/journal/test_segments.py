"""Segment files and the table of which segment holds which events."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.journal.segments import (
    Segment,
    SegmentTable,
    make_standby,
    remove_temporary,
    segment_path,
    segment_sizes,
)


def segment(index: int, first: int, last: int) -> Segment:
    return Segment(index=index, first_position=first, last_position=last, end=99, age_s=0, capacity=99)


@given(sizes=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12))
def test_every_position_is_in_its_segment_or_its_pruned_range(sizes: list[tuple[int, bool]]) -> None:
    segments, pruned, expected = [], [], []
    position = 0
    for index, (size, is_pruned) in enumerate(sizes, 1):
        first, position = position + 1, position + size
        if not is_pruned:
            segments.append(segment(index, first, position))
        elif size:
            pruned.append((first, position))
        expected += [(index, is_pruned, position)] * size
    table = SegmentTable(tuple(segments), tuple(pruned))
    for at, (index, is_pruned, last) in enumerate(expected, 1):
        found = table.segment_of(at)
        assert (None if found is None else found.index) == (None if is_pruned else index)
        assert table.pruned_through(at) == (last if is_pruned else None)
    assert table.segment_of(position + 1) is None
    assert table.pruned_through(position + 1) is None


def test_the_next_segment_is_written_by_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written at once is one folio of the page cache, and each later record costs more."""
    real, sizes = os.pwrite, []

    def note_size(fd: int, data: memoryview, offset: int) -> int:
        sizes.append(len(data))
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", note_size)
    make_standby(tmp_path, 7, 10_000)
    assert sizes == [4096, 4096, 10_000 - 2 * 4096]


def test_a_standby_is_zeros_of_the_wanted_size(tmp_path: Path) -> None:
    make_standby(tmp_path, 7, 10_000)
    assert segment_path(tmp_path, 7).read_bytes() == bytes(10_000)
    assert segment_sizes(tmp_path) == {7: 10_000}
    make_standby(tmp_path, 7, 10_000)


def test_a_segment_in_use_is_never_made_a_standby(tmp_path: Path) -> None:
    segment_path(tmp_path, 7).write_bytes(b"used".ljust(1000, b"\0"))
    with pytest.raises(FileExistsError, match="not empty"):
        make_standby(tmp_path, 7, 1000)
    assert segment_path(tmp_path, 7).read_bytes().startswith(b"used")


def test_only_segment_files_count(tmp_path: Path) -> None:
    for name in ("0000000003.seg", "snapshot", "0000000004.seg.tmp", "x.seg", "٣.seg"):
        (tmp_path / name).write_bytes(b"12345")
    assert segment_sizes(tmp_path) == {3: 5}


def test_temporary_files_are_removed(tmp_path: Path) -> None:
    for name in ("0000000003.seg", "snapshot", "snapshot.tmp", "0000000004.seg.tmp"):
        (tmp_path / name).touch()
    remove_temporary(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"0000000003.seg", "snapshot"}
