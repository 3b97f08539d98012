"""The proof finds everything that is missing."""

from pathlib import Path

import pytest

from agent.demo.proof import missing_from, read_journal
from agent.journal import Journal

DOCUMENTS = {number: f'{{"number":{number}}}'.encode() for number in range(1, 10)}


def without(*numbers: int) -> dict[int, bytes]:
    return {number: document for number, document in DOCUMENTS.items() if number not in numbers}


def test_complete() -> None:
    assert missing_from(DOCUMENTS, dict(DOCUMENTS), packed={"A", "B"}, orders=["B", "A"]) == []


@pytest.mark.parametrize(
    ("stored", "journal", "packed", "problem"),
    [
        (without(3), DOCUMENTS, "A", "1 events not stored by the centre: 3"),
        (without(1, 2, 3, 4, 5, 6), DOCUMENTS, "A", "6 events not stored by the centre: 1, 2, 3, 4, 5 …"),
        (DOCUMENTS, without(9), "A", "1 events stored by the centre, but not in the journal: 9"),
        (without(4), without(4), "A", "1 events not in the journal: 4"),
        ({**DOCUMENTS, 2: b"{}"}, DOCUMENTS, "A", "1 events stored otherwise than written: 2"),
        (DOCUMENTS, DOCUMENTS, "", "not packed: A"),
        ({}, {}, "A", "the journal is empty"),
    ],
)
def test_what_is_missing_is_named(
    stored: dict[int, bytes], journal: dict[int, bytes], packed: str, problem: str
) -> None:
    assert missing_from(stored, journal, packed=packed, orders=["A"]) == [problem]


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.commit([DOCUMENTS[1], DOCUMENTS[2]], b"")
        journal.commit([DOCUMENTS[3]], b"")
    assert read_journal(tmp_path) == ({number: DOCUMENTS[number] for number in (1, 2, 3)}, [])
