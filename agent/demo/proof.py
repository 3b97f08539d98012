"""Whether the centre has every event: the journal on disk, compared with what the centre has stored."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from agent.journal.external_reader import read_all
from agent.journal.records import StoredEvent

__all__ = ["missing_from", "read_journal"]

_NAMED = 5


def read_journal(directory: Path) -> tuple[dict[int, bytes], list[str]]:
    """Return the documents of a kiosk's journal by sequence, and a line for each place that cannot be read."""
    documents: dict[int, bytes] = {}
    damages = []
    for found in read_all(directory):
        if isinstance(found, StoredEvent):
            documents[found.sequence] = found.document
        else:
            damages.append(str(found))
    return documents, damages


def missing_from(
    stored: Mapping[int, bytes], journal: Mapping[int, bytes], *, packed: Iterable[str], orders: Iterable[str]
) -> list[str]:
    """Return a line for each thing that the centre misses; empty if it has every event as it was written.

    `packed` are the orders that the centre knows as packed, of the `orders` that should be.
    """
    problems = []
    if not journal:
        problems.append("the journal is empty")
    gaps = [sequence for sequence in range(1, max(journal, default=0) + 1) if sequence not in journal]
    for what, sequences in (
        ("not in the journal", gaps),
        ("not stored by the centre", [one for one in journal if one not in stored]),
        ("stored by the centre, but not in the journal", [one for one in stored if one not in journal]),
        ("stored otherwise than written", [one for one in journal if stored.get(one, journal[one]) != journal[one]]),
    ):
        if sequences:
            problems.append(f"{len(sequences)} events {what}: {_some(sequences)}")
    unpacked = sorted(set(orders) - set(packed))
    if unpacked:
        problems.append(f"not packed: {', '.join(unpacked)}")
    return problems


def _some(sequences: Iterable[int]) -> str:
    ordered = sorted(sequences)
    named = ", ".join(str(one) for one in ordered[:_NAMED])
    return f"{named} …" if len(ordered) > _NAMED else named
