"""The outbox: which event goes out next, and what an answer means."""

import json
from collections.abc import Callable

import pytest

from agent.errors import JournalFault
from agent.uplink.outbox import CONSUMER_WINDOW, AckResult, Outbox
from agent.uplink.uplink_settings import Confirm, Timing
from tests.uplink.journals import StoredJournal

OK, NO_SUBSCRIBER, NOT_AUTHORIZED = 0, 0x10, 0x87
MANY = 65_535


class OutboxBench:
    """An outbox with its journal and clock, and a broker that answers when told to."""

    def __init__(
        self, journal: StoredJournal, *, confirm: Confirm, max_inflight: int = 100, ack_timeout_s: float = 60.0
    ) -> None:
        self.journal = journal
        self.now = 1000.0
        self.outbox = Outbox(
            source=journal,
            head=journal.head(),
            confirm=confirm,
            max_inflight=max_inflight,
            ack_timeout_s=ack_timeout_s,
            timing=Timing(),
        )
        self.token = 0
        self.out: dict[int, int] = {}
        self.documents: dict[int, bytes] = {}

    def connect(self, *, receive_maximum: int = MANY, ack_came: bool = True) -> None:
        self.outbox.connected(self.now, receive_maximum=receive_maximum)
        if ack_came:
            self.outbox.ack_arrived()

    def disconnect(self) -> None:
        self.outbox.disconnected(self.now)
        self.out.clear()

    def publish(self) -> list[int]:
        """Publish everything that may go out; return the positions."""
        self.outbox.update_head(self.journal.head())
        self.outbox.tick(self.now)
        sent = []
        while outgoing := self.outbox.next(self.now):
            self.token += 1
            self.outbox.sent_as(self.token, outgoing.position, self.now)
            self.out[self.token] = outgoing.position
            self.documents[outgoing.position] = outgoing.document
            sent.append(outgoing.position)
        return sent

    def answer(self, code: Callable[[int], int] | int = OK) -> None:
        """Answer everything in flight, in order."""
        for token, position in list(self.out.items()):
            del self.out[token]
            self.outbox.puback(token, code if isinstance(code, int) else code(position), "why", self.now)

    def ack(self, sequence: int, *, journal: str | None = None, event_id: str | None = None) -> AckResult:
        self.outbox.update_head(self.journal.head())
        return self.outbox.acknowledge(
            journal=journal or self.journal.journal, through=sequence, event_id=event_id, now=self.now
        )


def consumer_bench(events: int, *, max_inflight: int = 100, ack_timeout_s: float = 60.0) -> OutboxBench:
    return OutboxBench(
        StoredJournal(events=events),
        confirm=Confirm.CONSUMER,
        max_inflight=max_inflight,
        ack_timeout_s=ack_timeout_s,
    )


def broker_bench(events: int, *, max_inflight: int = 100) -> OutboxBench:
    return OutboxBench(StoredJournal(events=events), confirm=Confirm.BROKER, max_inflight=max_inflight)


# -- the window ------------------------------------------------------------------------------------------------------


def test_nothing_goes_out_without_a_connection() -> None:
    assert consumer_bench(3).publish() == []


def test_nothing_goes_out_until_the_retained_ack_has_come() -> None:
    """(`mqtt.md#acknowledgement`)"""
    bench = consumer_bench(3)
    bench.connect(ack_came=False)
    assert bench.publish() == []
    assert bench.outbox.deadline() == bench.now + 2.0
    bench.ack(1)
    assert bench.publish() == [2, 3]


def test_without_a_retained_ack_it_goes_on_after_two_seconds() -> None:
    """(`mqtt.md#acknowledgement`)"""
    bench = consumer_bench(3)
    bench.connect(ack_came=False)
    bench.now += 2.0
    assert bench.publish() == [1, 2, 3]


