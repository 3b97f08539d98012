"""Journal ids: creating them, and which positions each one covers.

A journal has one id at a time. It gets a new one when it turns out to be an old copy (`mqtt.md#rolled-back-journal`).
"""

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Era", "check_journal_id", "new_journal_id", "position_of", "span_of"]


class Era(NamedTuple):
    """The time under one journal id. Its event at `position` has the sequence `position - base`."""

    journal: str
    base: int


def new_journal_id() -> str:
    """Return a random journal id."""
    return os.urandom(4).hex().upper()


def check_journal_id(journal: str) -> str:
    """Return the id. Raises ValueError unless it is 8 characters 0-9 A-F."""
    if re.fullmatch("[0-9A-F]{8}", journal) is None:
        raise ValueError(f"a journal id is 8 characters 0-9 A-F, not {journal!r}")
    return journal


def span_of(eras: Sequence[Era], journal: str, *, last_position: int) -> tuple[int, int]:
    """Return the (first, last) position under a journal id; last < first if it has no events.

    `eras` are oldest first; `last_position` is the position of the newest event.
    """
    for era in reversed(eras):
        if era.journal == journal:
            return (era.base + 1, last_position)
        last_position = min(last_position, era.base)
    return (1, 0)


def position_of(eras: Sequence[Era], journal: str, sequence: int, *, last_position: int) -> int | None:
    """Return the position of an event, pruned or not; None if it was never committed."""
    first, last = span_of(eras, journal, last_position=last_position)
    position = first - 1 + sequence
    return position if first <= position <= last else None
