"""When to ask which kiosk for which events (`mqtt.md#requests`, `resend`). Pure: times and ids are handed in.

A kiosk is asked for one range at a time. A range is asked for when it has been missing for five seconds: brokers may
reorder, and most gaps close by themselves. Where a kiosk does not answer, or its answer brings nothing, it is asked
again at growing intervals, until it connects again.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, TypeAlias

from centre.ingest.kiosk_views import HealthClaim
from centre.ingest.reception import ResponseArrival
from centre.ingest.resend_answers import Asked, read_answer
from centre.store.kiosk_rows import KioskName

__all__ = ["GAP_S", "THE_LAST", "GapWatch", "Missing", "OldJournal", "ToCheck"]

GAP_S = 5.0
"""How long events are missing before they are asked for; also how long a resend may pause."""
RETRY_S = 10.0
RETRY_MAX_S = 600.0
ASKED_MAX = 1000
"""Requests whose answers are awaited; the oldest is forgotten."""
THE_LAST = 10**12 - 1
"""The highest sequence there can be."""


class Missing(NamedTuple):
    """The first range that is missing in a run, both ends included."""

    kiosk: KioskName
    journal: str
    branch: int
    first: int
    last: int

    @property
    def key(self) -> "_Key":
        return self.kiosk, self.journal, self.branch


class OldJournal(NamedTuple):
    """An earlier journal of a kiosk. Only the kiosk can say whether it has more of it than is stored."""

    kiosk: KioskName
    journal: str


_Key: TypeAlias = tuple[KioskName, str, int]


class _Watched:
    """A run with something missing."""

    __slots__ = ("attempts", "due", "first", "is_asked")

    def __init__(self, first: int, due: float) -> None:
        self.first = first
        self.due = due
        self.attempts = 0
        self.is_asked = False


class ToCheck(NamedTuple):
    """What to look up in the database: see `GapWatch.to_check`."""

    claims: tuple[HealthClaim, ...]
    old_journals: dict[OldJournal, int]
    """With each, the last sequence to ask for."""
    connected: frozenset[KioskName]
    """Kiosks that have connected since: all that they have of their earlier journals is to be asked for."""


class GapWatch:
    """What is missing, since when, and what was asked for. `new_id` makes the id of a request.

    In turns: `to_check` tells what kiosks say, somebody finds out what is missing, and `plan` says what to ask for.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self.asked: dict[str, Asked] = {}
        """By the id of the request."""
        self._new_id = new_id
        self._claims: dict[KioskName, HealthClaim] = {}
        self._old_journals: dict[OldJournal, int] = {}
        self._connected: set[KioskName] = set()
        self._connections: dict[KioskName, int] = {}
        self._watched: dict[_Key, _Watched] = {}

    # -- what kiosks say ---------------------------------------------------------------------------------------------

    def claimed(self, claim: HealthClaim, now: float) -> None:
        """A kiosk says up to where it takes its events as delivered: all of those should be stored."""
        self._claims[claim.kiosk] = claim
        if claim.connection > self._connections.get(claim.kiosk, -1):
            self._connections[claim.kiosk] = claim.connection
            self._connected.add(claim.kiosk)
            for (kiosk, _, _), watched in self._watched.items():
                if kiosk == claim.kiosk:
                    watched.due = min(watched.due, now + GAP_S)
                    watched.attempts = 0

    def answered(self, response: ResponseArrival) -> None:
        """A kiosk has answered a request. What it does not have it need not be asked for again."""
        asked = self.asked.get(response.transaction)
        if asked is None or asked.kiosk != response.kiosk:
            return
        del self.asked[response.transaction]
        answer = read_answer(response.payload, asked)
        if answer is None:
            return
        old = OldJournal(asked.kiosk, asked.journal)
        if answer.last:
            if old in self._old_journals:
                self._old_journals[old] = min(answer.last, self._old_journals[old])
        else:
            self._old_journals.pop(old, None)
        claim = self._claims.get(asked.kiosk)
        if claim is not None and claim.journal == asked.journal and answer.last < claim.acked:
            self._claims[asked.kiosk] = claim._replace(acked=answer.last)

    def to_check(self) -> ToCheck:
        """Return what kiosks have said, to be compared with what is stored."""
        connected, self._connected = frozenset(self._connected), set()
        return ToCheck(tuple(self._claims.values()), dict(self._old_journals), connected)

    # -- what to ask for ---------------------------------------------------------------------------------------------

    def plan(self, checked: ToCheck, missing: Collection[Missing], now: float) -> list[tuple[str, Asked]]:
        """Take note of what is missing now, and return what to ask for: the id of the request, and the range.

        `missing` is what the check of `checked` found. What a kiosk has said is forgotten once nothing is missing.
        """
        still = {(one.kiosk, one.journal) for one in missing}
        for claim in checked.claims:
            if (claim.kiosk, claim.journal) not in still and self._claims.get(claim.kiosk) is claim:
                del self._claims[claim.kiosk]
        for old in checked.old_journals:
            if (old.kiosk, old.journal) not in still:
                self._old_journals.pop(old, None)
        by_kiosk: dict[KioskName, list[Missing]] = {}
        before, self._watched = self._watched, {}
        for one in missing:
            watched = before.get(one.key)
            if watched is None:
                watched = _Watched(one.first, now + GAP_S)
            elif watched.first != one.first:  # some of it has come, so more may be on its way
                is_asked = watched.is_asked
                watched = _Watched(one.first, now + GAP_S)
                watched.is_asked = is_asked
            self._watched[one.key] = watched
            by_kiosk.setdefault(one.kiosk, []).append(one)
        chosen = [self._choose(some, now) for some in by_kiosk.values()]
        return [self._ask(one, now) for one in chosen if one is not None]

    def ask_old(self, journals: Mapping[OldJournal, int]) -> None:
        """Ask for these journals too, each up to a sequence."""
        self._old_journals.update(journals)

    def _choose(self, missing: list[Missing], now: float) -> Missing | None:
        """Return what to ask one kiosk for now; None while it is sending, and while nothing is due."""
        watched = [(self._watched[one.key], one) for one in missing]
        if any(one.is_asked and one.due > now for one, _ in watched):
            return None
        due = [(one.due, each) for one, each in watched if one.due <= now]
        return min(due)[1] if due else None

    def _ask(self, missing: Missing, now: float) -> tuple[str, Asked]:
        watched = self._watched[missing.key]
        watched.due = now + min(RETRY_S * 2**watched.attempts, RETRY_MAX_S)
        watched.attempts = min(watched.attempts + 1, 10)
        watched.is_asked = True
        id, asked = self._new_id(), Asked(missing.kiosk, missing.journal, missing.first, missing.last)
        self.asked[id] = asked
        if len(self.asked) > ASKED_MAX:
            del self.asked[next(iter(self.asked))]
        return id, asked
