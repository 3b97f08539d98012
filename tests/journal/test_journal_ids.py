"""Journal ids, and which positions each covers."""

from pathlib import Path

import pytest

from agent.journal import Journal
from agent.journal.journal_ids import Era, check_journal_id, new_journal_id, position_of, span_of
from tests.journal.samples import ids


@pytest.mark.parametrize("name", ["3f0c9a1b", "3F0C9A1", "3F0C9A1B\n", "٣F0C9A1B"])
def test_open_refuses_an_id_of_another_form(directory: Path, name: str) -> None:
    with pytest.raises(ValueError, match="8 characters"):
        Journal.open(directory, new_id=ids(name))
    with Journal.open(directory, new_id=ids("3F0C9A1B")) as journal:
        assert journal.id == "3F0C9A1B"


def test_new_ids_are_valid_and_differ() -> None:
    made = {check_journal_id(new_journal_id()) for _ in range(100)}
    assert len(made) == 100


ERAS = (Era("AAAAAAAA", 0), Era("BBBBBBBB", 3), Era("CCCCCCCC", 3), Era("DDDDDDDD", 5))
"""Three events under A, none under B, two under C, and D in use."""


@pytest.mark.parametrize(
    ("journal", "span"),
    [("AAAAAAAA", (1, 3)), ("BBBBBBBB", (4, 3)), ("CCCCCCCC", (4, 5)), ("DDDDDDDD", (6, 9)), ("EEEEEEEE", (1, 0))],
)
def test_span_is_first_and_last_position_under_an_id(journal: str, span: tuple[int, int]) -> None:
    assert span_of(ERAS, journal, last_position=9) == span


@pytest.mark.parametrize(
    ("journal", "sequence", "position"),
    [
        ("AAAAAAAA", 1, 1),
        ("AAAAAAAA", 3, 3),
        ("AAAAAAAA", 4, None),
        ("AAAAAAAA", 0, None),
        ("BBBBBBBB", 1, None),
        ("CCCCCCCC", 2, 5),
        ("DDDDDDDD", 4, 9),
        ("DDDDDDDD", 5, None),
        ("EEEEEEEE", 1, None),
    ],
)
def test_position_follows_from_id_and_sequence(journal: str, sequence: int, position: int | None) -> None:
    assert position_of(ERAS, journal, sequence, last_position=9) == position
