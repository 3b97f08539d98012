"""Writing the cache: soon while no scan comes, and again after a failure."""

from pathlib import Path

from agent.catalogue.cache import Cache, StoredOrder
from agent.contract.manifest import Status
from agent.daemon.cache_writer import CacheWriter
from agent.runtime.clock import FakeClock

ORDERS = [
    StoredOrder(order=f"SO-{n}", revision=1, status=Status.OPEN, codes=(f"SO-{n}",), source="{}") for n in range(200)
]


class Kiosk:
    """A writer, its clock, and the journal's position: with `scanning`, it grows with every look."""

    def __init__(self, directory: Path, *, scanning: bool = False) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.scanning = scanning
        self.writer = CacheWriter(Cache(directory), clock=self.clock, position=self._position, sleep=self.clock.advance)
        self._at = 0

    def _position(self) -> int:
        self._at += self.scanning
        return self._at

    def saved(self) -> set[str]:
        return {order.order for order in Cache(self.directory).load().orders}


def names(orders: list[StoredOrder]) -> set[str]:
    return {order.order for order in orders}


def test_while_no_scan_comes_everything_is_written_at_once(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path / "cache")
    kiosk.writer.add(ORDERS)
    kiosk.writer.save()
    assert kiosk.saved() == names(ORDERS)


def test_while_scans_come_little_is_written_and_the_rest_at_the_end(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path / "cache", scanning=True)
    kiosk.writer.add(ORDERS)
    kiosk.writer.save()
    kiosk.writer.save()
    assert 0 < len(kiosk.saved()) < 20
    kiosk.writer.save_all()
    assert kiosk.saved() == names(ORDERS)


def test_a_failure_is_a_fault_until_all_is_written(tmp_path: Path) -> None:
    """`faults.md#disk-fault`"""
    in_the_way = tmp_path / "cache"
    in_the_way.write_bytes(b"")
    kiosk = Kiosk(in_the_way)
    kiosk.writer.add(ORDERS)
    kiosk.writer.save()
    assert kiosk.writer.fault is not None
    in_the_way.unlink()
    kiosk.writer.save()
    assert kiosk.writer.fault is None
    assert kiosk.saved() == names(ORDERS)


def test_nothing_to_write_waits_for_nothing(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path / "cache")
    before = kiosk.clock.monotonic()
    kiosk.writer.save()
    kiosk.writer.save_all()
    assert kiosk.clock.monotonic() == before
    assert not (tmp_path / "cache").exists()
