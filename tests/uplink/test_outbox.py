"""The outbox: what goes out next, and what an answer means, case by case."""

import json
from collections.abc import Callable

import pytest

from agent.errors import JournalFault
from agent.uplink.outbox import CONSUMER_WINDOW, AckResult, Outbox
from agent.uplink.uplink_settings import Confirm, Timing
from tests.uplink.journals import StoredJournal

OK, NO_SUBSCRIBER, NOT_AUTHORIZED = 0, 0x10, 0x87
MANY = 65_535


class Desk:
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
        """Publish all that may go; the positions."""
        self.outbox.adopt(self.journal.head())
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
        """PubAck all that is in flight, in order."""
        for token, position in list(self.out.items()):
            del self.out[token]
            self.outbox.answered(token, code if isinstance(code, int) else code(position), "why", self.now)

    def ack(self, sequence: int, *, journal: str | None = None, event_id: str | None = None) -> AckResult:
        self.outbox.adopt(self.journal.head())
        return self.outbox.acknowledge(
            journal=journal or self.journal.journal, through=sequence, event_id=event_id, now=self.now
        )


def consumer_desk(events: int, *, max_inflight: int = 100, ack_timeout_s: float = 60.0) -> Desk:
    return Desk(
        StoredJournal(events=events),
        confirm=Confirm.CONSUMER,
        max_inflight=max_inflight,
        ack_timeout_s=ack_timeout_s,
    )


def broker_desk(events: int, *, max_inflight: int = 100) -> Desk:
    return Desk(StoredJournal(events=events), confirm=Confirm.BROKER, max_inflight=max_inflight)


# -- the window ------------------------------------------------------------------------------------------------------


def test_nothing_goes_out_without_a_connection() -> None:
    assert consumer_desk(3).publish() == []


def test_nothing_goes_out_until_the_retained_ack_has_come() -> None:
    desk = consumer_desk(3)
    desk.connect(ack_came=False)
    assert desk.publish() == []
    assert desk.outbox.deadline() == desk.now + 2.0
    desk.ack(1)
    assert desk.publish() == [2, 3]


def test_without_a_retained_ack_it_goes_on_after_two_seconds() -> None:
    desk = consumer_desk(3)
    desk.connect(ack_came=False)
    desk.now += 2.0
    assert desk.publish() == [1, 2, 3]


def test_in_flight_is_the_smaller_of_ours_and_the_brokers() -> None:
    desk = consumer_desk(20, max_inflight=7)
    desk.connect()
    assert desk.publish() == [1, 2, 3, 4, 5, 6, 7]
    desk.disconnect()
    desk.connect(receive_maximum=3)
    assert desk.publish() == [1, 2, 3]
    desk.answer()
    assert desk.publish() == [4, 5, 6]


def test_the_consumer_is_never_outrun_by_more_than_the_window() -> None:
    desk = consumer_desk(CONSUMER_WINDOW + 50)
    desk.connect()
    while desk.publish():
        desk.answer()
    assert desk.outbox.sent == CONSUMER_WINDOW
    desk.ack(10)
    while desk.publish():
        desk.answer()
    assert desk.outbox.sent == CONSUMER_WINDOW + 10


def test_new_events_follow_as_they_are_committed() -> None:
    desk = consumer_desk(1)
    desk.connect()
    assert desk.publish() == [1]
    desk.journal.commit()
    assert desk.publish() == [2]


def test_a_connection_begins_behind_what_is_delivered() -> None:
    desk = consumer_desk(5)
    desk.connect()
    desk.publish()
    desk.answer()
    desk.ack(2)
    desk.disconnect()
    desk.connect()
    assert desk.publish() == [3, 4, 5]


def test_a_journal_that_cannot_be_read_says_so_and_loses_nothing() -> None:
    desk = consumer_desk(2)
    desk.connect()
    desk.journal.broken = JournalFault("input/output error")
    with pytest.raises(JournalFault):
        desk.publish()
    desk.journal.broken = None
    assert desk.publish() == [1, 2]


# -- the consumer's ack ----------------------------------------------------------------------------------------------


def test_only_the_consumers_ack_delivers() -> None:
    desk = consumer_desk(3)
    desk.connect()
    desk.publish()
    desk.answer()
    assert desk.outbox.delivered == 0
    assert desk.ack(2, event_id=desk.journal.events[1].id) is AckResult.COVERED
    assert desk.outbox.delivered == 2


