"""Measure the ingest's transactions, fed from memory, against a bare INSERT or COPY of the rows that they leave.

The bounds are `budgets.md#stored-from-memory`.
"""

from datetime import UTC, datetime

from bench.centre_bench.feeding import TableRows, batches_of, feed, new_rows, write_bare
from bench.centre_bench.kiosk_load import Fleet
from bench.centre_bench.stores import Store, opened, stores, with_orders
from bench.results import Row
from bench.scratch import Scratch

__all__ = ["KIOSKS", "measure"]

KIOSKS = 20
AT_LEAST = {"SQLite": 0.5, "PostgreSQL": 0.3}


def measure(scratch: Scratch, quick: bool) -> list[Row]:
    rounds, events = (2, 4_000) if quick else (7, 20_000)
    with stores(scratch) as kinds:
        return [_measure(store, rounds, events) for store in kinds]


def _measure(store: Store, rounds: int, events: int) -> Row:
    """Store the same events in a copy of the same database in each round. The first round warms up."""
    fleet = Fleet(KIOSKS, began=datetime.now(UTC))
    batches = batches_of(fleet.messages(events))
    before, empty = store.new(with_orders(fleet.orders)), store.new(lambda _: None)
    ours, reference = [], []
    rows: list[TableRows] = []
    for number in range(rounds + 1):
        with opened(store.copy(before)) as database:
            stored = feed(database, batches)
            if not rows:
                with opened(before) as template:
                    rows = new_rows(template, database)
        bare = events / write_bare(store.copy(empty), rows, len(batches))
        if number:
            ours.append(stored)
            reference.append(bare)
    return Row(
        what=f"events stored from memory, {store.name}, against the bare rows",
        unit="/s", ours=ours, reference=reference, at_least=AT_LEAST[store.name],
        samples={f"rows of {store.name}": {one.table: len(one.rows) for one in rows}},
    )  # fmt: skip
