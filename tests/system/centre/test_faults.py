"""What the centre promises when it, a broker or the database fails: nothing acknowledged is lost, nothing doubled."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.postgres import PostgresServer
from harness.site import Bench, Site, site_of
from harness.waiting import wait_for

ORDERS = 60
"""More than a bench packs while a test runs."""


@contextmanager
def packing(site: Site, *benches: Bench) -> Iterator[list[str]]:
    """Pack orders of two devices at the benches until the block ends; give the orders that were packed."""
    packed: list[str] = []
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(bench: Bench, orders: list[tuple[str, list[str]]]) -> None:
        try:
            for order, units in orders:
                if stop.wait(0.3):
                    return
                bench.pack(order, units)
                packed.append(order)
        except (AssertionError, OSError) as exc:
            failures.append(exc)

    # The orders are there before anything fails.
    shares = [[site.order(2) for _ in range(ORDERS)] for _ in benches]
    threads = [threading.Thread(target=work, args=pair) for pair in zip(benches, shares, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield packed
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def settle(site: Site, packed: list[str]) -> None:
    """Wait until the centre has everything, and check that it has it once and shows it."""
    site.wait_delivered(deadline_s=90)
    site.check()
    for order in packed:
        found = site.wait_order(order, "packed")
        assert [one["pending"] for one in found["lines"]] == [0]


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_the_centre_is_killed_at_random_instants(tmp_path: Path, database_url: str | None, kills: int) -> None:
    if database_url is not None:
        kills = kills // 4
    chance = random.Random(seed := random.randrange(2**32))
    print(f"seed {seed}")
    with site_of(tmp_path, kiosks=("dock-1", "dock-2"), database_url=database_url) as site:
        packed: list[str] = []
        done = 0
        while done < kills:
            with packing(site, *site.benches) as orders:
                for _ in range(min(10, kills - done)):
                    # From a start that is not finished to a centre that has worked for a while.
                    time.sleep(chance.uniform(0.1, 2.5))
                    site.centre.kill()
                    site.centre.spawn()
                    done += 1
                site.centre.wait_ready()
            packed += orders
        settle(site, packed)


def test_a_broker_loses_its_memory(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        with packing(site, site.bench) as packed:
            wait_for(lambda: len(packed) >= 2, "two packed orders")
            site.brokers[0].kill()
            time.sleep(1)
            site.brokers[0].start()
            site.centre.wait_ready()
            before = len(packed)
            wait_for(lambda: len(packed) > before, "another packed order")
        settle(site, packed)
        # A kiosk that has nothing gets everything from the broker, since the centre has published it again.
        order, units = site.order(1)
        site.bench.pack(order, units)
        site.wait_order(order, "packed")


def test_one_of_two_brokers_goes(tmp_path: Path) -> None:
    with site_of(tmp_path, brokers=2) as site:
        with packing(site, site.bench) as packed:
            wait_for(lambda: len(packed) >= 1, "a packed order")
            site.brokers[0].kill()
            order, units = site.order(1)
            before = len(packed)
            wait_for(lambda: len(packed) > before, "another packed order", deadline_s=60)
        site.bench.pack(order, units)
        settle(site, [*packed, order])


def test_the_database_is_away_for_a_while(tmp_path: Path) -> None:
    with PostgresServer(durable=True) as server, site_of(tmp_path, database_url=server.database()) as site:
        with packing(site, site.bench) as packed:
            wait_for(lambda: len(packed) >= 1, "a packed order")
            server.kill()
            before = len(packed)
            wait_for(lambda: len(packed) > before, "an order packed meanwhile")
            wait_for(lambda: not site.centre.is_ready(), "readyz to say so")
            backlog = site.bench.kiosk.status()["health"]["uplink"]["backlog"]
            assert backlog > 0, "events were acknowledged without a database"
            server.start()
            site.centre.wait_ready(deadline_s=60)
        settle(site, packed)


def test_a_database_is_restored_from_an_older_backup(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        first, units = site.order(2)
        site.bench.pack(first, units)
        site.wait_order(first, "packed")
        backup = tmp_path / "backup.sqlite"
        done = site.centre.run("backup", str(backup))
        assert done.returncode == 0, done.stderr.decode()
        second, units = site.order(2)
        site.bench.pack(second, units)
        site.wait_order(second, "packed")
        site.wait_delivered()

        assert site.centre.stop() == 0
        [file] = site.centre.data_dir.glob("*.sqlite")
        for old in site.centre.data_dir.glob("*.sqlite-*"):
            old.unlink()
        file.write_bytes(backup.read_bytes())
        site.centre.start()
        # That the order is packed comes back from the broker, what was packed from the kiosk's journal.
        wait_for(lambda: set(site.centre.events()) == site.exported(), "all events", deadline_s=60, poll_s=0.5)
        found = site.wait_order(second, "packed")
        assert [one["scanned"] for one in found["lines"]] == [2]
        assert [content["units"] for box in found["boxes"] for content in box["contents"]] == [units]
        site.check()


def test_a_new_empty_centre_destroys_nothing(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        order, units = site.order(1)
        done, other = site.order(2)
        site.bench.pack(done, other)
        site.wait_order(done, "packed")
        assert site.centre.stop() == 0
        for file in site.centre.data_dir.glob("*.sqlite*"):
            file.unlink()
        site.centre.forget_token()
        site.centre.start()
        wait_for(lambda: set(site.centre.events()) == site.exported(), "all events", deadline_s=60, poll_s=0.5)
        assert site.centre.get(f"/orders/{order}")["manifest"]["order"] == order
        site.bench.pack(order, units)
        site.wait_order(order, "packed")
        site.wait_delivered()
        site.check()


def test_a_second_centre_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        done = site.centre.run("run")
        assert done.returncode == 75, done.stderr.decode()
        assert b"Traceback" not in done.stderr


def test_the_journal_of_a_dead_kiosk_is_imported(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        order, units = site.order(2)
        site.bench.pack(order, units)
        site.wait_order(order, "packed")
        site.wait_delivered()
        site.brokers[0].kill()
        site.bench.station.scan("lost-and-found")
        exported = tmp_path / "export.ndjson"
        exported.write_bytes(site.bench.kiosk.run("journal", "export").stdout)
        site.bench.kiosk.kill()
        done = site.centre.run("import", "journal", str(exported))
        assert done.returncode == 0, done.stderr.decode()
        wait_for(lambda: set(site.centre.events()) == site.exported(), "all events", poll_s=0.5)
