"""Kiosks, a lossy, doubling, reordering way, and a centre that crashes: nothing is lost, nothing counts twice."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from centre.centre_errors import DatabaseDown
from centre.ingest.acknowledgements import acks_of_all
from centre.ingest.gap_watch import ToCheck
from centre.ingest.missing_events import find_missing
from centre.link.received import Received
from centre.store.database import Database
from centre.store.schema import event, metadata
from tests.centre.ingest.bench_work import Bench
from tests.centre.ingest.picture import hurry, picture
from tests.centre.ingest.played import PlayedKiosk, event_id, rows, stand_in, store

STEPS = (
    "centre.store.kiosk_rows.ensure",
    "centre.ingest.transaction.look_up",
    "centre.ingest.transaction.count",
    "centre.store.event_rows.insert",
    "centre.store.event_rows.insert_unit_events",
    "centre.ingest.event_counting.project",
    "centre.ingest.event_counting.project_late",
    "centre.store.projection_rows.write_boxes",
    "centre.store.projection_rows.write_orders",
    "centre.store.journal_rows.update",
    "centre.ingest.transaction.note_overlaps",
)
"""Where a transaction may break off."""


@contextmanager
def new_database(folder: str, name: str) -> Iterator[Database]:
    database = Database(f"sqlite:///{Path(folder) / name}")
    hurry(database)
    with database.writing() as connection:
        metadata.create_all(connection)
    yield database
    database.dispose()


class Delivery(RuleBasedStateMachine):
    """Three kiosks deliver to a centre. At the end everything that was written is delivered, and compared."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.opened = new_database(self.folder.name, "centre.sqlite")
        self.centre = self.opened.__enter__()
        self.kiosks = [PlayedKiosk(f"dock-{number}", journal=f"{number:08d}") for number in range(3)]
        self.benches = [Bench(f"k{number}", f"SO-{number}") for number in range(3)]
        self.under_way: list[Received] = []

    @rule(number=st.integers(0, 2), choices=st.lists(st.integers(0, 119), min_size=1, max_size=4))
    def work(self, number: int, choices: list[int]) -> None:
        """A kiosk writes events, and publishes them."""
        kiosk = self.kiosks[number]
        for choice in choices:
            kiosk.time = f"2026-11-22T17:00:00.{kiosk.sequence:03d}Z"
            self.under_way += kiosk.write(*self.benches[number].step(choice, kiosk.sequence + 1))

    @rule(seed=st.integers(0, 2**16))
    def lose(self, seed: int) -> None:
        """A part of what is under way is lost; another comes twice; some only as a stand-in."""
        chance = random.Random(seed)
        kept = [message for message in self.under_way if chance.random() < 0.7]
        twice = [message for message in kept if chance.random() < 0.2]
        small = [stand_in(message) for message in kept if chance.random() < 0.1]
        self.under_way = [*kept, *twice, *small]

    @rule(seed=st.integers(0, 2**16), size=st.integers(1, 12))
    def arrive(self, seed: int, size: int) -> None:
        """The centre stores some of what is under way."""
        store(self.centre, self._next(seed, size))

    @rule(seed=st.integers(0, 2**16), size=st.integers(1, 12), where=st.sampled_from(STEPS))
    def crash(self, seed: int, size: int, where: str) -> None:
        """The centre dies in the middle of a transaction, and what it had received is lost."""
        with patch(where, side_effect=DatabaseDown("crash")):
            try:
                store(self.centre, self._next(seed, size))
            except DatabaseDown:
                return

    @rule()
    def resend(self) -> None:
        """Kiosks publish again what was asked for."""
        with self.centre.reading() as connection:
            missing = find_missing(connection, {"rtm1"}, ToCheck((), {}, frozenset()))
        for one in missing:
            kiosk = next(kiosk for kiosk in self.kiosks if kiosk.name == one.kiosk.name)
            self.under_way += kiosk.written[one.first - 1 : one.last]

    def _next(self, seed: int, size: int) -> list[Received]:
        random.Random(seed).shuffle(self.under_way)
        some, self.under_way = self.under_way[:size], self.under_way[size:]
        return some

    @invariant()
    def nothing_is_acknowledged_that_is_not_stored(self) -> None:
        stored = {(name,) for (name,) in rows(self.centre, event, "event_id")}
        with self.centre.reading() as connection:
            acks = acks_of_all(connection, {"rtm1"})
        for ack in acks:
            kiosk = next(kiosk for kiosk in self.kiosks if kiosk.name == ack.kiosk)
            assert event_id(kiosk.written[ack.through - 1]) == ack.event_id
            assert {(event_id(message),) for message in kiosk.written[: ack.through]} <= stored

    def teardown(self) -> None:
        everything = [message for kiosk in self.kiosks for message in kiosk.written]
        store(self.centre, everything)
        with new_database(self.folder.name, "other.sqlite") as other:
            for message in everything:
                store(other, message)
            assert picture(self.centre) == picture(other)
        self.centre.dispose()
        self.folder.cleanup()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
