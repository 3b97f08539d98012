"""Nothing is lost, although broker and consumer lose, repeat, refuse and forget messages, and the kiosk crashes.

A state machine does random things to all three. In the end everything is repaired and left alone for a while; then the
consumer must have every event of the journal, and the kiosk must know that. (`mqtt.md#journal-is-the-outbox`,
`mqtt.md#acknowledgement`, `faults.md#broker-or-consumer-loses-data`)
"""

import json
from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.uplink.outbox import CONSUMER_WINDOW, Outbox
from agent.uplink.uplink_settings import Confirm, Timing
from tests.uplink.journals import StoredJournal

NO_SUBSCRIBER, REFUSED = 0x10, 0x83
MAX_INFLIGHT = 5


class MemoryConsumer:
    """Stores events by id. Acknowledges, per journal, the longest run from sequence 1 without a gap."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._first: dict[tuple[str, int], str] = {}

    def take(self, document: bytes) -> tuple[str, int, str] | None:
        parsed = json.loads(document)
        event_id: str = parsed["id"]
        journal, sequence = event_id[:8], int(parsed["sequence"])
        self.ids.add(event_id)
        first = self._first.setdefault((journal, sequence), event_id)
        if first != event_id:
            return journal, sequence, first  # two events with one sequence: the ack names the first
        through = 0
        while (journal, through + 1) in self._first:
            through += 1
        return (journal, through, self._first[journal, through]) if through else None


class MemoryBroker:
    """Queues events for the consumer and keeps the last ack. `forget` is a restart without its memory."""

    def __init__(self) -> None:
        self.queue: deque[bytes] = deque()
        self.ack: tuple[str, int, str] | None = None
        self.poison: set[str] = set()
        self.consumer_known = True

    def take(self, document: bytes) -> int:
        if json.loads(document)["type"] != "kiosk.event.undeliverable.v1" and (
            json.loads(document)["id"] in self.poison
        ):
            return REFUSED
        if not self.consumer_known:
            return NO_SUBSCRIBER
        self.queue.append(document)
        return 0

    def forget(self) -> None:
        self.queue.clear()
        self.ack = None


class Delivery(RuleBasedStateMachine):
    restores = False

    @initialize(confirm=st.sampled_from(Confirm), events=st.integers(0, 12))
    def begin(self, confirm: Confirm, events: int) -> None:
        self.now = 0.0
        # With confirm = "broker" there is no ack that could reveal an old copy.
        self.confirm = Confirm.CONSUMER if self.restores else confirm
        self.journal = StoredJournal(events=events)
        self.journals = 1
        self.boots = 0
        self.broker = MemoryBroker()
        self.consumer = MemoryConsumer()
        self.copies: deque[StoredJournal] = deque(maxlen=5)
        self.connected = False
        self.wire: deque[tuple[int, int, bytes]] = deque()  # from kiosk to broker, on this connection
        self.late: deque[bytes] = deque()  # what may still arrive from earlier connections
        self.token = 0
        self.outbox = self._new_outbox()
        if self.restores:  # so that there is something to roll back
            self.commit(4)
            self.all_goes_well(2)

    def _new_outbox(self) -> Outbox:
        return Outbox(
            source=self.journal,
            head=self.journal.head(),
            confirm=self.confirm,
            max_inflight=MAX_INFLIGHT,
            ack_timeout_s=60.0,
            timing=Timing(),
        )

    # -- the kiosk -----------------------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 8))
    def commit(self, count: int) -> None:
        self._copy_card()
        for _ in range(count):
            self.journal.commit()

    @rule()
    def connect(self) -> None:
        if not self.connected:
            self.connected = True
            self.outbox.update_head(self.journal.head())
            self.outbox.connected(self.now, receive_maximum=65_535)
            self._bring_ack()

    @rule(arrives=st.booleans())
    def lose_connection(self, arrives: bool) -> None:
        if self.connected:
            self.connected = False
            self.outbox.disconnected(self.now)
            if arrives:
                self.late.extend(document for _, _, document in self.wire)
            self.wire.clear()

    @rule(mark_kept=st.booleans())
    def crash(self, mark_kept: bool) -> None:
        self.lose_connection(arrives=False)
        if mark_kept:
            self.journal.delivered = self.outbox.delivered
        self.boots += 1
        self.journal.boot = f"{self.boots:08x}"
        self.outbox = self._new_outbox()

    @rule()
    def prune(self) -> None:
        self.journal.delivered = self.journal.pruned = self.outbox.delivered

    @precondition(lambda self: self.restores and self.copies)
    @rule(age=st.integers(0, 4), goes_on=st.booleans())
    def restore_card(self, age: int, goes_on: bool) -> None:
        self.lose_connection(arrives=True)
        self.journal = self.copies[-1 - min(age, len(self.copies) - 1)]
        self.copies.clear()
        self.boots += 1
        self.journal.boot = f"{self.boots:08x}"
        self.outbox = self._new_outbox()
        if goes_on:
            self.commit(3)
            self.all_goes_well(2)

    def _copy_card(self) -> None:
        copy = StoredJournal(self.journal.journal)
        copy.events = list(self.journal.events)
        copy.base, copy.pruned = self.journal.base, self.journal.pruned
        copy.delivered = self.journal.delivered
        self.copies.append(copy)

    @rule(seconds=st.sampled_from([0.1, 2.0, 61.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def publish(self) -> None:
        self.outbox.update_head(self.journal.head())
        self.outbox.tick(self.now)
        while self.connected and (outgoing := self.outbox.next(self.now)):
            self.token += 1
            self.outbox.sent_as(self.token, outgoing.position, self.now)
            self.wire.append((self.token, outgoing.position, outgoing.document))

    @rule(rounds=st.integers(1, 4))
    def all_goes_well(self, rounds: int) -> None:
        """Do a complete exchange in one step, so that deeper states are reached often."""
        for _ in range(rounds):
            self.connect()
            self.now += 2.0
            self.publish()
            self.broker_takes(MAX_INFLIGHT, answered=True)
            self.consumer_stores(MAX_INFLIGHT, acks=True)

    # -- the broker ----------------------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 6), answered=st.booleans())
    def broker_takes(self, count: int, answered: bool) -> None:
        for _ in range(min(count, len(self.wire))):
            token, _, document = self.wire.popleft()
            code = self.broker.take(document)
            if answered:
                self.outbox.puback(token, code, "refused", self.now)
        if not answered:  # the broker has them, but the kiosk never learns it
            self.lose_connection(arrives=False)

    @rule(count=st.integers(1, 6))
    def broker_takes_late(self, count: int) -> None:
        for _ in range(min(count, len(self.late))):
            self.broker.take(self.late.popleft())

    @rule()
    def broker_forgets(self) -> None:
        self.lose_connection(arrives=False)
        if self.confirm is Confirm.CONSUMER:
            self.broker.forget()
            self.broker.consumer_known = self.restores

    @precondition(lambda self: not self.restores)
    @rule(offset=st.integers(0, 5))
    def broker_dislikes(self, offset: int) -> None:
        waiting = self.journal.events[self.outbox.delivered :]
        if waiting and len(self.broker.poison) < 3:
            self.broker.poison.add(waiting[min(offset, len(waiting) - 1)].id)

    # -- the consumer --------------------------------------------------------------------------------------------------

    @rule()
    def consumer_connects(self) -> None:
        self.broker.consumer_known = True

    @precondition(lambda self: not self.restores)
    @rule()
    def consumer_leaves_for_good(self) -> None:
        if not self.broker.queue:
            self.broker.consumer_known = False

    @rule(count=st.integers(1, 10), acks=st.booleans())
    def consumer_stores(self, count: int, acks: bool) -> None:
        for _ in range(min(count, len(self.broker.queue))):
            ack = self.consumer.take(self.broker.queue.popleft())
            if ack and acks:
                self.broker.ack = ack
                if self.connected:
                    self._bring_ack()

    def _bring_ack(self) -> None:
        if self.broker.ack:
            journal, through, event_id = self.broker.ack
            self.outbox.update_head(self.journal.head())
            self.outbox.acknowledge(journal=journal, through=through, event_id=event_id, now=self.now)
            if self.outbox.rolled_back:
                self.journals += 1
                self.journal.start_over(f"{self.journals:08d}")
                self.outbox.update_head(self.journal.head())

    # -- what must always hold, and what must hold in the end ----------------------------------------------------------

    @invariant()
    def in_flight_is_bounded(self) -> None:
        assert self.outbox.in_flight <= MAX_INFLIGHT

    @invariant()
    def delivered_is_never_ahead_of_the_consumer(self) -> None:
        if self.confirm is Confirm.CONSUMER:
            for event in self.journal.events[self.journal.delivered : self.outbox.delivered]:
                assert event.id in self.consumer.ids

    @invariant()
    def the_consumer_is_not_outrun(self) -> None:
        if self.confirm is Confirm.CONSUMER:
            assert self.outbox.sent <= max(self.outbox.delivered, self.journal.base) + CONSUMER_WINDOW

    def teardown(self) -> None:
        if not hasattr(self, "outbox"):
            return
        self.consumer_connects()
        for _ in range(60):
            # Later events must be accepted all the time, else no stand-in is ever sent.
            self.commit(1)
            self.connect()
            for _ in range(4):
                self.publish()
                self.broker_takes(MAX_INFLIGHT, answered=True)
            self.broker_takes_late(1000)
            self.consumer_stores(1000, acks=True)
            self.now += 61.0
        self.broker.poison.clear()
        for _ in range(30):
            self.connect()
            self.publish()
            self.broker_takes(MAX_INFLIGHT, answered=True)
            self.consumer_stores(1000, acks=True)
            self.now += 901.0
        assert {event.id for event in self.journal.events[self.journal.pruned :]} <= self.consumer.ids
        assert self.outbox.delivered == len(self.journal.events)


class DeliveryFromCopies(Delivery):
    """The same, and now and then the card is replaced by an older copy of itself.

    Nothing is refused and the consumer's session lasts: if an event never reaches the consumer, and the consumer has
    another event with its sequence from the lost copy, no ack can reveal that it is missing.
    """

    restores = True


Delivery.TestCase.settings = DeliveryFromCopies.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None
)
TestDelivery = Delivery.TestCase
TestDeliveryFromCopies = DeliveryFromCopies.TestCase
