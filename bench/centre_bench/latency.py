"""Measure an event's way to its acknowledgement at 200 events a second, against one publish and one commit alone.

The bound is `budgets.md#published-to-acknowledged`.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from bench.centre_bench.kiosk_load import Fleet
from bench.centre_bench.site import ACKS, CentreSite, acknowledged, paused, running_centre
from bench.centre_bench.stores import Store, stores, with_orders
from bench.centre_bench.wire import Wire
from bench.results import Row, percentile
from bench.scratch import Scratch

__all__ = ["AT_MOST", "KIOSKS", "PACE_S", "alone", "latencies", "measure"]

KIOSKS = 200
PACE_S = 0.005
AT_MOST = 5.0
_WARM_UP_S = 2.0
_LOST_S = 30.0
_DOCUMENT = b"x" * 700


def measure(scratch: Scratch, quick: bool) -> list[Row]:
    rounds, seconds = (1, 5.0) if quick else (3, 15.0)
    with stores(scratch) as kinds:
        return [_measure(scratch, store, rounds, seconds) for store in kinds]


def _measure(scratch: Scratch, store: Store, rounds: int, seconds: float) -> Row:
    fleet = Fleet(KIOSKS, began=datetime.now(UTC))
    orders = KIOSKS * (2 + int(rounds * (seconds + _WARM_UP_S) * PACE_S))
    ours, reference = [], []
    with running_centre(scratch.folder("latency"), store.new(with_orders(orders))) as site:
        for _ in range(rounds):
            ours.append(percentile(latencies(site, fleet, seconds), 0.99))
            with paused(site.centre.pid):
                reference.append(percentile(alone(site, store.new(lambda _: None), seconds / 2), 0.99))
    return Row(
        what=f"event published to acknowledged at 200/s, p99, {store.name}, against a publish and a commit alone",
        unit="ms", ours=ours, reference=reference, at_most=AT_MOST,
    )  # fmt: skip


def latencies(
    site: CentreSite, fleet: Fleet, seconds: float, *, until: Callable[[], bool] = lambda: True
) -> list[float]:
    """Publish an event every 5 ms, of each kiosk in turn; return the ms from each publish to its acknowledgement.

    It goes on for the given time, and until `until`. Each event is published when it is due, however late others are.
    """
    found: list[float] = []
    waiting: dict[str, deque[tuple[int, float]]] = {name: deque() for name in fleet.names}
    with Wire(site.broker.port, "bench-kiosks", [ACKS]) as wire:

        def take(timeout_s: float) -> None:
            for kiosk, through in acknowledged(wire, timeout_s):
                now, own = time.monotonic(), waiting.get(kiosk, deque())
                while own and own[0][0] <= through:
                    found.append((now - own.popleft()[1]) * 1000)

        began, place, skipped = time.monotonic(), 0, 0
        while time.monotonic() - began < _WARM_UP_S + seconds or not until():
            due = began + place * PACE_S
            while (left := due - time.monotonic()) > 0:
                take(left)
            message = fleet.next(place)
            waiting[message.kiosk].append((message.sequence, time.monotonic()))
            wire.publish(message.topic, message.payload)
            place += 1
            if time.monotonic() - began < _WARM_UP_S:
                skipped = len(found)
        end = time.monotonic() + _LOST_S
        while any(waiting.values()):
            take(0.1)
            if time.monotonic() > end:
                raise TimeoutError(f"{sum(map(len, waiting.values()))} events were not acknowledged")
    return found[skipped:]


def alone(site: CentreSite, url: str, seconds: float) -> list[float]:
    """Publish to a subscriber that commits each message, one at a time; return the ms from publish to commit."""
    found = []
    topic = "bench/alone"
    with (
        _commits(url) as commit,
        Wire(site.broker.port, "bench-subscriber", [topic]) as subscriber,
        Wire(site.broker.port, "bench-publisher") as publisher,
    ):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            publisher.publish(topic, _DOCUMENT)
            while not (arrived := subscriber.read(1.0)):
                pass
            commit(arrived[0].payload)
            found.append((time.monotonic() - began) * 1000)
            publisher.wait_published()
            time.sleep(max(0.0, began + PACE_S - time.monotonic()))
    return found


@contextmanager
def _commits(url: str) -> Iterator[Callable[[bytes], object]]:
    """Yield what inserts a document and commits it."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            file.execute(f"PRAGMA {pragma}")
        file.execute("CREATE TABLE alone (id INTEGER PRIMARY KEY, document BLOB)")
        yield lambda document: file.execute("INSERT INTO alone (document) VALUES (?)", (document,))
        file.close()
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute("CREATE TABLE alone (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document BYTEA)")
        yield lambda document: server.execute("INSERT INTO alone (document) VALUES (%s)", (document,))
