"""Reading the journal ahead of what is published."""

from agent.uplink.read_ahead import BATCH, ReadAhead
from tests.uplink.journals import StoredJournal


def take(ahead: ReadAhead, base: int = 0) -> list[int]:
    """Remove everything there is; return the positions."""
    found = []
    while (event := ahead.first(base=base)) is not None:
        ahead.remove_first()
        found.append(event.position)
    return found


def test_events_come_in_order_across_batches() -> None:
    journal = StoredJournal(events=BATCH + 5)
    ahead = ReadAhead(journal, after=2)
    assert take(ahead) == list(range(3, BATCH + 6))
    journal.commit()
    assert take(ahead) == [BATCH + 6]


def test_skipped_events_do_not_come() -> None:
    ahead = ReadAhead(StoredJournal(events=BATCH * 2), after=0)
    assert ahead.first(base=0) is not None
    ahead.skip_to(4)
    first = ahead.first(base=0)
    assert first is not None
    assert first.position == 5
    ahead.skip_to(BATCH + 1)
    assert take(ahead)[0] == BATCH + 2


def test_restart_reads_again() -> None:
    ahead = ReadAhead(StoredJournal(events=5), after=0)
    take(ahead)
    ahead.restart(after=3)
    assert take(ahead) == [4, 5]


def test_bases_of_earlier_journal_ids_are_known() -> None:
    """(`mqtt.md#rolled-back-journal`)"""
    journal = StoredJournal("AAAAAAAA", events=3)
    journal.start_over("BBBBBBBB")
    journal.commit()
    journal.start_over("CCCCCCCC")
    ahead = ReadAhead(journal, after=0)
    assert ahead.base_of("BBBBBBBB", delivered=0) is None
    assert ahead.base_of("AAAAAAAA", delivered=0) == 0
    take(ahead, base=4)
    assert ahead.base_of("BBBBBBBB", delivered=0) == 3
