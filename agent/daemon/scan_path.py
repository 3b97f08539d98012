"""The path of a scan, from frame to signal, and the thread in which everything that changes the state happens.

The thread reads the devices itself: it runs their event loop, and releases it to another thread while it works. It
alone writes to the ledger, that is, to the journal and the state folded from it. Other threads pass tasks and messages
to it through a `TaskQueue`. `_scan` keeps the most important rule: the success signal comes after `_commit` has
returned (`signals.md#success-means-on-disk`).
"""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from agent.catalogue.cache import Change
from agent.catalogue.catalogue import Catalogue
from agent.contract.printed_codes import Verb
from agent.contract.signals import Signal
from agent.daemon.centre_updates import CentreUpdates, Decide
from agent.daemon.intake import Intake
from agent.daemon.ledger import Ledger
from agent.daemon.overdue import Overdue, Subject
from agent.daemon.task_queue import TaskQueue
from agent.drivers.indicators.indicator import Indicator
from agent.journal import Head
from agent.runtime.clock import Clock
from agent.runtime.event_loop import EventLoop
from agent.scan import Frame
from agent.workflow.classify import verb_of
from agent.workflow.closed_orders import drop_details
from agent.workflow.context import StepContext, WorkflowRules
from agent.workflow.gs1 import aim_split
from agent.workflow.pending_commit import PendingCommit
from agent.workflow.reply import Alarm, Reply
from agent.workflow.station_display import bar_of, steady_of
from agent.workflow.step import take
from agent.workflow.timeouts import apply_timeouts, is_due
from agent.workflow.transient_state import TransientState

__all__ = ["ScanPath"]

_log = logging.getLogger(__name__)

_TICK_S = 0.25
_LOOK_S = 0.1
"""How often to look for the journal's files: less often if there are many, since every name is read."""
_LOOK_S_A_SEGMENT = 0.001
_HANG_S = 10.0
_STOP_S = 3.0
_NEED_THE_NEWEST = frozenset({Verb.SAVE, Verb.PACK, Verb.CONFIRM})
"""Before these, a revision that waits is taken (`workflow.md#manifest-revisions`)."""


