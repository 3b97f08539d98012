"""Sending again: whole ranges, in order, over lost connections and pruned events."""

from agent.uplink.resending import AT_ONCE, Resending
from tests.uplink.journals import StoredJournal


def run(resending: Resending) -> list[int]:
    """Publish all; every publish is answered at once."""
    sent: list[int] = []
    while outgoing := resending.next():
        resending.sent_as(len(sent), outgoing.position)
        assert resending.answered(len(sent))
        sent.append(outgoing.position)
    return sent


def test_ranges_go_out_in_order_to_their_last_event() -> None:
    resending = Resending(StoredJournal(events=200))
    resending.want(3, 90)
    resending.want(150, 150)
    resending.want(3, 90)
    assert run(resending) == [*range(3, 91), 150]


def test_a_few_are_in_flight_at_a_time() -> None:
    resending = Resending(StoredJournal(events=200))
    resending.want(1, 200)
    for token in range(AT_ONCE):
        outgoing = resending.next()
        assert outgoing is not None
        resending.sent_as(token, outgoing.position)
    assert resending.next() is None
    assert resending.answered(0)
    assert resending.next() is not None


def test_an_answer_to_something_else_is_not_ours() -> None:
    assert not Resending(StoredJournal(events=1)).answered(7)


def test_what_is_pruned_or_not_there_is_passed_over() -> None:
    journal = StoredJournal(events=10)
    journal.pruned = 4
    resending = Resending(journal)
    resending.want(1, 6)
    resending.want(9, 99)
    resending.want(2, 1)
    assert run(resending) == [5, 6, 9, 10]


def test_a_lost_connection_takes_nothing_away() -> None:
    resending = Resending(StoredJournal(events=100))
    resending.want(1, 80)
    for token in range(3):
        outgoing = resending.next()
        assert outgoing is not None
        resending.sent_as(token, outgoing.position)
    resending.answered(0)
    resending.disconnected()
    assert run(resending) == list(range(2, 81))