@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_a_lower_ack_changes_nothing(sequence: int) -> None:
    desk = consumer_desk(3)
    desk.connect()
    desk.publish()
    desk.ack(2)
    assert desk.ack(sequence) is AckResult.UNCHANGED
    assert desk.outbox.delivered == 2


def test_an_ack_for_another_journal_changes_nothing() -> None:
    desk = consumer_desk(3)
    desk.connect()
    assert desk.ack(2, journal="BBBBBBBB") is AckResult.UNCHANGED
    assert desk.ack(2, journal="BBBBBBBB", event_id=desk.journal.events[1].id) is AckResult.UNCHANGED
    assert desk.outbox.delivered == 0


def test_an_ack_covers_what_an_earlier_run_has_sent() -> None:
    desk = consumer_desk(5)
    desk.connect(ack_came=False)
    assert desk.ack(4) is AckResult.COVERED
    assert desk.publish() == [5]


def test_the_uncovered_is_sent_again_at_doubling_intervals() -> None:
    desk = consumer_desk(2, ack_timeout_s=60.0)
    desk.connect()
    desk.publish()
    desk.answer()
    start = desk.now
    times = []
    for _ in range(7):
        desk.now = desk.outbox.deadline()
        if sent := desk.publish():
            assert sent == [1, 2]
            times.append(desk.now - start)
            start = desk.now
            desk.answer()
    assert times == [60, 120, 240, 480, 900, 900, 900]


def test_progress_resets_the_interval() -> None:
    desk = consumer_desk(3, ack_timeout_s=60.0)
    desk.connect()
    desk.publish()
    desk.answer()
    for _ in range(3):
        desk.now = desk.outbox.deadline()
        desk.publish()
        desk.answer()
    desk.ack(1)
    assert desk.outbox.deadline() == desk.now + 60
    desk.now += 60
    assert desk.publish() == [2, 3]


def test_what_is_in_flight_is_not_sent_twice() -> None:
    desk = consumer_desk(3)
    desk.connect()
    desk.publish()
    desk.now += 60
    assert desk.publish() == []


def test_nothing_uncovered_is_nothing_to_send_again() -> None:
    desk = consumer_desk(2)
    desk.connect()
    desk.publish()
    desk.answer()
    desk.ack(2)
    desk.now += 10_000
    assert desk.publish() == []
    assert desk.outbox.deadline() == float("inf")


# -- an old copy of the journal --------------------------------------------------------------------------------------


def test_an_ack_beyond_the_last_event_means_an_old_copy() -> None:
    desk = consumer_desk(3)
    desk.connect()
    assert desk.ack(4) is AckResult.ROLLED_BACK
    assert desk.outbox.rolled_back == "AAAAAAAA"
    assert desk.publish() == []


def test_an_ack_with_another_id_means_an_old_copy() -> None:
    desk = consumer_desk(3)
    desk.connect()
    assert desk.ack(3, event_id="AAAAAAAA-000000000003-ffffffff") is AckResult.ROLLED_BACK


@pytest.mark.parametrize("published", [False, True])
def test_an_ack_with_the_right_id_does_not(published: bool) -> None:
    desk = consumer_desk(3)
    desk.connect()
    if published:
        desk.publish()
    assert desk.ack(3, event_id=desk.journal.events[2].id) is AckResult.COVERED


def test_an_id_that_is_pruned_here_proves_nothing() -> None:
    desk = consumer_desk(3)
    desk.journal.delivered = desk.journal.pruned = 2
    desk = Desk(desk.journal, confirm=Confirm.CONSUMER)
    desk.connect()
    assert desk.ack(2, event_id="AAAAAAAA-000000000002-ffffffff") is AckResult.UNCHANGED


def _rolled_back(*, old: int, new: int) -> Desk:
    desk = consumer_desk(old)
    desk.connect()
    desk.ack(old + 1)
    desk.journal.start_over("BBBBBBBB")
    for _ in range(new):
        desk.journal.commit()
    return desk


def test_after_a_rollback_the_old_events_go_first_and_alone() -> None:
    desk = _rolled_back(old=3, new=2)
    assert desk.publish() == [1, 2, 3]
    assert b'"id":"AAAAAAAA-000000000001' in desk.documents[1]
    desk.answer(lambda position: NOT_AUTHORIZED if position == 2 else OK)
    assert desk.publish() == []
    desk.now = desk.outbox.deadline()
    assert desk.publish() == [2]
    desk.answer()
    assert desk.publish() == [4, 5]
    assert b'"id":"BBBBBBBB-000000000001' in desk.documents[4]