def test_in_flight_is_limited_by_the_kiosk_and_by_the_broker() -> None:
    """(`mqtt.md#journal-is-the-outbox`)"""
    bench = consumer_bench(20, max_inflight=7)
    bench.connect()
    assert bench.publish() == [1, 2, 3, 4, 5, 6, 7]
    bench.disconnect()
    bench.connect(receive_maximum=3)
    assert bench.publish() == [1, 2, 3]
    bench.answer()
    assert bench.publish() == [4, 5, 6]


def test_no_more_than_the_window_is_published_beyond_the_ack() -> None:
    """(`mqtt.md#unacknowledged-events`)"""
    bench = consumer_bench(CONSUMER_WINDOW + 50)
    bench.connect()
    while bench.publish():
        bench.answer()
    assert bench.outbox.sent == CONSUMER_WINDOW
    bench.ack(10)
    while bench.publish():
        bench.answer()
    assert bench.outbox.sent == CONSUMER_WINDOW + 10


def test_new_events_go_out_as_they_are_committed() -> None:
    bench = consumer_bench(1)
    bench.connect()
    assert bench.publish() == [1]
    bench.journal.commit()
    assert bench.publish() == [2]


def test_a_connection_begins_after_what_is_delivered() -> None:
    bench = consumer_bench(5)
    bench.connect()
    bench.publish()
    bench.answer()
    bench.ack(2)
    bench.disconnect()
    bench.connect()
    assert bench.publish() == [3, 4, 5]


def test_a_journal_that_cannot_be_read_raises_and_loses_nothing() -> None:
    bench = consumer_bench(2)
    bench.connect()
    bench.journal.broken = JournalFault("input/output error")
    with pytest.raises(JournalFault):
        bench.publish()
    bench.journal.broken = None
    assert bench.publish() == [1, 2]


# -- the consumer's ack ----------------------------------------------------------------------------------------------


def test_only_the_consumers_ack_delivers() -> None:
    """(`mqtt.md#acknowledgement`)"""
    bench = consumer_bench(3)
    bench.connect()
    bench.publish()
    bench.answer()
    assert bench.outbox.delivered == 0
    assert bench.ack(2, event_id=bench.journal.events[1].id) is AckResult.COVERED
    assert bench.outbox.delivered == 2


@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_a_lower_ack_changes_nothing(sequence: int) -> None:
    """(`mqtt.md#acknowledgement`)"""
    bench = consumer_bench(3)
    bench.connect()
    bench.publish()
    bench.ack(2)
    assert bench.ack(sequence) is AckResult.UNCHANGED
    assert bench.outbox.delivered == 2


def test_an_ack_for_another_journal_changes_nothing() -> None:
    """(`mqtt.md#acknowledgement`)"""
    bench = consumer_bench(3)
    bench.connect()
    assert bench.ack(2, journal="BBBBBBBB") is AckResult.UNCHANGED
    assert bench.ack(2, journal="BBBBBBBB", event_id=bench.journal.events[1].id) is AckResult.UNCHANGED
    assert bench.outbox.delivered == 0


def test_an_ack_covers_events_published_before_a_restart() -> None:
    bench = consumer_bench(5)
    bench.connect(ack_came=False)
    assert bench.ack(4) is AckResult.COVERED
    assert bench.publish() == [5]


def test_uncovered_events_are_sent_again_at_doubling_intervals() -> None:
    """(`mqtt.md#unacknowledged-events`)"""
    bench = consumer_bench(2, ack_timeout_s=60.0)
    bench.connect()
    bench.publish()
    bench.answer()
    start = bench.now
    times = []
    for _ in range(7):
        bench.now = bench.outbox.deadline()
        if sent := bench.publish():
            assert sent == [1, 2]
            times.append(bench.now - start)
            start = bench.now
            bench.answer()
    assert times == [60, 120, 240, 480, 900, 900, 900]


