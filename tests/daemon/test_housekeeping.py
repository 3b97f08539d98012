"""Housekeeping saves what the centre said: soon, at the stop, and after a failure."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.catalogue.cache import Cache, StoredOrder
from agent.contract.manifest import Status
from agent.daemon.disk_reserve import DiskReserve
from agent.daemon.housekeeping import Housekeeping
from agent.errors import JournalFault
from agent.journal import Journal
from agent.runtime.clock import SystemClock
from harness.waiting import wait_for

ORDERS = {
    StoredOrder(order=f"SO-{n}", revision=1, status=Status.OPEN, codes=(f"SO-{n}",), source="{}") for n in range(200)
}
DEADLINE_S = 60.0


class Watched(Cache):
    """A cache that tells when a number of changes have been saved, and when a save has failed."""

    def __init__(self, directory: Path, awaited: int = len(ORDERS)) -> None:
        super().__init__(directory)
        self._missing = awaited
        self.complete = threading.Event()
        self.failed = threading.Event()

    def save(self, now: float, *, is_quiet: bool) -> bool:
        waiting = self.waiting
        try:
            is_saved = super().save(now, is_quiet=is_quiet)
        except OSError:
            self.failed.set()
            raise
        self._missing -= waiting - self.waiting
        if self._missing <= 0:
            self.complete.set()
        return is_saved


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal") as journal:
        yield journal


def housekeeping(cache: Cache, journal: Callable[[], Journal | None]) -> Housekeeping:
    return Housekeeping(
        journal=journal,
        published=lambda: None,
        forget=lambda orders: None,
        cache=cache,
        reserve=DiskReserve(0, SystemClock()),
        clock=SystemClock(),
        keep_days=14.0,
    )


def test_without_scans_everything_is_written_soon(tmp_path: Path, journal: Journal) -> None:
    cache = Watched(tmp_path / "cache")
    keeping = housekeeping(cache, lambda: journal)
    keeping.cache_writer.add(ORDERS)
    keeping.start()
    try:
        assert cache.complete.wait(DEADLINE_S)
    finally:
        keeping.stop(DEADLINE_S)
    assert set(Cache(tmp_path / "cache").load().orders) == ORDERS


def test_stop_writes_what_waited_for_the_scans_to_end(tmp_path: Path, journal: Journal) -> None:
    def with_a_commit_each_time() -> Journal:
        journal.commit([b"{}"])
        return journal

    keeping = housekeeping(Cache(tmp_path / "cache"), with_a_commit_each_time)
    keeping.cache_writer.add(ORDERS)
    keeping.start()
    keeping.stop(DEADLINE_S)
    assert set(Cache(tmp_path / "cache").load().orders) == ORDERS


def test_what_the_disk_did_not_take_is_written_when_it_does(tmp_path: Path, journal: Journal) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_bytes(b"")
    cache = Watched(in_the_way)
    keeping = housekeeping(cache, lambda: journal)
    keeping.cache_writer.add(ORDERS)
    keeping.start()
    try:
        assert cache.failed.wait(DEADLINE_S)
        in_the_way.unlink()
        assert cache.complete.wait(DEADLINE_S)
    finally:
        keeping.stop(DEADLINE_S)
    assert keeping.cache_writer.fault is None
    assert set(Cache(in_the_way).load().orders) == ORDERS


def test_a_chore_that_fails_is_told_until_it_works(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mqtt.md#health`"""

    def fails() -> None:
        raise JournalFault("no space left")

    keeping = housekeeping(Cache(tmp_path / "cache"), lambda: journal)
    assert keeping.faults == []
    with monkeypatch.context() as broken:
        broken.setattr(journal, "prepare", fails)
        keeping.start()
        wait_for(lambda: keeping.faults == ["no space left"], "the fault")
    wait_for(lambda: keeping.faults == [], "the end of the fault")
    keeping.stop(DEADLINE_S)