class ScanPath:
    """Takes scans, one after the other. A context manager: the thread runs inside it.

    The thread owns `device_loop`, `intake` (the frames read) and `ledger`. Its callbacks run in it and must return at
    once: `on_committed` after each commit; `on_view` with a station that looks different; `on_wanted` with orders that
    should be fetched one by one; `on_changes` with what the cache should keep; `on_fatal` with an exception that must
    end the process, a damaged journal or a bug; `on_dropped` when the broker has to be asked for everything again.
    """

    def __init__(
        self,
        *,
        device_loop: EventLoop,
        intake: Intake,
        queue: TaskQueue,
        ledger: Ledger,
        catalogue: Catalogue,
        rules: WorkflowRules,
        badge_secret: bytes,
        indicators: Mapping[str, Indicator],
        clock: Clock,
        on_committed: Callable[[], None],
        on_view: Callable[[str], None],
        on_wanted: Callable[[list[str]], None],
        on_changes: Callable[[tuple[Change, ...]], None],
        on_fatal: Callable[[BaseException], None],
        on_dropped: Callable[[], None] = lambda: None,
    ) -> None:
        self.ledger = ledger
        self._device_loop = device_loop
        self._intake = intake
        self._queue = queue
        self._catalogue = catalogue
        self._rules = rules
        self._badge_secret = badge_secret
        self._indicators = indicators
        self._clock = clock
        self._on_committed = on_committed
        self._on_view = on_view
        self._on_fatal = on_fatal
        self._on_dropped = on_dropped
        now = clock.monotonic()
        self.transients: dict[str, TransientState] = {station: TransientState(idle_since=now) for station in indicators}
        self.updates = CentreUpdates(
            catalogue,
            stations=indicators,
            state=lambda: ledger.state,
            decide=self._decide_when_ready,
            later=lambda act: queue.tell(lambda _: act()),
            clock=clock,
            on_changes=on_changes,
            on_wanted=on_wanted,
        )
        self._overdue = Overdue()
        """Decisions that wait until the journal can be written."""
        self._rolled_back: str | None = None
        """The journal id that proved to be an old copy, until the journal has another."""
        self._ticked_at = now
        self._look_at = now
        self._at_fault: set[str] = set()
        """The stations that have been shown the present fault."""
        self._is_over = False
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._run, name="scan-path", daemon=True)

    # -- from other threads --------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start the thread. Once."""
        self._thread.start()

    def stop(self, timeout_s: float = _STOP_S) -> bool:
        """Take the scans that have been read, mark what is delivered, and end the thread. The journal stays open.

        Return False if that takes longer, because the storage hangs: the thread is then left behind.
        """
        self._queue.post(ScanPath._end)
        self._thread.join(timeout_s)
        self._is_abandoned = self._thread.is_alive()
        return not self._is_abandoned

    def is_alive(self) -> bool:
        """Whether the thread has done something lately; the watchdog asks."""
        return self._clock.monotonic() - self._ticked_at < _HANG_S

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self.ledger.journal is not None:
                self._reconcile()
            for station in self._indicators:
                self._show_station(station)
            self._tick()  # what changed while the kiosk was off comes before the first scan
            while not self._is_over or self._intake:
                self._turn()
            self._finish()
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it ends the process
            if not self._is_abandoned:
                self._on_fatal(exc)

    def _turn(self) -> None:
        """Take at most one scan, one task and one message, so that none of them holds up the others."""
        scan = self._next_scan()
        if scan is not None:
            self._scan(*scan)
        if (task := self._queue.next_task()) is not None:
            task(self)
        if (message := self._queue.next_message()) is not None:
            message(self)
        elif self.updates.is_rechecking and scan is None:
            self.updates.recheck()
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_for_files(now)
        if now - self._ticked_at >= _TICK_S:
            self._tick()

    def _next_scan(self) -> tuple[str, str, Frame] | None:
        """Read the devices; return the next scan, or None if there is other work, or nothing for a while."""
        self._device_loop.acquire()
        try:
            if not self._is_over:
                is_busy = self._intake or self._queue or self.updates.is_rechecking
                self._device_loop.run_once(0.0 if is_busy else _LOOK_S)
            return self._intake.next()
        finally:
            self._device_loop.release()

    def _end(self) -> None:
        self._is_over = True

    def _finish(self) -> None:
        self._write_refusals()
        self.ledger.finish()

    def _write_refusals(self) -> None:
        """Write the refusals of the last second that wait to be counted (`mqtt.md#counted-refusals`)."""
        for transient in self.transients.values():
            waiting = [burst.unwritten for burst in transient.bursts.values() if burst.unwritten is not None]
            if waiting and self.ledger.fault is None:
                pending = self._pending_commit()
                for refusal in waiting:
                    pending.record(refusal)
                self._commit(pending)

    # -- a scan --------------------------------------------------------------------------------------------------

    def _scan(self, station: str, scanner: str, frame: Frame) -> None:
        """Decide about one frame, commit, adopt, signal; or signal `fault`, and everything stays as it was.

        `signals.md#one-signal-per-scan`
        """
        indicator = self._indicators[station]
        indicator.scan_seen()
        # Without a fault no commit is in doubt. A fault may be over by now.
        if self.ledger.fault is not None and not (self._is_ready() and self.ledger.fault is None):
            self._signal_fault(station)
            return
        self._pass_time(station, frame.at)
        if self.updates.has_waiting_revision:
            self._take_waiting_revisions(station, frame)
        context = self._context(station, frame.at, scanner)
        reply = take(context, frame)
        # `take` has folded the events already. An event that could not be folded must not reach the disk, where every
        # start would find it.
        if context.events and not self._commit(context):
            self._signal_fault(station)
            return
        self.transients[station] = context.transient
        self._signal(station, reply)
        if context.events:
            self._on_committed()
        self._show_station(station)

    def _take_waiting_revisions(self, station: str, frame: Frame) -> None:
        """Take the revisions that wait and that this scan needs: to open an order, to finish a box or the order."""
        _, text = aim_split(frame.data.decode("utf-8", "replace"))
        for order in self._catalogue.orders_by_code(text):
            self.updates.take_waiting_revision(order)
        open_order = self.ledger.state.station(station).order
        if open_order is not None and verb_of(frame.data) in _NEED_THE_NEWEST:
            self.updates.take_waiting_revision(open_order)

    def _context(self, station: str, now: float, scanner: str | None = None) -> StepContext:
        journal, position, sequence = self._head()
        return StepContext(
            state=self.ledger.state,
            journal=journal,
            next_sequence=sequence + 1,
            position=position + 1,
            station_id=station,
            catalogue=self._catalogue,
            rules=self._rules,
            now=now,
            badge_secret=self._badge_secret,
            transient=self.transients[station],
            scanner=scanner,
        )

    def _pending_commit(self) -> PendingCommit:
        journal, position, sequence = self._head()
        return PendingCommit(
            state=self.ledger.state, journal=journal, next_sequence=sequence + 1, position=position + 1
        )

    def _head(self) -> Head:
        if self.ledger.journal is None:
            raise RuntimeError("no decision is made without a journal")
        return self.ledger.journal.head

    def _commit(self, pending: PendingCommit) -> bool:
        """Write the events, flush, adopt the state after them. Return False if they may not be on the disk."""
        if not self.ledger.write(tuple(pending.events)):
            return False
        self.ledger.adopt(pending.state)
        return True

    def _signal(self, station: str, reply: Reply) -> None:
        indicator = self._indicators[station]
        indicator.show(reply.signal, reply.reason, pending=reply.pending, monotonic_ns=self._clock.monotonic_ns())
        if reply.signal is Signal.FAULT and self.ledger.fault is None:
            indicator.clear_fault()  # REPEAT of a fault that is over: nothing else would end its light

    def _signal_fault(self, station: str) -> None:
        """The scan was not taken. It is not remembered, so reading it again is no bounce (`scanning.md#bounce`)."""
        reply = Reply(signal=Signal.FAULT)
        self.transients[station].last = reply
        self._signal(station, reply)
        self._at_fault.add(station)
        self._on_view(station)

    def _show_station(self, station: str) -> None:
        """Steady light, bar and view, after the signal."""
        indicator = self._indicators[station]
        indicator.steady(steady_of(self.ledger.state, station))
        indicator.bar(*bar_of(self.ledger.state, station))
        self._on_view(station)

    # -- time ----------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = self._clock.monotonic()
        self._ticked_at = now
        self.updates.tick(now)
        if not self._is_ready():
            return
        for station in self._indicators:
            self._pass_time(station, now)
        self._start_over_when_ready()
        while self._overdue and self.ledger.fault is None:
            self._overdue.take_first()()
        if self._overdue.has_dropped and not self._overdue:
            self._overdue.has_dropped = False
            self._on_dropped()
        self.ledger.mark_when_idle(now)

    def _pass_time(self, station: str, now: float) -> None:
        """Do what time alone does at a station: sign out, end REMOVE."""
        if not is_due(self.ledger.state.station(station), self.transients[station], self._rules, now):
            return
        context = self._context(station, now)
        apply_timeouts(context)
        if context.events and not self._commit(context):
            return
        self.transients[station] = context.transient
        if context.events:
            self._on_committed()
            self._show_station(station)

    # -- faults --------------------------------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        """Return whether a commit can be tried; show or end `fault` if that has changed (`faults.md#disk-fault`)."""
        ledger = self.ledger
        journal, head, fault = ledger.journal, ledger.journal and ledger.journal.head, ledger.fault
        is_ready = ledger.settle()
        if ledger.journal is not journal:
            self._reconcile()
        if ledger.journal is not None and ledger.journal.head != head:
            self._on_committed()
            for station in self._indicators:
                self._show_station(station)
        if fault is not None and ledger.fault is None:
            self._at_fault.clear()
            for indicator in self._indicators.values():
                indicator.clear_fault()
        return is_ready

    def _look_for_files(self, now: float) -> None:
        """Show `fault` everywhere, without a scan, if a file of the journal is gone (`faults.md#journal-file-gone`)."""
        ledger = self.ledger
        ledger.look_for_files()
        journal = ledger.journal
        segments = 0 if journal is None else len(journal.table.segments)
        self._look_at = now + max(_LOOK_S, segments * _LOOK_S_A_SEGMENT)
        if journal is not None and journal.is_gone:
            for station in self._indicators.keys() - self._at_fault:
                self._signal_fault(station)

    def _reconcile(self) -> None:
        """The journal has just been opened: have decided what changed while it was not."""
        decisions = self.updates.reconcile(self.ledger.state)
        for subject, decide in decisions:
            self._overdue.put(subject, partial(self._decide_when_ready, subject, decide))

    # -- decisions that no scan makes ----------------------------------------------------------------------------

    def _decide_when_ready(self, subject: Subject, decide: Decide, *, revision: int = 0) -> None:
        """Decide and commit, now or, while the journal cannot be written, as soon as it can."""
        if not self._is_ready():
            self._wait_for_journal(subject, decide, revision)
            return
        pending = self._pending_commit()
        alarms = decide(pending)
        if not pending.events:
            return
        if not self._commit(pending):
            self._wait_for_journal(subject, decide, revision)
            return
        self._on_committed()
        for alarm in alarms:
            if alarm.station in self._indicators:
                self._alarm(alarm)
        for station in self._indicators:
            self._show_station(station)

    def _wait_for_journal(self, subject: Subject, decide: Decide, revision: int) -> None:
        act = partial(self._decide_when_ready, subject, decide, revision=revision)
        self._overdue.put(subject, act, revision=revision)

    def _alarm(self, alarm: Alarm) -> None:
        reply = Reply(signal=Signal.ALARM, reason=alarm.reason)
        self.transients[alarm.station].last = reply
        self._signal(alarm.station, reply)

    def forget(self, orders: list[str]) -> None:
        """Forget the details of orders that have been closed for long. For this thread: `TaskQueue.post` it."""
        self.ledger.adopt(drop_details(self.ledger.state, orders))

    def start_over(self, old: str) -> None:
        """Go on under a new journal id: the journal `old` is an old copy (`mqtt.md#rolled-back-journal`). As `forget`.

        No-op if `old` is not the id in use: this was done already, perhaps by a write that seemed to fail.
        """
        self._rolled_back = old
        self._start_over_when_ready()

    def _start_over_when_ready(self) -> None:
        old = self._rolled_back
        if old is None or not self._is_ready() or self.ledger.fault is not None:
            return
        new = None
        if self.ledger.journal is not None and self.ledger.journal.id == old:
            new = self.ledger.start_over()
            if new is None:
                return
        self._rolled_back = None
        self.updates.recount(self.ledger.state)
        if new is not None:
            _log.error(
                "the journal is an old copy (a restored or cloned disk?); it goes on under a new id",
                extra={"old": old, "journal": new},
            )
            self._on_committed()