def test_progress_resets_the_interval() -> None:
    """(`mqtt.md#unacknowledged-events`)"""
    bench = consumer_bench(3, ack_timeout_s=60.0)
    bench.connect()
    bench.publish()
    bench.answer()
    for _ in range(3):
        bench.now = bench.outbox.deadline()
        bench.publish()
        bench.answer()
    bench.ack(1)
    assert bench.outbox.deadline() == bench.now + 60
    bench.now += 60
    assert bench.publish() == [2, 3]


def test_an_event_in_flight_is_not_sent_twice() -> None:
    bench = consumer_bench(3)
    bench.connect()
    bench.publish()
    bench.now += 60
    assert bench.publish() == []


def test_covered_events_are_not_sent_again() -> None:
    bench = consumer_bench(2)
    bench.connect()
    bench.publish()
    bench.answer()
    bench.ack(2)
    bench.now += 10_000
    assert bench.publish() == []
    assert bench.outbox.deadline() == float("inf")


# -- an old copy of the journal --------------------------------------------------------------------------------------


def test_an_ack_beyond_the_last_event_means_an_old_copy() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    bench = consumer_bench(3)
    bench.connect()
    assert bench.ack(4) is AckResult.ROLLED_BACK
    assert bench.outbox.rolled_back == "AAAAAAAA"
    assert bench.publish() == []


def test_an_ack_with_another_id_means_an_old_copy() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    bench = consumer_bench(3)
    bench.connect()
    assert bench.ack(3, event_id="AAAAAAAA-000000000003-ffffffff") is AckResult.ROLLED_BACK


@pytest.mark.parametrize("published", [False, True])
def test_an_ack_with_the_right_id_does_not(published: bool) -> None:
    bench = consumer_bench(3)
    bench.connect()
    if published:
        bench.publish()
    assert bench.ack(3, event_id=bench.journal.events[2].id) is AckResult.COVERED


def test_an_id_that_is_pruned_here_proves_nothing() -> None:
    bench = consumer_bench(3)
    bench.journal.delivered = bench.journal.pruned = 2
    bench = OutboxBench(bench.journal, confirm=Confirm.CONSUMER)
    bench.connect()
    assert bench.ack(2, event_id="AAAAAAAA-000000000002-ffffffff") is AckResult.UNCHANGED


def _rolled_back(*, old: int, new: int) -> OutboxBench:
    bench = consumer_bench(old)
    bench.connect()
    bench.ack(old + 1)
    bench.journal.start_over("BBBBBBBB")
    for _ in range(new):
        bench.journal.commit()
    return bench


def test_after_a_rollback_old_events_go_out_first_and_alone() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    bench = _rolled_back(old=3, new=2)
    assert bench.publish() == [1, 2, 3]
    assert b'"id":"AAAAAAAA-000000000001' in bench.documents[1]
    bench.answer(lambda position: NOT_AUTHORIZED if position == 2 else OK)
    assert bench.publish() == []
    bench.now = bench.outbox.deadline()
    assert bench.publish() == [2]
    bench.answer()
    assert bench.publish() == [4, 5]
    assert b'"id":"BBBBBBBB-000000000001' in bench.documents[4]


def test_after_a_rollback_events_the_broker_had_accepted_go_out_again() -> None:
    bench = consumer_bench(3)
    bench.connect()
    bench.publish()
    bench.answer()
    bench.ack(4)
    bench.journal.start_over("BBBBBBBB")
    bench.journal.commit()
    assert bench.publish() == [1, 2, 3]


def test_an_ack_of_the_new_id_covers_the_old_events() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    bench = _rolled_back(old=3, new=2)
    bench.publish()
    bench.answer()
    bench.publish()
    assert bench.ack(1) is AckResult.COVERED
    assert bench.outbox.delivered == 4


def test_an_ack_of_the_old_id_counts_only_with_the_right_event_id() -> None:
    bench = _rolled_back(old=3, new=1)
    own = bench.journal.events[1].id
    bench.publish()
    assert bench.ack(2, journal="AAAAAAAA") is AckResult.UNCHANGED
    assert bench.ack(9, journal="AAAAAAAA", event_id=own) is AckResult.UNCHANGED
    assert bench.ack(2, journal="AAAAAAAA", event_id="AAAAAAAA-000000000002-ffffffff") is AckResult.UNCHANGED
    assert bench.ack(2, journal="AAAAAAAA", event_id=own) is AckResult.COVERED
    assert bench.outbox.delivered == 2


