"""Measure a centre with a long history against one with 10,000 events: look-up of a unit, memory, ingest.

The bounds are `budgets.md#look-up-of-a-unit`, `budgets.md#memory-of-the-centre` and
`budgets.md#ingest-into-a-large-store`.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.centre_bench.feeding import batches_of, feed
from bench.centre_bench.kiosk_load import Fleet, devices_of
from bench.centre_bench.long_history import copy_history
from bench.centre_bench.site import CentreSite, running_centre
from bench.centre_bench.stores import Store, opened, stores, with_orders
from bench.centre_bench.transactions import KIOSKS
from bench.process import resident_bytes
from bench.results import Row
from bench.running import Measure
from bench.scratch import Scratch
from centre.link.received import Received

__all__ = ["EVENTS", "measured_with"]

EVENTS = 10_000_000
FEW = 10_000
_QUICK = 100_000
_ROUND = 5_000
_PAUSE_S = 0.01
"""Between requests: a token may make 200 a second."""


def measured_with(events: int) -> Measure:
    """Return the part that fills the databases with a number of events; with fewer if it is to be quick."""

    def measure(scratch: Scratch, quick: bool) -> list[Row]:
        rounds = 2 if quick else 5
        with stores(scratch) as kinds:
            return [
                row for store in kinds for row in _measure(scratch, store, rounds, _QUICK if quick else events)
            ]  # fmt: skip

    return measure


def _measure(scratch: Scratch, store: Store, rounds: int, events: int) -> list[Row]:
    now = datetime.now(UTC)
    past = Fleet(KIOSKS, began=now - timedelta(days=30))
    stored = batches_of(past.messages(FEW))
    present = Fleet(KIOSKS, began=now, journal=2, first_order=past.orders)
    fresh = [batches_of(present.messages(_ROUND)) for _ in range(rounds + 1)]
    base = store.new(with_orders(past.orders + present.orders))
    with opened(base) as database:
        feed(database, stored)
    few, many = store.copy(base), store.copy(base)
    with opened(many) as database:
        copy_history(database, events // FEW - 1, stored[0][0].received_at)
    rows = [*_served(scratch, few, many, rounds, past.orders - KIOSKS), _stored(few, many, fresh)]
    name = f"{store.name}, {events:,} events stored, against {FEW:,}"
    return [replace(row, what=f"{row.what}, {name}") for row in rows]


def _served(scratch: Scratch, few: str, many: str, rounds: int, orders: int) -> list[Row]:
    """Ask two centres that run side by side for the same units."""
    times: dict[str, list[float]] = {few: [], many: []}
    memory: dict[str, list[float]] = {few: [], many: []}
    with (
        running_centre(scratch.folder("few"), few) as small,
        running_centre(scratch.folder("many"), many) as large,
    ):
        for number in range(rounds + 1):
            for url, site in ((few, small), (many, large)):
                found = [_look_up(site, order, number) for order in range(0, orders, max(1, orders // 50))]
                if number:
                    times[url] += found
                    memory[url].append(resident_bytes(site.centre.pid) / 1e6)
    return [
        Row(what="GET /units/{identifier}", unit="ms", ours=times[many], reference=times[few], at_most=1.5),
        Row(what="resident memory", unit="MB", ours=memory[many], reference=memory[few], at_most=1.1),
    ]


def _stored(few: str, many: str, fresh: Sequence[Sequence[Sequence[Received]]]) -> Row:
    """Store the same events in both. The first round warms up."""
    ours, reference = [], []
    with opened(few) as small, opened(many) as large:
        for batches in fresh:
            reference.append(feed(small, batches))
            ours.append(feed(large, batches))
    return Row(what="events stored from memory", unit="/s", ours=ours[1:], reference=reference[1:], at_least=0.8)


def _look_up(site: CentreSite, order: int, place: int) -> float:
    unit = devices_of(order)[place].id
    began = time.monotonic()
    answer = site.centre.api().get(f"/units/{unit}")
    took_ms = (time.monotonic() - began) * 1000
    if answer.status_code != 200 or answer.json()["state"] not in ("counted", "packed"):
        raise RuntimeError(f"{unit}: {answer.status_code} {answer.text[:500]}")
    time.sleep(_PAUSE_S)
    return took_ms
