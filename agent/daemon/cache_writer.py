"""Write the centre's data to the cache on disk, at times when no scan has to wait for it."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from agent.catalogue.cache import Cache, Change
from agent.runtime.clock import Clock

__all__ = ["CacheWriter"]

_log = logging.getLogger(__name__)

_QUIET_S = 0.3
"""Without a commit for this long, no scan is expected at once."""

_SAVE_S = 1.0
"""How long one `save` may take before the journal's chores have their turn."""


class CacheWriter:
    """`add` may be called by any thread; the rest belongs to one thread, housekeeping's.

    `position` returns the journal's newest position, which shows whether scans come. `sleep` waits for that many
    seconds, or until the daemon stops.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        clock: Clock,
        position: Callable[[], int | None],
        sleep: Callable[[float], object],
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._position = position
        self._sleep = sleep
        self._added: deque[Change] = deque()
        self.fault: str | None = None
        """Why the cache cannot be written; None while it can."""

    def add(self, changes: Iterable[Change]) -> None:
        """Have these changes written soon."""
        self._added.extend(changes)

    def save(self) -> None:
        """Write what is due: all of it while no scan comes, little while scans come. Failures are tried again."""
        self._gather()
        if not self._cache.waiting:
            return
        is_quiet = self._is_quiet()
        until = self._clock.monotonic() + _SAVE_S
        while (now := self._clock.monotonic()) < until:
            position = self._position()
            if not self._write(partial(self._cache.save, now, is_quiet=is_quiet)):
                return
            is_quiet = is_quiet and self._position() == position

    def save_all(self) -> None:
        """Write everything, for the last time."""
        self._gather()
        self._write(self._cache.save_all)

    def _gather(self) -> None:
        while self._added:
            self._cache.add([self._added.popleft()])

    def _is_quiet(self) -> bool:
        """Wait for a moment; whether no commit came in it."""
        position = self._position()
        self._sleep(_QUIET_S)
        return self._position() == position

    def _write(self, save: Callable[[], bool]) -> bool:
        """Return whether something was due and could be written."""
        try:
            is_written = save()
        except OSError as exc:
            if self.fault is None:
                _log.warning("the cache cannot be written; it will be tried again", extra={"why": exc})
            self.fault = str(exc)
            return False
        if not self._cache.waiting:
            self.fault = None
        return is_written
