"""Measure how fast a centre takes in a backlog of its broker, against the same transactions fed from memory.

The bounds are `budgets.md#backlog-of-a-broker`.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.centre_bench.feeding import batches_of, feed
from bench.centre_bench.kiosk_load import Fleet, Message
from bench.centre_bench.site import ACKS, CentreSite, paused, running_centre, wait_acknowledged
from bench.centre_bench.stores import Store, opened, stores, with_orders
from bench.centre_bench.transactions import KIOSKS
from bench.centre_bench.wire import Wire
from bench.results import Row
from bench.scratch import Scratch

__all__ = ["measure"]

AT_LEAST = {"SQLite": 0.2, "PostgreSQL": 0.4}
_IN_FLIGHT = 500
_DEADLINE_S = 120.0


def measure(scratch: Scratch, quick: bool) -> list[Row]:
    rounds, events = (2, 4_000) if quick else (5, 20_000)
    with stores(scratch) as kinds:
        return [_measure(scratch.folder("site"), store, rounds, events) for store in kinds]


def _measure(folder: Path, store: Store, rounds: int, events: int) -> Row:
    """Take the same events into a copy of the same database in each round. The first round warms up."""
    fleet = Fleet(KIOSKS, began=datetime.now(UTC))
    messages = fleet.messages(events)
    batches = batches_of(messages)
    before = store.new(with_orders(fleet.orders))
    ours, reference = [], []
    for number in range(rounds + 1):
        with running_centre(folder / str(number), store.copy(before)) as site:
            drained = _drain(site, messages)
        with opened(store.copy(before)) as database:
            fed = feed(database, batches)
        if number:
            ours.append(drained)
            reference.append(fed)
    return Row(
        what=f"backlog in a broker to acknowledged, {store.name}, against fed from memory",
        unit="/s", ours=ours, reference=reference, at_least=AT_LEAST[store.name],
    )  # fmt: skip


def _drain(site: CentreSite, messages: Sequence[Message]) -> float:
    """Have events wait in the broker while the centre is paused; return how many a second it then acknowledges."""
    with Wire(site.broker.port, "bench-kiosks") as kiosks, Wire(site.broker.port, "bench-acks", [ACKS]) as acks:
        with paused(site.centre.pid):
            for one in messages:
                kiosks.publish(one.topic, one.payload)
                kiosks.wait_published(_IN_FLIGHT)
            kiosks.wait_published()
            began = time.monotonic()
        wait_acknowledged(acks, messages, deadline_s=_DEADLINE_S)
        return len(messages) / (time.monotonic() - began)