def test_what_the_broker_took_before_the_rollback_goes_out_again() -> None:
    desk = consumer_desk(3)
    desk.connect()
    desk.publish()
    desk.answer()
    desk.ack(4)
    desk.journal.start_over("BBBBBBBB")
    desk.journal.commit()
    assert desk.publish() == [1, 2, 3]


def test_an_ack_of_the_new_id_covers_the_old_events() -> None:
    desk = _rolled_back(old=3, new=2)
    desk.publish()
    desk.answer()
    desk.publish()
    assert desk.ack(1) is AckResult.COVERED
    assert desk.outbox.delivered == 4


def test_an_ack_of_the_old_id_counts_by_its_id_alone() -> None:
    desk = _rolled_back(old=3, new=1)
    own = desk.journal.events[1].id
    desk.publish()
    assert desk.ack(2, journal="AAAAAAAA") is AckResult.UNCHANGED
    assert desk.ack(9, journal="AAAAAAAA", event_id=own) is AckResult.UNCHANGED
    assert desk.ack(2, journal="AAAAAAAA", event_id="AAAAAAAA-000000000002-ffffffff") is AckResult.UNCHANGED
    assert desk.ack(2, journal="AAAAAAAA", event_id=own) is AckResult.COVERED
    assert desk.outbox.delivered == 2


def test_an_ack_of_the_old_id_counts_after_a_restart_too() -> None:
    journal = _rolled_back(old=3, new=1).journal
    desk = Desk(journal, confirm=Confirm.CONSUMER)
    desk.connect(ack_came=False)
    assert desk.ack(2, journal="AAAAAAAA", event_id=journal.events[1].id) is AckResult.COVERED
    assert desk.publish() == [3]


def test_old_events_that_met_no_subscriber_are_sent_once_more_when_there_is_one() -> None:
    desk = _rolled_back(old=2, new=2)
    desk.publish()
    desk.answer(lambda position: NO_SUBSCRIBER if position == 1 else OK)
    assert desk.outbox.delivered == 0
    desk.publish()
    desk.answer()
    assert desk.ack(1) is AckResult.UNCHANGED
    assert desk.publish() == [1, 2]
    desk.answer(NO_SUBSCRIBER)
    assert desk.publish() == [3, 4]
    assert desk.ack(2) is AckResult.COVERED
    assert desk.outbox.delivered == 4


def test_more_old_events_than_the_window_still_go_out() -> None:
    desk = _rolled_back(old=CONSUMER_WINDOW + 20, new=1)
    while desk.publish():
        desk.answer()
    assert desk.outbox.sent == CONSUMER_WINDOW + 21


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_refused_event_is_tried_again_with_back_off_and_stops_nothing() -> None:
    desk = broker_desk(4)
    desk.connect()
    desk.publish()
    desk.answer(lambda position: NOT_AUTHORIZED if position == 2 else OK)
    desk.journal.commit()
    assert desk.publish() == [5]
    desk.answer()
    waits = []
    for _ in range(8):
        before = desk.now
        desk.now = desk.outbox.deadline()
        waits.append(desk.now - before)
        assert desk.publish() == [2]
        desk.answer(NOT_AUTHORIZED)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert desk.outbox.refusals == 9
    assert desk.outbox.refused == 1


def test_refused_ten_times_while_later_ones_pass_a_stand_in_goes_out() -> None:
    desk = broker_desk(2)
    desk.connect()
    desk.publish()
    desk.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
    original = desk.documents[1]
    for _ in range(9):
        assert desk.documents[1] == original
        desk.journal.commit()
        desk.now += 61
        assert 1 in desk.publish()
        desk.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
    desk.now += 61
    assert desk.publish() == [1]
    stand_in = json.loads(desk.documents[1])
    assert stand_in["type"] == "kiosk.event.undeliverable.v1"
    assert stand_in["id"] == json.loads(original)["id"]
    assert stand_in["sequence"] == json.loads(original)["sequence"]
    assert stand_in["data"]["reason"] == "why"
    desk.answer()
    assert desk.outbox.delivered == 11