def test_an_ack_of_the_old_id_counts_after_a_restart_too() -> None:
    journal = _rolled_back(old=3, new=1).journal
    bench = OutboxBench(journal, confirm=Confirm.CONSUMER)
    bench.connect(ack_came=False)
    assert bench.ack(2, journal="AAAAAAAA", event_id=journal.events[1].id) is AckResult.COVERED
    assert bench.publish() == [3]


def test_old_events_that_met_no_subscriber_are_sent_once_more_when_there_is_one() -> None:
    bench = _rolled_back(old=2, new=2)
    bench.publish()
    bench.answer(lambda position: NO_SUBSCRIBER if position == 1 else OK)
    assert bench.outbox.delivered == 0
    bench.publish()
    bench.answer()
    assert bench.ack(1) is AckResult.UNCHANGED
    assert bench.publish() == [1, 2]
    bench.answer(NO_SUBSCRIBER)
    assert bench.publish() == [3, 4]
    assert bench.ack(2) is AckResult.COVERED
    assert bench.outbox.delivered == 4


def test_more_old_events_than_the_window_still_go_out() -> None:
    bench = _rolled_back(old=CONSUMER_WINDOW + 20, new=1)
    while bench.publish():
        bench.answer()
    assert bench.outbox.sent == CONSUMER_WINDOW + 21


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_refused_event_is_tried_again_with_back_off_and_stops_nothing() -> None:
    """(`mqtt.md#refused-publish`)"""
    bench = broker_bench(4)
    bench.connect()
    bench.publish()
    bench.answer(lambda position: NOT_AUTHORIZED if position == 2 else OK)
    bench.journal.commit()
    assert bench.publish() == [5]
    bench.answer()
    waits = []
    for _ in range(8):
        before = bench.now
        bench.now = bench.outbox.deadline()
        waits.append(bench.now - before)
        assert bench.publish() == [2]
        bench.answer(NOT_AUTHORIZED)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert bench.outbox.refusals == 9
    assert bench.outbox.refused == 1


def test_after_ten_refusals_while_later_events_pass_a_stand_in_goes_out() -> None:
    """(`mqtt.md#refused-publish`)"""
    bench = broker_bench(2)
    bench.connect()
    bench.publish()
    bench.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
    original = bench.documents[1]
    for _ in range(9):
        assert bench.documents[1] == original
        bench.journal.commit()
        bench.now += 61
        assert 1 in bench.publish()
        bench.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
    bench.now += 61
    assert bench.publish() == [1]
    stand_in = json.loads(bench.documents[1])
    assert stand_in["type"] == "kiosk.event.undeliverable.v1"
    assert stand_in["id"] == json.loads(original)["id"]
    assert stand_in["sequence"] == json.loads(original)["sequence"]
    assert stand_in["data"]["reason"] == "why"
    bench.answer()
    assert bench.outbox.delivered == 11


def test_a_broker_that_refuses_everything_gets_no_stand_ins() -> None:
    """(`mqtt.md#refused-publish`)"""
    bench = broker_bench(3)
    bench.connect()
    for _ in range(30):
        bench.publish()
        bench.answer(NOT_AUTHORIZED)
        bench.now += 61
    bench.publish()
    bench.answer()
    assert bench.outbox.delivered == 3
    assert all(b"undeliverable" not in document for document in bench.documents.values())


def test_a_stand_in_is_sent_again_as_a_stand_in() -> None:
    bench = consumer_bench(1)
    bench.connect()
    for _ in range(10):
        bench.journal.commit()
        bench.publish()
        bench.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
        bench.now += 61
    bench.publish()
    bench.answer()
    bench.disconnect()
    bench.connect()
    bench.publish()
    assert b"undeliverable" in bench.documents[1]


