"""Measure the ingest at 200 events a second while 10,000 orders are imported from a CSV file and published.

The bound is `budgets.md#import-beside-the-ingest`.
"""

import csv
import io
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import func, select

from bench.centre_bench.kiosk_load import DEVICES, Fleet, devices_of, order_name
from bench.centre_bench.latency import AT_MOST, KIOSKS, PACE_S, alone, latencies
from bench.centre_bench.site import CentreSite, paused, running_centre
from bench.centre_bench.stores import Store, opened, stores, with_orders
from bench.results import Row, percentile
from bench.scratch import Scratch
from centre.store.database import Database
from centre.store.schema import sent

__all__ = ["measure"]

IMPORTED = 10_000
_SECONDS = 5.0
_PUBLISHED_S = 300.0
_LOOK_S = 0.5


def measure(scratch: Scratch, quick: bool) -> list[Row]:
    rounds, imported = (1, IMPORTED // 10) if quick else (2, IMPORTED)
    with stores(scratch) as kinds:
        return [row for store in kinds for row in _measure(scratch, store, rounds, imported)]


def _measure(scratch: Scratch, store: Store, rounds: int, imported: int) -> list[Row]:
    """Import other orders in each round."""
    fleet = Fleet(KIOSKS, began=datetime.now(UTC))
    known = KIOSKS * (2 + int(rounds * 60 * PACE_S))
    url = store.new(with_orders(known))
    ours, reference, took = [], [], []
    with running_centre(scratch.folder("import"), url) as site, opened(url) as database, ThreadPoolExecutor(1) as pool:
        site.centre.api()
        for number in range(rounds):
            file = _csv(known + number * imported, imported)
            importing: Future[float] = pool.submit(_import, site, database, file, imported)
            ours.append(percentile(latencies(site, fleet, _SECONDS, until=importing.done), 0.99))
            took.append(importing.result())
            with paused(site.centre.pid):
                reference.append(percentile(alone(site, store.new(lambda _: None), 2 * _SECONDS), 0.99))
    what = f"{imported:,} orders imported, {store.name}"
    return [
        Row(
            what=f"{what}: event published to acknowledged, p99, against a publish and a commit alone",
            unit="ms", ours=ours, reference=reference, at_most=AT_MOST,
        ),
        Row(what=f"{what}: until all are stored and published", unit="s", ours=took),
    ]  # fmt: skip


def _csv(first: int, count: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("order", "sku", "flow", "quantity", "units"))
    for number in range(first, first + count):
        units = ";".join("+".join((unit.id, *unit.aliases)) for unit in devices_of(number))
        rows.writerow((order_name(number), "P13-128-BLK", "used", DEVICES, units))
    return text.getvalue().encode()


def _import(site: CentreSite, database: Database, file: bytes, count: int) -> float:
    """Import a file; return the seconds until the broker has all its orders."""
    before = _published(database)
    began = time.monotonic()
    answer = site.centre.api().post("/imports/orders", params={"format": "csv"}, content=file, timeout=_PUBLISHED_S)
    if answer.status_code != 200 or len(answer.json()["created"]) != count:
        raise RuntimeError(f"the import has failed: {answer.status_code} {answer.text[:500]}")
    while _published(database) < before + count:
        if time.monotonic() > began + _PUBLISHED_S:
            raise TimeoutError("the imported orders are not published")
        time.sleep(_LOOK_S)
    return time.monotonic() - began


def _published(database: Database) -> int:
    """Return how many orders the broker has taken."""
    with database.reading() as connection:
        statement = select(func.count()).select_from(sent).where(sent.c.topic.contains("/order/"))
        return connection.execute(statement).scalar_one()