def test_a_broker_that_refuses_everything_gets_no_stand_ins() -> None:
    desk = broker_desk(3)
    desk.connect()
    for _ in range(30):
        desk.publish()
        desk.answer(NOT_AUTHORIZED)
        desk.now += 61
    desk.publish()
    desk.answer()
    assert desk.outbox.delivered == 3
    assert all(b"undeliverable" not in document for document in desk.documents.values())


def test_the_stand_in_stays_one_when_sent_again() -> None:
    desk = consumer_desk(1)
    desk.connect()
    for _ in range(10):
        desk.journal.commit()
        desk.publish()
        desk.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
        desk.now += 61
    desk.publish()
    desk.answer()
    desk.disconnect()
    desk.connect()
    desk.publish()
    assert b"undeliverable" in desk.documents[1]


def test_a_refused_event_survives_the_loss_of_the_connection() -> None:
    desk = consumer_desk(2)
    desk.connect()
    desk.publish()
    desk.answer(lambda position: NOT_AUTHORIZED if position == 1 else OK)
    desk.now += 1
    assert desk.publish() == [1]
    desk.disconnect()
    desk.connect()
    assert sorted(desk.publish()) == [1, 2]


def test_refused_events_are_bounded() -> None:
    desk = broker_desk(CONSUMER_WINDOW + 500)
    desk.connect()
    for _ in range(30):
        desk.publish()
        desk.answer(NOT_AUTHORIZED)
    assert desk.outbox.refused <= CONSUMER_WINDOW + 100


# -- the broker confirms ---------------------------------------------------------------------------------------------


def test_the_brokers_answer_delivers_in_order() -> None:
    desk = broker_desk(4)
    desk.connect()
    assert desk.publish() == [1, 2, 3, 4]
    tokens = list(desk.out)
    desk.outbox.answered(tokens[1], OK, "", desk.now)
    desk.outbox.answered(tokens[2], OK, "", desk.now)
    assert desk.outbox.delivered == 0
    desk.outbox.answered(tokens[0], OK, "", desk.now)
    assert desk.outbox.delivered == 3
    desk.disconnect()
    desk.connect()
    assert desk.publish() == [4]


def test_what_was_taken_out_of_order_is_not_sent_again() -> None:
    desk = broker_desk(4)
    desk.connect()
    desk.publish()
    tokens = list(desk.out)
    desk.outbox.answered(tokens[2], OK, "", desk.now)
    desk.disconnect()
    desk.connect()
    assert desk.publish() == [1, 2, 4]


def test_with_no_subscriber_events_wait_in_order() -> None:
    desk = broker_desk(5)
    desk.connect()
    desk.publish()
    desk.answer(NO_SUBSCRIBER)
    assert desk.outbox.delivered == 0
    assert desk.outbox.no_consumer
    waits = []
    for _ in range(7):
        before = desk.now
        desk.now = desk.outbox.deadline()
        waits.append(desk.now - before)
        assert desk.publish() == [1]
        desk.answer(NO_SUBSCRIBER)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    desk.now = desk.outbox.deadline()
    assert desk.publish() == [1]
    desk.answer()
    assert not desk.outbox.no_consumer
    assert desk.publish() == [2, 3, 4, 5]
    desk.answer()
    assert desk.outbox.delivered == 5


def test_a_consumers_ack_says_nothing_where_the_broker_confirms() -> None:
    desk = broker_desk(3)
    desk.connect()
    assert desk.ack(2) is AckResult.UNCHANGED
    assert desk.ack(9) is AckResult.UNCHANGED
    assert desk.outbox.delivered == 0


def test_an_answer_to_something_else_is_not_ours() -> None:
    desk = broker_desk(1)
    desk.connect()
    desk.publish()
    assert not desk.outbox.answered(999, OK, "", desk.now)


def test_an_owed_answer_is_noticed() -> None:
    desk = broker_desk(1)
    desk.connect()
    assert desk.outbox.stalled_since() == float("inf")
    desk.publish()
    assert desk.outbox.stalled_since() == desk.now
    desk.answer()
    assert desk.outbox.stalled_since() == float("inf")


def test_too_large_for_the_broker_counts_as_refused() -> None:
    desk = broker_desk(2)
    desk.connect()
    large = desk.outbox.next(desk.now)
    assert large is not None
    desk.outbox.refuse(large.position, "Packet too large", desk.now)
    assert desk.publish() == [2]
    desk.answer()
    assert desk.outbox.delivered == 0
    desk.now += 1
    assert desk.publish() == [1]
