"""The entries of a box, held against a plain tuple of them."""

from hypothesis import given
from hypothesis import strategies as st

from agent.contract.events import Unit
from agent.workflow.entries import Entries, Entry
from tests.workflow.bench import imei


def entry(number: int, line: str = "1") -> Entry:
    unit = Unit(scheme="imei", id=imei(number))
    return Entry(sequence=number, scan=number, line=line, sku="P13", unit=unit, quantity=1)


def grown(entries: tuple[Entry, ...]) -> Entries:
    made = Entries()
    for one in entries:
        made = made.with_entry(one)
    return made


some = st.integers(0, 100).map(lambda count: tuple(entry(number, str(number % 3)) for number in range(count)))


@given(some)
def test_entries_are_a_sequence_like_a_tuple(expected: tuple[Entry, ...]) -> None:
    found = grown(expected)
    assert tuple(found) == expected
    assert tuple(reversed(found)) == expected[::-1]
    assert len(found) == len(expected)
    assert bool(found) == bool(expected)


@given(some, some)
def test_entries_are_equal_when_their_sequences_are(one: tuple[Entry, ...], other: tuple[Entry, ...]) -> None:
    assert grown(one) == Entries.of(one)
    assert (grown(one) == Entries.of(other)) == (one == other)


@given(some, st.integers(0, 4).map(str))
def test_a_line_is_there_if_an_entry_of_it_is(entries: tuple[Entry, ...], line: str) -> None:
    assert Entries.of(entries).has_line(line) == any(one.line == line for one in entries)


@given(some)
def test_entries_that_have_grown_leave_what_they_were(entries: tuple[Entry, ...]) -> None:
    found = grown(entries)
    found.with_entry(entry(999))
    assert tuple(found) == entries


def test_thousands_of_entries_grow_by_a_few_at_a_time() -> None:
    found = grown(tuple(entry(number) for number in range(3000)))
    longer = found.with_entry(entry(3000))
    assert len(longer) == 3001
    assert longer.full is found.full
