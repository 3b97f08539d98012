"""What must be done beside the scans: segments made ahead, snapshots, pruning, the manifest cache, garbage collection.

One thread, one round a second. It works on immutable states that the scan path hands out, and never holds up a commit.
"""

import gc
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from agent.catalogue.cache import Cache, Change
from agent.errors import JournalFault
from agent.journal import Journal
from agent.runtime.clock import Clock
from agent.runtime.threads import give_way
from agent.workflow.forget import forgettable
from agent.workflow.state import State
from agent.workflow.stored_state import encode_state

__all__ = ["Housekeeping"]

_log = logging.getLogger(__name__)

_ROUND_S = 1.0
_QUIET_S = 0.3
_DAY_S = 86_400.0
_ROOM_S = 0.1
_FULL_COLLECTION = 30


class Housekeeping:
    """`start` and `stop` it; `cache` takes changes from any thread.

    `journal` answers the open journal, or none. `published` is the newest (position, state) that is committed.
    `forget` is told, from this thread, which orders' details the state need not keep.
    """

    def __init__(
        self,
        *,
        journal: Callable[[], Journal | None],
        published: Callable[[], tuple[int, State] | None],
        forget: Callable[[list[str]], None],
        cache: Cache,
        clock: Clock,
        keep_days: float,
        reserve_mb: float,
    ) -> None:
        self._journal = journal
        self._published = published
        self._forget = forget
        self._cache = cache
        self._clock = clock
        self._keep_s = keep_days * _DAY_S
        self._reserve_bytes = int(reserve_mb * 1024 * 1024)
        self._changes: deque[Change] = deque()
        self._aged_at = clock.monotonic()
        self._is_pruning_in_vain = False
        self._room_until = -math.inf
        self._failing: set[str] = set()
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self.cache_fault: str | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Write what is still to be cached, and a last snapshot, so that the next start is quick."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join(timeout_s)

    def cache(self, changes: Iterable[Change]) -> None:
        self._changes.extend(changes)

    def is_starved(self, journal: Journal) -> bool:
        """Whether the disk's reserve is touched and there is nothing left to prune; asked before each commit.

        That there is room is believed for a moment: a commit seldom takes any, it goes into a file made ahead.
        """
        now = self._clock.monotonic()
        if now < self._room_until:
            return False
        if journal.free_bytes() >= self._reserve_bytes:
            self._room_until = now + _ROOM_S
            return False
        self._wanted.set()
        return self._is_pruning_in_vain

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        give_way()
        rounds = 0
        while not self._stopping.is_set():
            self._wanted.wait(_ROUND_S)
            self._wanted.clear()
            self._round()
            rounds += 1
            # Python's own collections come while objects are made, which is while a scan waits.
            gc.collect(2 if rounds % _FULL_COLLECTION == 0 else 1)
        self._round(last=True)

    def _round(self, *, last: bool = False) -> None:
        journal = self._journal()
        if journal is not None:
            self._advance_age(journal)
            # Each for itself: on a full disk no segment can be made ahead, and pruning is what makes room for it.
            acts = (lambda: self._prune(journal), journal.prepare, lambda: self._snapshot(journal, last=last))
            self._failing = {why for act in acts if (why := self._try(act)) is not None}
        if last:
            self._save_all()
        else:
            self._save()

    def _try(self, act: Callable[[], None]) -> str | None:
        """Why it failed, if it did; said once, not in each round anew."""
        try:
            act()
        except JournalFault as exc:
            why = str(exc)
            if why not in self._failing:
                _log.warning("housekeeping of the journal failed and is tried again", extra={"why": why})
            return why
        return None

    def _advance_age(self, journal: Journal) -> None:
        """The age clock runs while the wall clock is synchronised, by the monotonic clock: jumps do not count."""
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
        forgotten = forgettable(state)
        if forgotten:
            self._forget(forgotten)

    def _prune(self, journal: Journal) -> None:
        """What is old; and, with the reserve touched, whatever is delivered."""
        published = self._published()
        if published is None:
            return
        early = journal.free_bytes() < self._reserve_bytes
        pinned = [(order.first, order.last) for order in published[1].orders.values() if order.first and order.is_open]
        pruned = 0
        try:
            pruned = journal.prune(age_s=journal.age_s, keep_s=self._keep_s, pinned=pinned, early=early)
        finally:
            self._is_pruning_in_vain = early and not pruned
        if pruned:
            _log.info("delivered events were pruned", extra={"segments": pruned, "early": early})
            if early:
                self._wanted.set()

    # -- the cache -----------------------------------------------------------------------------------------------

    def _save(self) -> None:
        """Write what is due: much while no scan comes, little while they do."""
        self._gather()
        if not self._cache.waiting:
            return
        is_quiet = self._is_quiet()
        until = self._clock.monotonic() + _ROUND_S
        while (now := self._clock.monotonic()) < until:
            position = self._position()
            if not self._write(partial(self._cache.save, now, is_quiet=is_quiet)):
                return
            is_quiet = is_quiet and self._position() == position

    def _save_all(self) -> None:
        self._gather()
        self._write(self._cache.save_all)

    def _gather(self) -> None:
        while self._changes:
            self._cache.add([self._changes.popleft()])

    def _is_quiet(self) -> bool:
        """Whether no commit comes for a moment, which is waited for."""
        position = self._position()
        self._stopping.wait(_QUIET_S)
        return self._position() == position

    def _position(self) -> int | None:
        journal = self._journal()
        return None if journal is None else journal.last_position

    def _write(self, save: Callable[[], bool]) -> bool:
        """Return whether something was due and could be written."""
        try:
            is_written = save()
        except OSError as exc:
            if self.cache_fault is None:
                _log.warning("the cache cannot be written and is tried again", extra={"why": exc})
            self.cache_fault = str(exc)
            return False
        if not self._cache.waiting:
            self.cache_fault = None
        return is_written
