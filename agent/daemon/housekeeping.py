"""Background work on the disk, once a second: preallocated segments, snapshots, pruning, the cache.

It works on immutable states that the scan path publishes, and never holds up a commit.
"""

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from agent.catalogue.cache import Cache
from agent.daemon.cache_writer import CacheWriter
from agent.daemon.disk_reserve import DiskReserve
from agent.errors import JournalFault
from agent.journal import Journal
from agent.runtime.clock import Clock
from agent.workflow.closed_orders import orders_to_drop
from agent.workflow.state import State
from agent.workflow.state_codec import encode_state

__all__ = ["Housekeeping", "garbage_collected_by_housekeeping"]

_log = logging.getLogger(__name__)

_ROUND_S = 1.0
_DAY_S = 86_400.0
_STOP_S = 3.0
_FULL_COLLECTION_ROUNDS = 30


class Housekeeping:
    """A context manager: the thread runs inside it, and writes what is left to write when it ends.

    `journal` returns the open journal, or None. `published` returns the newest (position, state) that is committed.
    `forget` is called in this thread with the orders whose details the state need not keep.
    """

    def __init__(
        self,
        *,
        journal: Callable[[], Journal | None],
        published: Callable[[], tuple[int, State] | None],
        forget: Callable[[list[str]], None],
        cache: Cache,
        reserve: DiskReserve,
        clock: Clock,
        keep_days: float,
    ) -> None:
        self._journal = journal
        self._published = published
        self._forget = forget
        self._reserve = reserve
        self._clock = clock
        self._keep_s = keep_days * _DAY_S
        self._aged_at = clock.monotonic()
        self._failing: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self.cache_writer = CacheWriter(cache, clock=clock, position=self._position, sleep=self._stopping.wait)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def faults(self) -> list[str]:
        """Why chores fail at present, a line each; empty while all work. Any thread may read it."""
        return sorted(self._failing)

    def start(self) -> None:
        """Start the thread. Once."""
        self._thread.start()

    def stop(self, timeout_s: float = _STOP_S) -> None:
        """Write what is still to be cached, and a last snapshot, so that the next start is quick. Idempotent."""
        self._stopping.set()
        self._reserve.pruning_wanted.set()
        self._thread.join(timeout_s)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        rounds = 0
        while not self._stopping.is_set():
            self._reserve.pruning_wanted.wait(_ROUND_S)
            self._reserve.pruning_wanted.clear()
            self._round()
            rounds += 1
            gc.collect(2 if rounds % _FULL_COLLECTION_ROUNDS == 0 else 1)
        self._round(last=True)

    def _round(self, *, last: bool = False) -> None:
        journal = self._journal()
        if journal is not None:
            self._advance_age(journal)
            # A failure of one must not stop the others: on a full disk, only pruning makes room for a new segment.
            chores = (lambda: self._prune(journal), journal.prepare, lambda: self._snapshot(journal, last=last))
            self._failing = {why for chore in chores if (why := self._try(chore)) is not None}
        if last:
            self.cache_writer.save_all()
        else:
            self.cache_writer.save()

    def _try(self, chore: Callable[[], None]) -> str | None:
        """Do it; return why it failed, if it did. A failure that goes on is logged once."""
        try:
            chore()
        except JournalFault as exc:
            why = str(exc)
            if why not in self._failing:
                _log.warning("housekeeping of the journal failed; it will be tried again", extra={"why": why})
            return why
        return None

    def _advance_age(self, journal: Journal) -> None:
        """Advance the clock of `mqtt.md#pruning`: by the monotonic clock, while the wall clock is synchronised.

        So a jump of the wall clock ages no event.
        """
        now = self._clock.monotonic()
        if self._clock.synced():
            journal.advance_age(now - self._aged_at)
        self._aged_at = now

    def _snapshot(self, journal: Journal, *, last: bool) -> None:
        published = self._published()
        if published is None or not (journal.wants_checkpoint() or (last and not journal.in_doubt)):
            return
        position, state = published
        if position <= journal.snapshot_position:
            return
        journal.checkpoint(position, encode_state(state))
        forgotten = orders_to_drop(state)
        if forgotten:
            self._forget(forgotten)

    def _prune(self, journal: Journal) -> None:
        """Prune old delivered events; once the reserve is touched, all delivered events (`mqtt.md#disk-reserve`)."""
        published = self._published()
        if published is None:
            return
        early = self._reserve.is_touched(journal)
        pinned = [(order.first, order.last) for order in published[1].orders.values() if order.first and order.is_open]
        pruned = 0
        try:
            pruned = journal.prune(age_s=journal.age_s, keep_s=self._keep_s, pinned=pinned, early=early)
        finally:
            self._reserve.is_exhausted = early and not pruned
        if pruned:
            _log.info("pruned delivered events", extra={"segments": pruned, "early": early})
            if early:
                self._reserve.pruning_wanted.set()  # there may be more

    def _position(self) -> int | None:
        journal = self._journal()
        return None if journal is None else journal.last_position


@contextmanager
def garbage_collected_by_housekeeping() -> Iterator[None]:
    """Switch off Python's automatic garbage collection, and exclude all present objects from collections.

    Automatic collections come while a scan makes objects: 17 ms of processor, 190 ms on a tenth of a core, were seen
    for one of generation 1. Housekeeping's own come between scans. Without gc.freeze, a full one takes 14 to 27 ms of
    processor (up to 265 ms on a tenth of a core); with it, 1.0 to 1.3 ms.
    """
    was_enabled = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
