"""Segment files: reading them, writing pages again, erasing."""

import os
from pathlib import Path

import pytest

from agent.errors import JournalBusy, JournalFault
from agent.journal.segment_io import PAGE_BYTES, erase, rewrite, storage_fault


@pytest.mark.parametrize(("start", "end"), [(0, 10), (4095, 4097), (4105, 4195)])
def test_rewrite_starts_at_the_page(tmp_path: Path, start: int, end: int) -> None:
    """A failed flush leaves the whole page in doubt, not only the bytes written last. (`faults.md#disk-fault`)"""
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * PAGE_BYTES))
    data = b"x" * 3 * PAGE_BYTES
    fd = os.open(path, os.O_RDWR)
    rewrite(fd, data, start, end)
    os.close(fd)
    written = path.read_bytes()
    page = start // PAGE_BYTES * PAGE_BYTES
    assert written == bytes(page) + data[page:end] + bytes(len(data) - end)


def test_erase_fills_with_zeros_and_cuts_to_capacity(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"k" * 100 + b"x" * 300)
    fd = os.open(path, os.O_RDWR)
    erase(fd, 100, 150, 200)
    os.close(fd)
    assert path.read_bytes() == b"k" * 100 + bytes(50) + b"x" * 50


def test_storage_fault_names_what_was_being_done() -> None:
    with pytest.raises(JournalFault, match="cannot be written: No space left"), storage_fault("cannot be written"):
        raise OSError(28, "No space left on device")
    with pytest.raises(JournalBusy), storage_fault("the journal cannot be opened"):
        raise JournalBusy("in use")
