"""The disk space that is kept free for delivery marks and pruning (`mqtt.md#disk-reserve`)."""

import math
import threading

from agent.journal import Journal
from agent.runtime.clock import Clock

__all__ = ["DiskReserve"]

_TRUSTED_S = 0.1
"""How long to trust that there is enough space. Most commits take none: they go into a preallocated file."""


class DiskReserve:
    """Asked by the scan path before each commit, kept by housekeeping.

    `pruning_wanted` is set when housekeeping should make room at once. `is_exhausted` is housekeeping's answer: the
    reserve is touched, and nothing more can be pruned.
    """

    def __init__(self, size_bytes: int, clock: Clock) -> None:
        self.size_bytes = size_bytes
        self.pruning_wanted = threading.Event()
        self.is_exhausted = False
        self._clock = clock
        self._trusted_until = -math.inf

    def is_touched(self, journal: Journal) -> bool:
        """Whether less space than the reserve is free. Raises JournalFault if the disk does not answer."""
        return journal.free_bytes() < self.size_bytes

    def is_starved(self, journal: Journal) -> bool:
        """Whether a scan must be refused for want of space. Called by the scan path only. Raises JournalFault."""
        now = self._clock.monotonic()
        if now < self._trusted_until:
            return False
        if not self.is_touched(journal):
            self._trusted_until = now + _TRUSTED_S
            return False
        self.pruning_wanted.set()
        return self.is_exhausted
