"""The journal and the state folded from it, which always belong together.

This module neither decides nor signals. A write that fails leaves the state as it was, and sets `fault`. `settle` then
finds out what reached the disk, before anything else is written (`faults.md#disk-fault`).
"""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from agent import __version__
from agent.contract.cloudevents import Envelope, document
from agent.contract.events import Event
from agent.contract.manifest import Manifest
from agent.errors import JournalBusy, JournalDamaged, JournalFault, JournalOfAnotherVersion
from agent.journal import Commit, Journal
from agent.runtime.clock import Clock
from agent.workflow.replay import fold_commit, private_text, replay
from agent.workflow.state import State
from agent.workflow.state_codec import decode_state

__all__ = ["Ledger", "Opened", "open_state"]

_log = logging.getLogger(__name__)

_MARK_S = 5.0
"""After this long without a commit, the delivery mark is written by itself."""

_REOPEN_S = 1.0
"""How often to look whether a journal that is gone has come back: all of it after the snapshot is read."""

_RECENT_COMMITS = 1000


class Opened(Struct, frozen=True, kw_only=True):
    """A journal that could be opened, and the state folded from it."""

    journal: Journal
    state: State


def open_state(directory: Path, instead_of: Journal | None = None) -> Opened:
    """Open the journal and fold its state (`workflow.md#restart-keeps-the-state`).

    Nothing is written before all of it is understood (`faults.md#another-version`). `instead_of` is that of
    `Journal.open`.

    Raises JournalDamaged, JournalBusy, JournalFault.
    """
    state = State()

    def read(snapshot_state: bytes | None, commits: Iterator[Commit]) -> None:
        nonlocal state
        try:
            if snapshot_state is not None:
                state = decode_state(snapshot_state, Manifest.from_source)
            state = replay(state, commits)
        except JournalDamaged:
            raise
        except (ValueError, KeyError, TypeError) as exc:
            # The checksums are right, so a newer version of the program wrote this.
            raise JournalOfAnotherVersion(
                str(directory), 0, f"version {__version__} of this program does not understand it: {exc}"
            ) from exc

    journal = Journal.open(directory, before_writing=read, instead_of=instead_of)
    if journal.dropped_tail_bytes:
        _log.warning(
            "the journal ended in an unfinished write, which was dropped", extra={"bytes": journal.dropped_tail_bytes}
        )
    return Opened(journal=journal, state=state)


