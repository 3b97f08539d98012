"""The way of a scan, from a frame to its signal, to be read from top to bottom; and everything else that the state
may learn, in one thread.

The thread reads the devices itself: it owns their watch, and leaves it to a stand-in while it works. `ScanPath` alone
writes to the ledger: the journal, and the state folded from it. What others hand in waits in its queues; what it hands
on is immutable. The one law is kept in `_scan`: the success signal is shown after `_commit` has returned, never before.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from msgspec import Struct

from agent.catalogue.cache import Change
from agent.catalogue.catalogue import Catalogue
from agent.contract.blocked import BlockedPart
from agent.contract.box_sizes import BoxSizes
from agent.contract.events import Event
from agent.contract.manifest import Manifest
from agent.contract.operators import Operators
from agent.contract.order_index import OrderIndex
from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.contract.verdicts import Verdict
from agent.daemon.intake import Intake
from agent.daemon.ledger import Ledger
from agent.drivers.indicators.indicator import Indicator
from agent.runtime.clock import Clock
from agent.runtime.event_loop import EventLoop
from agent.runtime.threads import come_first
from agent.scan import Frame
from agent.workflow.centre_changes import Alarm, abandon, delist, judge, revise
from agent.workflow.context import Desk, Settings
from agent.workflow.forget import forget
from agent.workflow.memory import Memory, Reply
from agent.workflow.state import State
from agent.workflow.step import expire, is_due, take
from agent.workflow.view import bar_of, steady_of

__all__ = ["CacheFacts", "ScanPath", "Station"]

_log = logging.getLogger(__name__)

_TICK_S = 0.25
_COMPARE_S = 2.0
_FACTS_S = 5.0


class Station(Struct, frozen=True, kw_only=True):
    """A bench as the scan path knows it."""

    id: str
    indicator: Indicator


class CacheFacts(Struct, frozen=True, kw_only=True):
    """What `health` tells of the catalogue, which is this thread's alone: at most 100 missing orders by id, and lines
    about codes that mean two things."""

    missing: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    operators_revision: int | None = None


class ScanPath:
    """Takes scans, one after the other. `start` and `stop` it; `submit`, `tell` and `post` from any thread.

    `watch` is the devices', and `intake` where their frames come to: from `start` on this thread owns both, and shares
    them with who stands in for it at the watch. `ledger` is its alone. `on_wanted` is told which orders should be
    fetched singly, `on_changes` what the cache should keep. `on_committed` is called after each commit, `on_view` when
    a station looks different, both in this thread: they must only hand over. `on_fatal` is told of what must end the
    process: a damaged journal, or a bug.
    """

    def __init__(
        self,
        *,
        watch: EventLoop,
        intake: Intake,
        ledger: Ledger,
        catalogue: Catalogue,
        settings: Settings,
        stations: Iterable[Station],
        clock: Clock,
        on_committed: Callable[[], None],
        on_view: Callable[[str], None],
        on_wanted: Callable[[list[str]], None],
        on_changes: Callable[[tuple[Change, ...]], None],
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        self.catalogue = catalogue
        self.ledger = ledger
        self._watch = watch
        self._intake = intake
        self.facts = CacheFacts()
        """Replaced as a whole, for `health`."""
        self._settings = settings
        self._stations: Mapping[str, Station] = {station.id: station for station in stations}
        self._clock = clock
        self._on_committed = on_committed
        self._on_view = on_view
        self._on_wanted = on_wanted
        self._on_changes = on_changes
        self._on_fatal = on_fatal
        now = clock.monotonic()
        self.memories: dict[str, Memory] = {name: Memory(idle_since=now) for name in self._stations}
        self._overdue: deque[Callable[[], None]] = deque(maxlen=10_000)
        self._chores: deque[Callable[[], None]] = deque()
        self._compare_at: float | None = None
        self._facts_at = now
        self._ticked_at = now
        self._is_rechecking = False
        self._inbox: deque[Callable[[], None]] = deque()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="scan-path", daemon=True)
        self.beat = now
        """When the thread was last seen at work; a watchdog looks at it."""
        if ledger.journal is not None:
            self._compare_with_cache()

    # -- from other threads --------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Finish what is in the queue and mark what is delivered; the journal stays open. False: not within that time,
        as the storage hangs."""
        self.post(self._end)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def submit(self, station: str, scanner: str, frame: Frame) -> None:
        """Take a scan that comes from none of the watched devices."""
        self.post(partial(self._scan, station, scanner, frame))

    def tell(self, message: Callable[[], None]) -> None:
        """Have `message` run in this thread when no scan waits, or else behind the next one: a scan waits for one
        message at most, however many come."""
        self._chores.append(message)
        self._watch.wake()

    def post(self, task: Callable[[], None]) -> None:
        """Have `task` run in this thread, in its turn."""
        self._inbox.append(task)
        self._watch.wake()

    def await_done(self, task: Callable[[], None], timeout_s: float) -> None:
        """Have `task` run in this thread, in its turn, and wait for its end; where the thread does not run, do it."""
        if not self._thread.is_alive():
            task()
            return
        done = threading.Event()

        def do() -> None:
            try:
                task()
            finally:
                done.set()

        self.post(do)
        done.wait(timeout_s)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        come_first()
        try:
            for name in self._stations:
                self._show_station(name)
            self._tick()  # what changed while the kiosk was off comes before the first scan
            while not self._is_over or self._intake:
                self._turn()
            self._finish()
        except BaseException as exc:  # noqa: BLE001 - the composition root decides: it logs, and ends the process
            self._on_fatal(exc)

    def _turn(self) -> None:
        """At most one scan, one task and one message: none of them holds up the others."""
        scan = self._await_scan()
        if scan is not None:
            self._scan(*scan)
        if self._inbox:
            self._inbox.popleft()()
        if self._chores:
            self._chores.popleft()()
        elif self._is_rechecking and scan is None:
            self._is_rechecking = self.catalogue.recheck()
        if self._clock.monotonic() - self._ticked_at >= _TICK_S:
            self._tick()

    def _await_scan(self) -> tuple[str, str, Frame] | None:
        """The next scan; none if there is something else to do, or nothing for a while."""
        watch, intake = self._watch, self._intake
        watch.acquire()
        try:
            is_busy = intake or self._inbox or self._chores or self._is_rechecking
            watch.run_once(0.0 if is_busy else _TICK_S)
            return intake.next()
        finally:
            watch.release()

    def _end(self) -> None:
        self._is_over = True

    def _finish(self) -> None:
        self._write_refusals()
        self.ledger.finish()

    def _write_refusals(self) -> None:
        """Those of the last second that wait to be counted in with others."""
        for name, memory in self.memories.items():
            waiting = [burst.unwritten for burst in memory.bursts.values() if burst.unwritten is not None]
            if waiting and self.ledger.fault is None:
                desk = self._desk(name, self._clock.monotonic())
                for refusal in waiting:
                    desk.record(refusal)
                self._commit(desk.events, desk.state)

    # -- a scan --------------------------------------------------------------------------------------------------

    def _scan(self, station: str, scanner: str, frame: Frame) -> None:
        """One frame: decide, commit, adopt, signal; or `fault`, and everything stays as it was."""
        indicator = self._stations[station].indicator
        indicator.scan_seen()
        # Nothing is in doubt without a fault; where there is one, it may be over.
        if self.ledger.fault is not None and not (self._is_ready() and self.ledger.fault is None):
            self._signal_fault(station)
            return
        self._pass_time(station, frame.at)
        desk = self._desk(station, frame.at, scanner)
        decision = take(desk, frame, self.memories[station])
        # Folded before it is written: what cannot be folded must not come to the disk and be found there at each start.
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
            cache=self.catalogue,
            settings=self._settings,
            now=now,
            journal=journal_id,
            next_sequence=sequence + 1,
            position=position + 1,
            scanner=scanner,
        )

    def _commit(self, events: Iterable[Event], state: State) -> bool:
        """Write the events, flush, adopt the state they lead to. False: nothing is known to be on the disk."""
        if not self.ledger.write(tuple(events)):
            return False
        self.ledger.adopt(state)
        return True

    def _signal(self, station: str, reply: Reply) -> None:
        indicator = self._stations[station].indicator
        indicator.show(reply.signal, reply.reason, pending=reply.pending, monotonic_ns=self._clock.monotonic_ns())
        if reply.signal is Signal.FAULT and self.ledger.fault is None:
            indicator.clear_fault()  # REPEAT tells of one that is over: nothing else would end its light

    def _signal_fault(self, station: str) -> None:
        """The scan was not taken. It is not remembered either, so that reading it again is no bounce."""
        reply = Reply(signal=Signal.FAULT)
        self.memories[station].last = reply
        self._signal(station, reply)
        self._on_view(station)

    def _show_station(self, station: str) -> None:
        """Steady light, bar and view, after the signal."""
        indicator = self._stations[station].indicator
        indicator.steady(steady_of(self.ledger.state, station))
        indicator.bar(*bar_of(self.ledger.state, station))
        self._on_view(station)

    # -- time ----------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = self._clock.monotonic()
        self.beat = self._ticked_at = now
        self._is_rechecking = self.catalogue.recheck()
        if self._compare_at is not None and now >= self._compare_at:
            self._compare_at = None
            self._on_wanted(self.catalogue.to_fetch())
        changes = self.catalogue.take_changes()
        if changes:
            self._on_changes(changes)
        if changes or self._is_rechecking or now - self._facts_at >= _FACTS_S:
            self._look_up_facts(now)
        if not self._is_ready():
            return
        for station in self._stations:
            self._pass_time(station, now)
        while self._overdue and self.ledger.fault is None:
            self._overdue.popleft()()
        self.ledger.mark_when_idle(now)

    def _look_up_facts(self, now: float) -> None:
        self._facts_at = now
        operators = self.catalogue.operators
        self.facts = CacheFacts(
            missing=tuple(self.catalogue.missing_orders()[:100]),
            conflicts=self.catalogue.conflicts(),
            operators_revision=None if operators is None else operators.revision,
        )

    def _pass_time(self, station: str, now: float) -> None:
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
        """Whether a commit can be tried; shows what has changed by finding that out."""
        ledger = self.ledger
        journal, head, fault = ledger.journal, ledger.journal and ledger.journal.head, ledger.fault
        is_ready = ledger.settle()
        if ledger.journal is not journal:
            self._compare_with_cache()
        if ledger.journal is not None and ledger.journal.head != head:
            self._on_committed()
            for name in self._stations:
                self._show_station(name)
        if fault is not None and ledger.fault is None:
            for station in self._stations.values():
                station.indicator.clear_fault()
        return is_ready

    def _compare_with_cache(self) -> None:
        """The journal has just been opened: see to what the centre has said meanwhile."""
        # The cache may be gone or behind; what the journal knows of its orders is never older than their counts.
        for order in self.ledger.state.orders.values():
            self.catalogue.put_manifest(order.manifest)
            newer = self.catalogue.manifest(order.id)
            if newer is not None and newer.revision > order.manifest.revision:
                self._overdue.append(partial(self._revise, newer))
        if self.catalogue.operators is not None:
            self._overdue.append(partial(self._delist, frozenset(self.catalogue.operators.by_id)))
        self._overdue.append(self._abandon)

    # -- what the centre says ------------------------------------------------------------------------------------

    def take_manifest(self, manifest: Manifest, *, is_stored: bool) -> None:
        """A manifest has come: ignored if its revision is not higher, else in force at once."""
        in_force = self.catalogue.put_manifest(manifest, is_stored=is_stored)
        if in_force is not None:
            self._revise(in_force)

    def withdraw(self, order: str) -> None:
        withdrawn = self.catalogue.withdraw(order)
        if withdrawn is not None:
            self._revise(withdrawn)

    def take_operators(self, operators: Operators) -> None:
        if self.catalogue.put_operators(operators):
            self._delist(frozenset(operators.by_id))

    def take_boxes(self, boxes: BoxSizes) -> None:
        self.catalogue.put_boxes(boxes)

    def take_blocked(self, part: BlockedPart) -> None:
        self.catalogue.put_blocked(part)

    def take_order_index(self, index: OrderIndex) -> None:
        """Orders that a newer index lacks are withdrawn; what it names and is missing here is to be fetched, once
        the retained manifests that come with it have had their time."""
        self._chores.extend(partial(self.withdraw, order) for order in self.catalogue.put_order_index(index))
        self._compare_at = self._clock.monotonic() + _COMPARE_S

    def forget(self, orders: list[str]) -> None:
        """The details of these orders, closed for long, need not be kept."""
        self.ledger.adopt(forget(self.ledger.state, orders))

    def take_verdict(self, verdict: Verdict) -> None:
        self._when_ready(lambda desk: judge(desk, verdict))

    def _revise(self, manifest: Manifest) -> None:
        self._when_ready(lambda desk: revise(desk, manifest))

    def _delist(self, listed: frozenset[str]) -> None:
        def sign_out(desk: Desk) -> list[Alarm]:
            delist(desk, listed)
            return []

        self._when_ready(sign_out)

    def _abandon(self) -> None:
        """Stations that the configuration has no longer."""

        def sign_out(desk: Desk) -> list[Alarm]:
            abandon(desk, self._stations)
            return []

        self._when_ready(sign_out)

    def _when_ready(self, decide: Callable[[Desk], list[Alarm]]) -> None:
        """Decide and commit, now or, while the journal cannot be written, as soon as it can."""
        if not self._is_ready():
            self._overdue.append(lambda: self._when_ready(decide))
            return
        desk = self._desk(next(iter(self._stations)), self._clock.monotonic())
        alarms = decide(desk)
        if not desk.events:
            return
        if not self._commit(desk.events, desk.state):
            self._overdue.append(lambda: self._when_ready(decide))
            return
        self._on_committed()
        for station, reason in alarms:
            if station in self._stations:
                self._alarm(station, reason)
        for station in self._stations:
            self._show_station(station)

    def _alarm(self, station: str, reason: Reason) -> None:
        reply = Reply(signal=Signal.ALARM, reason=reason)
        self.memories[station].last = reply
        self._signal(station, reply)

    # -- delivery ------------------------------------------------------------------------------------------------

    def start_over(self, why: str) -> None:
        """The journal is an old copy: go on under a new journal id."""
        new = self.ledger.start_over() if self._is_ready() else None
        if new is None:
            self._overdue.append(lambda: self.start_over(why))
            return
        _log.error("the journal was an old copy and goes on under a new id", extra={"journal": new, "why": why})
        self._on_committed()
