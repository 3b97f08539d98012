"""Decide where an event belongs: known already, in a run of its journal, or in a branch of its own. Pure.

One sequence with two ids means that the journal was copied: an old card, or a clone, went on by itself. What it wrote
is a branch. A branch shares the events before its first own one with the first run. All events with one boot id were
written by one device in one go, so they belong to one branch.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from centre.ingest.reception import EventArrival, RefusedMessage, second_document
from centre.store.event_rows import Slot
from centre.store.journal_rows import JournalRow

__all__ = ["JournalKey", "OldCopy", "Placed", "Placement", "Run", "place"]

BOOT_AT = 22
"""Where the boot id begins in an event's id."""


class JournalKey(NamedTuple):
    """A journal of a kiosk, with all its branches."""

    kiosk_id: int
    journal: str


class Placed:
    """A new event and the run that it belongs to. Position and state are given later."""

    __slots__ = ("arrival", "is_late", "position", "row", "state")

    def __init__(self, arrival: EventArrival, row: JournalRow) -> None:
        self.arrival = arrival
        self.row = row
        self.position = 0
        self.state = ""
        self.is_late = arrival.sequence <= row.through
        """Whether it comes after events behind it were counted already."""


class _Taken(NamedTuple):
    event_id: str
    is_stand_in: bool
    position: int
    """0 for an event of this batch."""
    placed: Placed | None = None

    @property
    def boot(self) -> str:
        return self.event_id[BOOT_AT:]


class Run:
    """A row of the table `journal`, and what is known of its sequences: those looked up, and those of this batch."""

    __slots__ = ("new", "row", "taken")

    def __init__(self, row: JournalRow) -> None:
        self.row = row
        self.taken: dict[int, _Taken] = {}
        self.new: dict[int, Placed] = {}

    def look_up(self, slots: Iterable[Slot], stand_in: str) -> None:
        """Note which sequences are taken."""
        for slot in slots:
            self.taken[slot.sequence] = _Taken(slot.event_id, slot.type == stand_in, slot.position)


class OldCopy(NamedTuple):
    """A branch that was found: two events have the same sequence."""

    run: Run
    stored_id: str
    arrival: EventArrival


class Placement:
    """What is to be done with a batch of events."""

    def __init__(self, runs: dict[JournalKey, list[Run]]) -> None:
        self.runs = runs
        self.new: list[Placed] = []
        self.again: set[JournalKey] = set()
        """The journals of which known events came again."""
        self.replaced: list[int] = []
        """The positions of stand-ins whose originals are in `new`."""
        self.to_compare: list[tuple[int, EventArrival]] = []
        """(the position of a stored event, the event that came under its id)"""
        self.letters: list[RefusedMessage] = []
        self.old_copies: list[OldCopy] = []

    def compare(self, documents: Mapping[int, bytes]) -> None:
        """Refuse the events of `to_compare` whose stored documents are others."""
        for position, arrival in self.to_compare:
            if documents.get(position, arrival.document) != arrival.document:
                self.letters.append(second_document(arrival))


def place(placement: Placement, key: JournalKey, arrival: EventArrival) -> None:
    """Place one event. `placement.runs` has the branches of its journal, in order."""
    runs = placement.runs.setdefault(key, [])
    sequence = arrival.sequence
    for run in runs:
        taken = run.taken.get(sequence)
        if taken is not None and taken.event_id == arrival.event_id:
            _known(placement, key, run, taken, arrival)
            return
    chosen = _choose(runs, sequence, arrival.boot) if len(runs) > 1 else _only(runs, sequence)
    run = chosen or _begin(placement, key, arrival)
    if run.row.branch and sequence <= run.row.base:
        run.row.base = sequence - 1
    _put(placement, run, arrival)


def _begin(placement: Placement, key: JournalKey, arrival: EventArrival) -> Run:
    """Begin a journal, or a branch of it."""
    runs = placement.runs[key]
    sequence = arrival.sequence
    run = Run(_new_row(key, arrival, branch=len(runs), base=sequence - 1 if runs else 0))
    if runs:
        placement.old_copies.append(OldCopy(run, runs[0].taken[sequence].event_id, arrival))
    runs.append(run)
    return run


def _put(placement: Placement, run: Run, arrival: EventArrival) -> None:
    placed = Placed(arrival, run.row)
    run.new[arrival.sequence] = placed
    run.taken[arrival.sequence] = _Taken(arrival.event_id, arrival.is_stand_in, 0, placed)
    placement.new.append(placed)


def _known(placement: Placement, key: JournalKey, run: Run, taken: _Taken, arrival: EventArrival) -> None:
    """An event came under an id that is known."""
    if taken.is_stand_in and not arrival.is_stand_in:
        if taken.placed is None:
            placement.replaced.append(taken.position)
            _put(placement, run, arrival)
        else:
            taken.placed.arrival = arrival
            run.taken[arrival.sequence] = taken._replace(is_stand_in=False)
        return
    placement.again.add(key)
    if arrival.is_stand_in:
        return
    if taken.placed is None:
        placement.to_compare.append((taken.position, arrival))
    elif taken.placed.arrival.document != arrival.document:
        placement.letters.append(second_document(arrival))


def _only(runs: list[Run], sequence: int) -> Run | None:
    return runs[0] if runs and sequence not in runs[0].taken else None


def _choose(runs: list[Run], sequence: int, boot: str) -> Run | None:
    """Return the branch that an event of a forked journal belongs to; None if it begins one."""
    main_is_taken = sequence in runs[0].taken
    free = [
        run
        for run in runs
        if sequence not in run.taken and (sequence > run.row.base or (run.row.branch and main_is_taken))
    ]
    for run in free:
        neighbours = (run.taken.get(sequence - 1), run.taken.get(sequence + 1))
        if any(one is not None and one.boot == boot for one in neighbours):
            return run
    # A kiosk that has started again goes on where it was.
    return min(free, key=lambda run: (abs(sequence - 1 - run.row.highest), run.row.branch), default=None)


def _new_row(key: JournalKey, arrival: EventArrival, *, branch: int, base: int) -> JournalRow:
    return JournalRow(
        id=0,
        kiosk_id=key.kiosk_id,
        journal=key.journal,
        branch=branch,
        base=base,
        through=base,
        through_id=None,
        highest=base,
        first_event_at=arrival.received_at,
        last_event_at=arrival.received_at,
    )
