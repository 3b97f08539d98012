"""What the cache has still to write: gathered, of each thing the newest only, and given out file by file.

A file of the cache costs flushes whatever is new in it, and a scan's own flush waits for them. So changes gather while
scans come, and a file is written for many at once. A power cut loses those: the broker has them retained.
"""

import math
from collections.abc import Iterable

from agent.catalogue.cache import REFERENCE, place_of
from agent.catalogue.stored import Change

__all__ = ["PACE_S", "Unsaved"]

PACE_S = 2.0
"""While scans come, one file of orders may be written in so many seconds: few scans in a thousand then meet a flush."""


class Unsaved:
    """For one thread. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._by_file: dict[str, dict[str, Change]] = {}
        self._taken_at = -math.inf

    def __len__(self) -> int:
        return sum(map(len, self._by_file.values()))

    def add(self, changes: Iterable[Change]) -> None:
        for change in changes:
            file, key = place_of(change)
            self._by_file.setdefault(file, {})[key] = change

    def take(self, now: float, *, is_quiet: bool) -> list[Change]:
        """What to write now, all of one file; nothing, when it had better wait. What then fails is to be added again.

        While no scan comes (`is_quiet`), files are due at once, the one that has waited longest first. Else they are
        `PACE_S` apart; but who may work and what may not ship never waits: it is rare, and the kiosk must know it.
        """
        file = REFERENCE if REFERENCE in self._by_file else next(iter(self._by_file), None)
        if file is None or not (is_quiet or file == REFERENCE or now - self._taken_at >= PACE_S):
            return []
        if file != REFERENCE:  # however often that changes, orders must not wait for ever
            self._taken_at = now
        return [*self._by_file.pop(file).values()]

    def take_all(self) -> list[Change]:
        """Everything: this is the last time to write."""
        changes = [change for of_file in self._by_file.values() for change in of_file.values()]
        self._by_file.clear()
        return changes