class Ledger:
    """A context manager: the journal is open inside it, or `fault` says why not.

    It belongs to one thread, the scan path's. Any thread may read its attributes, which are replaced as a whole.

    `open_journal` opens the journal and folds its state. It is called again while it raises JournalFault.
    `reopen_journal` opens the folder that may take the place of a journal whose files are gone. `is_starved` says
    whether the disk is too full for a commit (`mqtt.md#disk-reserve`).
    """

    def __init__(
        self,
        *,
        open_journal: Callable[[], Opened],
        source: str,
        clock: Clock,
        is_starved: Callable[[Journal], bool],
        reopen_journal: Callable[[Journal], Opened] | None = None,
    ) -> None:
        self.journal: Journal | None = None
        self.state = State()
        self.published: tuple[int, State] | None = None
        """(position, the state there), for threads that write snapshots and views."""
        self.commit_s: deque[float] = deque(maxlen=_RECENT_COMMITS)
        """How long the latest commits took, in seconds."""
        self.fault: str | None = "the journal is not open yet"
        """Why nothing can be written; None while it can. Without a fault, no commit is in doubt."""
        self.delivered = 0
        """The position up to which all events are delivered. The uplink's thread sets it; the next commit marks it."""
        self._open_journal = open_journal
        self._reopen_journal = reopen_journal
        self._reopen_at = -math.inf
        self._source = source
        self._clock = clock
        self._is_starved = is_starved
        self._marked_at = clock.monotonic()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def open(self) -> None:
        """Open the journal; while the disk does not allow it, only set `fault` (`commands.md#start-with-a-full-disk`).

        Raises JournalDamaged, JournalBusy.
        """
        try:
            self._adopt_journal(self._open_journal())
        except JournalBusy:
            raise
        except JournalFault as exc:
            self._fail(exc)
        else:
            self.fault = None

    def close(self) -> None:
        """Close the journal, if it is open."""
        if self.journal is not None:
            self.journal.close()

    def settle(self) -> bool:
        """Open the journal if it is not open, adopt a commit in doubt, and see whether a fault is over.

        Return whether a commit can be tried. Raises JournalDamaged.
        """
        try:
            if self.journal is None:
                self._adopt_journal(self._open_journal())
            if self.journal is not None and self.journal.is_gone:
                self._replace(self.journal)
            elif self.journal is not None and self.journal.in_doubt:
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
        """Write the events of one decision and flush them. The caller then calls `adopt` with the state they lead to.

        Return False, and set `fault`, if it is not known that they are on the disk.
        """
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
                raise JournalFault("the disk is full up to its reserve")
            journal.mark(self.delivered)
            journal.commit(documents, private_text(events))
        except JournalFault as exc:
            self._fail(exc)
            return False
        self.commit_s.append(clock.monotonic() - began)
        self._marked_at = began
        return True

    def adopt(self, state: State) -> None:
        """Make this the state; it is the one after the newest commit."""
        self.state = state
        if self.journal is not None:
            self.published = (self.journal.last_position, state)

    def set_delivered(self, position: int) -> None:
        """Note that all events up to this position are delivered. Called by the uplink's thread."""
        self.delivered = position

    def start_over(self) -> str | None:
        """Go on under a new journal id and return it; None if that could not be written."""
        if self.journal is None:
            return None
        try:
            return self.journal.start_over()
        except JournalFault as exc:
            self._fail(exc)
            return None

    def mark_when_idle(self, now: float) -> None:
        """Write the delivery mark if no commit has done so for a while."""
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
        """Write the delivery mark a last time; the journal stays open."""
        journal = self.journal
        if journal is None or journal.in_doubt:
            return
        journal.mark(self.delivered)
        try:
            journal.flush_mark()
        except JournalFault as exc:
            _log.warning("the delivery mark could not be written; some events will be sent again", extra={"why": exc})

    def _adopt_journal(self, opened: Opened) -> None:
        self.journal = opened.journal
        self.delivered = opened.journal.delivered
        self.adopt(opened.state)

    def look_for_files(self) -> None:
        """Set `fault` if a file of the journal was deleted or replaced (`faults.md#journal-file-gone`)."""
        journal = self.journal
        if journal is not None and not journal.is_gone and (missing := journal.look_for_files()) is not None:
            self._fail(JournalFault(f"{missing} was deleted or replaced; put the journal's folder back"))

    def _replace(self, gone: Journal) -> None:
        """Go on with the folder in the place of a journal that is gone, if it is the same one.

        Raises JournalFault.
        """
        now = self._clock.monotonic()
        if self._reopen_journal is None or now < self._reopen_at:
            raise JournalFault(self.fault or "a file of the journal was deleted or replaced")
        self._reopen_at = now + _REOPEN_S
        try:
            opened = self._reopen_journal(gone)
        except JournalDamaged as exc:  # whatever lies there, it is not the journal that this daemon had
            raise JournalFault(f"what lies in the journal's place cannot be used: {exc}") from exc
        delivered = self.delivered
        self._adopt_journal(opened)
        self.delivered = max(self.delivered, delivered)
        gone.close()
        _log.warning("the journal is in its place again", extra={"journal": opened.journal.id})

    def _recover(self, journal: Journal) -> None:
        """After a failed commit: what is on the disk counts."""
        for commit in journal.recover():
            _log.warning("a commit that had failed is on the disk and counts", extra={"sequence": commit.sequence})
            self.adopt(fold_commit(self.state, commit))

    def _fail(self, fault: JournalFault) -> None:
        why = str(fault)
        if self.fault != why:
            _log.error("the journal cannot be written; scans get the signal fault until it can", extra={"why": why})
        self.fault = why