def test_a_refused_event_survives_the_loss_of_the_connection() -> None:
    bench = consumer_bench(2)
    bench.connect()
    bench.publish()
    bench.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
    bench.now += 1
    assert bench.publish() == [1]
    bench.disconnect()
    bench.connect()
    assert sorted(bench.publish()) == [1, 2]


def test_refused_events_are_bounded() -> None:
    bench = broker_bench(CONSUMER_WINDOW + 500)
    bench.connect()
    for _ in range(30):
        bench.publish()
        bench.answer(NOT_AUTHORIZED)
    assert bench.outbox.refused <= CONSUMER_WINDOW + 100


# -- the broker confirms ---------------------------------------------------------------------------------------------


def test_the_brokers_answer_delivers_in_order() -> None:
    """(`mqtt.md#broker-confirmation`)"""
    bench = broker_bench(4)
    bench.connect()
    assert bench.publish() == [1, 2, 3, 4]
    tokens = list(bench.out)
    bench.outbox.puback(tokens[1], OK, "", bench.now)
    bench.outbox.puback(tokens[2], OK, "", bench.now)
    assert bench.outbox.delivered == 0
    bench.outbox.puback(tokens[0], OK, "", bench.now)
    assert bench.outbox.delivered == 3
    bench.disconnect()
    bench.connect()
    assert bench.publish() == [4]


def test_an_event_accepted_out_of_order_is_not_sent_again() -> None:
    bench = broker_bench(4)
    bench.connect()
    bench.publish()
    tokens = list(bench.out)
    bench.outbox.puback(tokens[2], OK, "", bench.now)
    bench.disconnect()
    bench.connect()
    assert bench.publish() == [1, 2, 4]


def test_with_no_subscriber_events_wait_in_order() -> None:
    """(`mqtt.md#broker-confirmation`)"""
    bench = broker_bench(5)
    bench.connect()
    bench.publish()
    bench.answer(NO_SUBSCRIBER)
    assert bench.outbox.delivered == 0
    assert bench.outbox.no_consumer
    waits = []
    for _ in range(7):
        before = bench.now
        bench.now = bench.outbox.deadline()
        waits.append(bench.now - before)
        assert bench.publish() == [1]
        bench.answer(NO_SUBSCRIBER)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    bench.now = bench.outbox.deadline()
    assert bench.publish() == [1]
    bench.answer()
    assert not bench.outbox.no_consumer
    assert bench.publish() == [2, 3, 4, 5]
    bench.answer()
    assert bench.outbox.delivered == 5


def test_with_confirm_broker_acks_are_ignored() -> None:
    """(`mqtt.md#broker-confirmation`)"""
    bench = broker_bench(3)
    bench.connect()
    assert bench.ack(2) is AckResult.UNCHANGED
    assert bench.ack(9) is AckResult.UNCHANGED
    assert bench.outbox.delivered == 0


def test_an_answer_to_another_publish_is_not_taken() -> None:
    bench = broker_bench(1)
    bench.connect()
    bench.publish()
    assert not bench.outbox.puback(999, OK, "", bench.now)


def test_a_missing_answer_is_noticed() -> None:
    bench = broker_bench(1)
    bench.connect()
    assert bench.outbox.stalled_since() == float("inf")
    bench.publish()
    assert bench.outbox.stalled_since() == bench.now
    bench.answer()
    assert bench.outbox.stalled_since() == float("inf")


def test_an_event_too_large_for_the_broker_counts_as_refused() -> None:
    bench = broker_bench(2)
    bench.connect()
    large = bench.outbox.next(bench.now)
    assert large is not None
    bench.outbox.refuse(large.position, "Packet too large", bench.now)
    assert bench.publish() == [2]
    bench.answer()
    assert bench.outbox.delivered == 0
    bench.now += 1
    assert bench.publish() == [1]
