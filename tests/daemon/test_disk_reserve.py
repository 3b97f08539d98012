"""The disk reserve: when a scan must be refused, and how often the disk is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.daemon.disk_reserve import DiskReserve
from agent.journal import Journal
from agent.runtime.clock import FakeClock


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal") as journal:
        yield journal


class Disk:
    """Answers how much space is free, and counts the questions."""

    def __init__(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 2 << 20
        self.asked = 0
        monkeypatch.setattr(journal, "free_bytes", self._free_bytes)

    def _free_bytes(self) -> int:
        self.asked += 1
        return self.free


def test_enough_space_is_trusted_for_a_moment_and_the_want_of_it_never(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, disk = FakeClock(), Disk(journal, monkeypatch)
    reserve = DiskReserve(1 << 20, clock)
    for _ in range(100):
        reserve.is_starved(journal)
    assert disk.asked == 1
    clock.advance(0.2)
    disk.free = 0
    for _ in range(100):
        reserve.is_starved(journal)
    assert disk.asked == 101


def test_a_scan_is_refused_only_once_pruning_cannot_help(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mqtt.md#disk-reserve`"""
    disk = Disk(journal, monkeypatch)
    reserve = DiskReserve(4 << 20, FakeClock())
    assert not reserve.pruning_wanted.is_set()
    assert not reserve.is_starved(journal), "there is hope yet"
    assert reserve.pruning_wanted.is_set()
    reserve.is_exhausted = True
    assert reserve.is_starved(journal)
    disk.free = 8 << 20
    assert not reserve.is_starved(journal)
