"""The scan path while the disk fails: what is shown, and what ends with the fault (`faults.md#disk-fault`)."""

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.catalogue.catalogue import Catalogue
from agent.contract.printed_codes import Verb, command_text
from agent.contract.signals import Signal
from agent.daemon.intake import ButtonSource, Intake
from agent.daemon.ledger import Ledger, Opened
from agent.daemon.scan_path import ScanPath
from agent.daemon.task_queue import TaskQueue
from agent.drivers.indicators.fake_indicator import FakeIndicator
from agent.errors import JournalFault
from agent.journal import Journal
from agent.runtime.clock import SystemClock
from agent.runtime.event_loop import EventLoop
from agent.scan import Frame
from agent.workflow.context import WorkflowRules
from agent.workflow.state import State
from harness.waiting import DEADLINE_S, wait_for
from tests.workflow.bench import imei

REPEAT = command_text(Verb.REPEAT)


class Bench:
    """A scan path with one station. While `broken`, its journal cannot be opened; `starved` is the reserve's answer."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.broken = True
        self.starved: Callable[[Journal], bool] = lambda journal: False
        self.indicator = FakeIndicator()
        self.fatal: list[BaseException] = []
        self.device_loop, intake = EventLoop(), Intake()
        self._take = intake.of("1", ButtonSource("left"))
        self.queue = TaskQueue(self.device_loop.wake)
        self.path = ScanPath(
            device_loop=self.device_loop,
            intake=intake,
            queue=self.queue,
            ledger=Ledger(
                open_journal=self._open,
                source="/kiosk/a/b",
                clock=SystemClock(),
                is_starved=lambda journal: self.starved(journal),
            ),
            catalogue=Catalogue(),
            badge_secret=b"secret",
            rules=WorkflowRules(),
            indicators={"1": self.indicator},
            clock=SystemClock(),
            on_committed=lambda: None,
            on_view=lambda station: None,
            on_wanted=lambda orders: None,
            on_changes=lambda changes: None,
            on_fatal=self.fatal.append,
        )

    def _open(self) -> Opened:
        if self.broken:
            raise JournalFault("read-only")
        return Opened(journal=Journal.open(self.directory), state=State())

    def scan(self, code: str, *, intact: bool = True) -> None:
        """Scan a code; return when its signal was shown."""
        before = len(self.indicator.shown)
        frame = Frame(data=code.encode(), intact=intact, at=SystemClock().monotonic())
        self.device_loop.call_soon_threadsafe(self._take, frame)
        wait_for(lambda: len(self.indicator.shown) > before, "a signal")

    def do(self, act: Callable[[], object]) -> None:
        """Have the scan path's thread do something between two scans; return when it is done."""
        done = threading.Event()
        self.queue.post(lambda _: act())
        self.queue.post(lambda _: done.set())
        assert done.wait(DEADLINE_S)

    def signals(self) -> list[Signal]:
        """Stop, and return the signals that were shown."""
        assert self.path.stop(DEADLINE_S)
        assert self.fatal == []
        return [shown.signal for shown in self.indicator.shown]

    def close(self) -> None:
        self.device_loop.close()
        self.path.ledger.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "journal")
    yield bench
    bench.close()


def test_fault_from_the_start_is_over_when_the_journal_opens(bench: Bench) -> None:
    assert bench.path.ledger.fault is not None, "the light was told of a fault before the thread ran"
    bench.broken = False
    bench.path.start()
    bench.scan("anything")
    assert bench.signals() == [Signal.REJECT]
    assert bench.path.ledger.fault is None
    assert bench.indicator.faults_cleared == 1


def test_fault_that_is_repeated_when_it_is_over_does_not_stay(bench: Bench) -> None:
    """Its red light stays until it is cleared, and nothing else would clear it."""
    bench.path.start()
    bench.scan("anything")
    bench.do(lambda: setattr(bench, "broken", False))
    bench.scan(REPEAT)
    assert bench.signals() == [Signal.FAULT, Signal.FAULT]
    assert bench.indicator.faults_cleared == 2


def test_fault_comes_before_unreadable(bench: Bench) -> None:
    """`workflow.md#first-failure-wins`"""
    bench.path.start()
    bench.scan("cut short", intact=False)
    bench.do(lambda: setattr(bench, "broken", False))
    bench.scan("cut short", intact=False)
    assert bench.signals() == [Signal.FAULT, Signal.REJECT]


def test_fault_that_is_repeated_while_it_lasts_stays(bench: Bench) -> None:
    bench.path.start()
    bench.scan("anything")
    bench.scan(REPEAT)
    assert bench.signals() == [Signal.FAULT, Signal.FAULT]
    assert bench.indicator.faults_cleared == 0


def test_disk_that_tells_nothing_of_its_space_is_a_fault_and_no_end(bench: Bench) -> None:
    def gone(journal: Journal) -> bool:
        raise JournalFault("no such directory")

    def works(journal: Journal) -> bool:
        return False

    bench.broken = False
    bench.path.start()
    bench.scan("one")
    bench.do(lambda: setattr(bench, "starved", gone))
    bench.scan("two")
    bench.scan("three")
    bench.do(lambda: setattr(bench, "starved", works))
    bench.scan("four")
    assert bench.signals() == [Signal.REJECT, Signal.FAULT, Signal.FAULT, Signal.REJECT]


def test_every_refusal_is_in_the_journal_when_the_kiosk_stops(bench: Bench) -> None:
    """`mqtt.md#counted-refusals`: the event that counts them is written at the stop."""
    bench.broken = False
    bench.path.start()
    for number in range(9):
        bench.scan(imei(number))
    assert bench.signals() == [Signal.REJECT] * 9
    assert bench.path.ledger.journal is not None
    with bench.path.ledger.journal.reader(0) as reader:
        refused = [json.loads(event.document)["data"] for event in reader.read(100)]
    assert sum(one["count"] for one in refused) == 9
    assert len(refused) < 9
    assert refused[-1]["code"] == imei(8)


def test_a_rolled_back_journal_gets_one_new_id_however_often_it_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mqtt.md#rolled-back-journal`: the reports wait for the disk, and are about the id that was in use."""
    bench.broken = False
    bench.path.start()
    bench.scan("one")
    journal = bench.path.ledger.journal
    assert journal is not None
    old, flush = journal.id, os.fdatasync

    def failing(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", failing)
    for _ in range(5):
        bench.queue.post(lambda path: path.start_over(old))
    bench.scan("two")
    monkeypatch.setattr(os, "fdatasync", flush)
    wait_for(lambda: journal.id != old, "the new id")
    bench.queue.post(lambda path: path.start_over(old))
    bench.scan("three")
    assert bench.signals() == [Signal.REJECT, Signal.FAULT, Signal.REJECT]
    assert journal.ids == (old, journal.id)
