"""The way of a scan, from frame to signal, and the thread on which everything that changes the state happens.

The thread reads the devices itself: it runs their event loop, and releases it to another thread while it works. It
alone writes to the ledger, that is, to the journal and the state folded from it. Other threads hand in tasks and
messages through a `TaskQueue`. `_scan` keeps the one law: the success signal comes after `_commit` has returned
(signals.md#success-means-on-disk).
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from agent.catalogue.cache import Change
from agent.catalogue.catalogue import Catalogue
from agent.contract.events import Event
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.daemon.centre_updates import CentreUpdates, Decide
from agent.daemon.intake import Intake
from agent.daemon.ledger import Ledger
from agent.daemon.task_queue import TaskQueue
from agent.drivers.indicators.indicator import Indicator
from agent.runtime.clock import Clock
from agent.runtime.event_loop import EventLoop
from agent.scan import Frame
from agent.workflow.context import Desk, Settings
from agent.workflow.forget import forget
from agent.workflow.memory import Memory, Reply
from agent.workflow.state import State
from agent.workflow.step import expire, is_due, take
from agent.workflow.view import bar_of, steady_of

__all__ = ["ScanPath"]

_log = logging.getLogger(__name__)

_TICK_S = 0.25
_HANG_S = 10.0
_STOP_S = 3.0
_OVERDUE_MAX = 10_000


class ScanPath:
    """Takes scans, one after the other. A context manager: the thread runs inside it.

    The thread owns `device_loop`, `intake` (the frames read) and `ledger`. Its callbacks run in it and must return at
    once: `on_committed` after each commit; `on_view` with a station that looks different; `on_wanted` with orders that
    should be fetched singly; `on_changes` with what the cache should keep; `on_fatal` with an exception that must end
    the process, a damaged journal or a bug.
    """

    def __init__(
        self,
        *,
        device_loop: EventLoop,
        intake: Intake,
        queue: TaskQueue,
        ledger: Ledger,
        catalogue: Catalogue,
        settings: Settings,
        indicators: Mapping[str, Indicator],
        clock: Clock,
        on_committed: Callable[[], None],
        on_view: Callable[[str], None],
        on_wanted: Callable[[list[str]], None],
        on_changes: Callable[[tuple[Change, ...]], None],
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self.ledger = ledger
        self._device_loop = device_loop
        self._intake = intake
        self._queue = queue
        self._catalogue = catalogue
        self._settings = settings
        self._indicators = indicators
        self._clock = clock
        self._on_committed = on_committed
        self._on_view = on_view
        self._on_fatal = on_fatal
        now = clock.monotonic()
        self.memories: dict[str, Memory] = {station: Memory(idle_since=now) for station in indicators}
        self.updates = CentreUpdates(
            catalogue,
            stations=indicators,
            decide=self._decide_when_ready,
            later=lambda act: queue.tell(lambda _: act()),
            clock=clock,
            on_changes=on_changes,
            on_wanted=on_wanted,
        )
        self._overdue: deque[Callable[[], None]] = deque(maxlen=_OVERDUE_MAX)
        """What waits until the journal can be written."""
        self._ticked_at = now
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
        if self._clock.monotonic() - self._ticked_at >= _TICK_S:
            self._tick()

    def _next_scan(self) -> tuple[str, str, Frame] | None:
        """Read the devices; return the next scan, or None if there is other work, or nothing for a while."""
        self._device_loop.acquire()
        try:
            if not self._is_over:
                is_busy = self._intake or self._queue or self.updates.is_rechecking
                self._device_loop.run_once(0.0 if is_busy else _TICK_S)
            return self._intake.next()
        finally:
            self._device_loop.release()

    def _end(self) -> None:
        self._is_over = True

    def _finish(self) -> None:
        self._write_refusals()
        self.ledger.finish()

    def _write_refusals(self) -> None:
        """Write the refusals of the last second that wait to be counted (mqtt.md#counted-refusals)."""
        for station, memory in self.memories.items():
            waiting = [burst.unwritten for burst in memory.bursts.values() if burst.unwritten is not None]
            if waiting and self.ledger.fault is None:
                desk = self._desk(station, self._clock.monotonic())
                for refusal in waiting:
                    desk.record(refusal)
                self._commit(desk.events, desk.state)

    # -- a scan --------------------------------------------------------------------------------------------------

    def _scan(self, station: str, scanner: str, frame: Frame) -> None:
        """Decide about one frame, commit, adopt, signal; or signal `fault`, and everything stays as it was.

        signals.md#one-signal-per-scan
        """
        indicator = self._indicators[station]
        indicator.scan_seen()
        # Without a fault no commit is in doubt. A fault may be over by now.
        if self.ledger.fault is not None and not (self._is_ready() and self.ledger.fault is None):
            self._signal_fault(station)
            return
        self._pass_time(station, frame.at)
        desk = self._desk(station, frame.at, scanner)
        decision = take(desk, frame, self.memories[station])
        # `take` has folded the events already. An event that could not be folded must not reach the disk, where every
        # start would find it.
        if decision.events and not self._commit(decision.events, decision.state):
            self._signal_fault(station)
            return
        self.memories[station] = decision.memory
        if decision.reply is not None:
            self._signal(station, decision.reply)
        if decision.events:
            self._on_committed()
        self._show_station(station)

    def _desk(self, station: str, now: float, scanner: str | None = None) -> Desk:
        ledger = self.ledger
        if ledger.journal is None:
            raise RuntimeError("no decision is made without a journal")
        journal_id, position, sequence = ledger.journal.head
        return Desk(
            state=ledger.state,
            station_id=station,
            cache=self._catalogue,
            settings=self._settings,
            now=now,
            journal=journal_id,
            next_sequence=sequence + 1,
            position=position + 1,
            scanner=scanner,
        )

    def _commit(self, events: Iterable[Event], state: State) -> bool:
        """Write the events, flush, adopt the state they lead to. Return False if they may not be on the disk."""
        if not self.ledger.write(tuple(events)):
            return False
        self.ledger.adopt(state)
        return True

    def _signal(self, station: str, reply: Reply) -> None:
        indicator = self._indicators[station]
        indicator.show(reply.signal, reply.reason, pending=reply.pending, monotonic_ns=self._clock.monotonic_ns())
        if reply.signal is Signal.FAULT and self.ledger.fault is None:
            indicator.clear_fault()  # REPEAT of a fault that is over: nothing else would end its light

    def _signal_fault(self, station: str) -> None:
        """The scan was not taken, and is not remembered, so that reading it again is no bounce (scanning.md#bounce)."""
        reply = Reply(signal=Signal.FAULT)
        self.memories[station].last = reply
        self._signal(station, reply)
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
        while self._overdue and self.ledger.fault is None:
            self._overdue.popleft()()
        self.ledger.mark_when_idle(now)

    def _pass_time(self, station: str, now: float) -> None:
        """Do what time alone does at a station: sign out, end REMOVE."""
        if not is_due(self.ledger.state.station(station), self.memories[station], self._settings, now):
            return
        decision = expire(self._desk(station, now), self.memories[station])
        if decision.events and not self._commit(decision.events, decision.state):
            return
        self.memories[station] = decision.memory
        if decision.events:
            self._on_committed()
            self._show_station(station)

    # -- faults --------------------------------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        """Find out whether a commit can be tried; show what that has changed (faults.md#disk-fault)."""
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
            for indicator in self._indicators.values():
                indicator.clear_fault()
        return is_ready

    def _reconcile(self) -> None:
        """The journal has just been opened: have decided what changed while it was not."""
        decisions = self.updates.reconcile(self.ledger.state)
        self._overdue.extend(partial(self._decide_when_ready, decide) for decide in decisions)

    # -- decisions that no scan makes ----------------------------------------------------------------------------

    def _decide_when_ready(self, decide: Decide) -> None:
        """Decide and commit, now or, while the journal cannot be written, as soon as it can."""
        if not self._is_ready():
            self._overdue.append(partial(self._decide_when_ready, decide))
            return
        desk = self._desk(next(iter(self._indicators)), self._clock.monotonic())
        alarms = decide(desk)
        if not desk.events:
            return
        if not self._commit(desk.events, desk.state):
            self._overdue.append(partial(self._decide_when_ready, decide))
            return
        self._on_committed()
        for station, reason in alarms:
            if station in self._indicators:
                self._alarm(station, reason)
        for station in self._indicators:
            self._show_station(station)

    def _alarm(self, station: str, reason: Reason) -> None:
        reply = Reply(signal=Signal.ALARM, reason=reason)
        self.memories[station].last = reply
        self._signal(station, reply)

    def forget(self, orders: list[str]) -> None:
        """Forget the details of orders that have been closed for long. For this thread: `TaskQueue.post` it."""
        self.ledger.adopt(forget(self.ledger.state, orders))

    def start_over(self, why: str) -> None:
        """Go on under a new journal id: the journal is an old copy (mqtt.md#rolled-back-journal). As `forget`."""
        new = self.ledger.start_over() if self._is_ready() else None
        if new is None:
            self._overdue.append(partial(self.start_over, why))
            return
        _log.error(
            "the journal is an old copy (a restored or cloned disk?); it goes on under a new id",
            extra={"journal": new, "why": why},
        )
        self._on_committed()
