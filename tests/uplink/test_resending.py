"""Resending: whole ranges in order, across lost connections and pruned events."""

from agent.uplink.resending import AT_ONCE, Resending
from tests.uplink.journals import StoredJournal


def run(resending: Resending) -> list[int]:
    """Publish everything; each publish is answered at once. Return the positions."""
    sent: list[int] = []
    while outgoing := resending.next():
        resending.sent_as(len(sent), outgoing.position, 0.0)
        assert resending.answered(len(sent))
        sent.append(outgoing.position)
    return sent


def test_ranges_go_out_in_order_to_their_last_event() -> None:
    """(`mqtt.md#requests`)"""
    resending = Resending(StoredJournal(events=200))
    resending.want(3, 90)
    resending.want(150, 150)
    resending.want(3, 90)
    assert run(resending) == [*range(3, 91), 150]


def test_only_a_few_are_in_flight_at_a_time() -> None:
    resending = Resending(StoredJournal(events=200))
    resending.want(1, 200)
    for token in range(AT_ONCE):
        outgoing = resending.next()
        assert outgoing is not None
        resending.sent_as(token, outgoing.position, 0.0)
    assert resending.next() is None
    assert resending.answered(0)
    assert resending.next() is not None


def test_an_answer_to_another_publish_is_not_taken() -> None:
    assert not Resending(StoredJournal(events=1)).answered(7)


def test_positions_that_do_not_exist_are_skipped() -> None:
    journal = StoredJournal(events=10)
    journal.pruned = 4
    resending = Resending(journal)
    resending.want(1, 6)
    resending.want(9, 99)
    resending.want(2, 1)
    assert run(resending) == [5, 6, 9, 10]


def test_after_a_lost_connection_the_rest_goes_out() -> None:
    resending = Resending(StoredJournal(events=100))
    resending.want(1, 80)
    for token in range(3):
        outgoing = resending.next()
        assert outgoing is not None
        resending.sent_as(token, outgoing.position, 0.0)
    resending.answered(0)
    resending.disconnected()
    assert run(resending) == list(range(2, 81))
