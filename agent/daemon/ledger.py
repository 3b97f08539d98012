"""The journal and the state folded from it, kept in step: what is certain.

Nothing here decides or signals. A write that fails leaves the state as it was, and a `fault`; what of it stands on the
disk is found out by `settle` before anything else is written.
"""

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from agent.contract.cloudevents import Envelope, document
from agent.contract.events import Event
from agent.contract.manifest import Manifest
from agent.errors import JournalDamaged, JournalFault
from agent.journal import Journal
from agent.runtime.clock import Clock
from agent.workflow.replay import fold_commit, private_text, replay
from agent.workflow.state import State
from agent.workflow.stored_state import decode_state

__all__ = ["Ledger", "Opened", "open_state"]

_log = logging.getLogger(__name__)

_MARK_S = 5.0
_RECENT = 1000


class Opened(Struct, frozen=True, kw_only=True):
    """A journal that could be opened, and the state folded from it."""

    journal: Journal
    state: State


def open_state(directory: Path) -> Opened:
    """Open the journal and fold its state. Raises JournalDamaged, JournalBusy, JournalFault."""
    journal = Journal.open(directory)
    try:
        state = State()
        if journal.snapshot_state is not None:
            state = decode_state(journal.snapshot_state, Manifest.from_source)
        state = replay(state, journal.replay())
    except (ValueError, KeyError, TypeError) as exc:
        journal.close()
        if isinstance(exc, JournalDamaged):
            raise
        raise JournalDamaged(str(directory), 0, f"what it says makes no sense to this version: {exc!r}") from exc
    except BaseException:
        journal.close()
        raise
    if journal.dropped_tail_bytes:
        _log.warning("an interrupted write was dropped", extra={"bytes": journal.dropped_tail_bytes})
    return Opened(journal=journal, state=state)


class Ledger:
    """For one thread, the scan path's; its attributes may be read by any, and are replaced as a whole.

    `open_journal` opens the journal and folds its state; it raises JournalFault while the disk does not allow it, and
    is tried again. `is_starved` says whether the disk's reserve is touched and pruning cannot help.
    """

    def __init__(
        self,
        *,
        opened: Opened | None,
        open_journal: Callable[[], Opened],
        source: str,
        clock: Clock,
        is_starved: Callable[[Journal], bool],
    ) -> None:
        self.journal: Journal | None = None
        self.state = State()
        self.published: tuple[int, State] | None = None
        """(position, the state there): for whoever writes snapshots and views."""
        self.commit_s: deque[float] = deque(maxlen=_RECENT)
        self.fault: str | None = "the journal is not open yet"
        """Why nothing can be written; none while it can. Nothing is in doubt without one."""
        self.delivered = 0
        """The position up to which everything is delivered; set by the uplink's thread, marked with the next commit."""
        self._open_journal = open_journal
        self._source = source
        self._clock = clock
        self._is_starved = is_starved
        self._marked_at = clock.monotonic()
        if opened is not None:
            self._take_over(opened)
            self.fault = None

    def settle(self) -> bool:
        """Open the journal if it is not open yet, find out what stands on the disk of a write in doubt, and see whether
        a fault is over. False: nothing can be written now."""
        try:
            if self.journal is None:
                self._take_over(self._open_journal())
            if self.journal is not None and self.journal.in_doubt:
                self._recover(self.journal)
            is_over = self.fault is not None and self.journal is not None and not self._is_starved(self.journal)
        except JournalFault as exc:
            self._fail(exc)
            return False
        if is_over:
            self.fault = None
            _log.warning("the journal can be written again")
        return True

    def write(self, events: tuple[Event, ...]) -> bool:
        """Write the events of one decision and flush; `adopt` the state they lead to then. False: they are not known
        to be on the disk, and the fault says why."""
        journal, clock = self.journal, self._clock
        if journal is None:
            return False
        journal_id, _, sequence = journal.head
        envelope = Envelope(
            source=self._source,
            journal=journal_id,
            boot_id=clock.boot_id(),
            time=clock.utc_text(),
            uptime_ms=clock.monotonic_ns() // 1_000_000,
            clock_synced=clock.synced(),
        )
        documents = [document(event, envelope, number) for number, event in enumerate(events, sequence + 1)]
        began = clock.monotonic()
        try:
            if self._is_starved(journal):
                raise JournalFault("the disk's reserve is touched")
            journal.mark(self.delivered)
            journal.commit(documents, private_text(events))
        except JournalFault as exc:
            self._fail(exc)
            return False
        self.commit_s.append(clock.monotonic() - began)
        self._marked_at = began
        return True

    def adopt(self, state: State) -> None:
        """The state is now the one after the newest commit."""
        self.state = state
        if self.journal is not None:
            self.published = (self.journal.last_position, state)

    def start_over(self) -> str | None:
        """Go on under a new journal id; none: that could not be written."""
        if self.journal is None:
            return None
        try:
            return self.journal.start_over()
        except JournalFault as exc:
            self._fail(exc)
            return None

    def mark_when_idle(self, now: float) -> None:
        """Write what is delivered if no commit has done so for a while."""
        journal = self.journal
        if journal is None or self.delivered <= journal.delivered or now - self._marked_at < _MARK_S:
            return
        self._marked_at = now
        journal.mark(self.delivered)
        try:
            journal.flush_mark()
        except JournalFault as exc:
            self._fail(exc)

    def finish(self) -> None:
        """Mark what is delivered; the journal stays open."""
        journal = self.journal
        if journal is None or journal.in_doubt:
            return
        journal.mark(self.delivered)
        try:
            journal.flush_mark()
        except JournalFault as exc:
            _log.warning("the delivery mark could not be written", extra={"why": exc})

    def _take_over(self, opened: Opened) -> None:
        self.journal = opened.journal
        self.delivered = opened.journal.delivered
        self.adopt(opened.state)

    def _recover(self, journal: Journal) -> None:
        """After a failed commit: what stands on the disk is what happened."""
        for commit in journal.recover():
            _log.warning("a commit in doubt stands on the disk and is adopted", extra={"sequence": commit.sequence})
            self.adopt(fold_commit(self.state, commit))

    def _fail(self, fault: JournalFault) -> None:
        why = str(fault)
        if self.fault != why:
            _log.error("the journal cannot be written, scans are refused", extra={"why": why})
        self.fault = why
