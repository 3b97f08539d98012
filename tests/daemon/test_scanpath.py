"""The scan path while its storage fails: what is shown, and what ends with the fault."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.catalogue.catalogue import Catalogue
from agent.contract.printed_codes import Verb, command_text
from agent.contract.signals import Signal
from agent.daemon.health import DeviceHealth, Rate, Sources, health_of
from agent.daemon.intake import Intake
from agent.daemon.ledger import Ledger, Opened
from agent.daemon.machine import LastRun
from agent.daemon.scanpath import CacheFacts, ScanPath, Station
from agent.drivers.indicators.fake_indicator import FakeIndicator
from agent.errors import JournalFault
from agent.journal import Journal
from agent.runtime.clock import SystemClock
from agent.runtime.event_loop import EventLoop
from agent.scan import Frame
from agent.uplink.uplink_health import Situation, UplinkHealth
from agent.workflow.context import Settings
from agent.workflow.state import State

REPEAT = command_text(Verb.REPEAT)


class Bench:
    """A scan path with one station; `broken` says whether its journal can be opened, `starved` what the disk says."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.broken = True
        self.starved: Callable[[Journal], bool] = lambda journal: False
        self.indicator = FakeIndicator()
        self.fatal: list[BaseException] = []
        self.watch = EventLoop()
        self.path = ScanPath(
            watch=self.watch,
            intake=Intake(),
            ledger=Ledger(
                opened=None,
                open_journal=self._open,
                source="/kiosk/a/b",
                clock=SystemClock(),
                is_starved=lambda journal: self.starved(journal),
            ),
            catalogue=Catalogue(),
            settings=Settings(),
            stations=[Station(id="1", indicator=self.indicator)],
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

    def scan(self, code: str) -> None:
        self.path.submit("1", "left", Frame(data=code.encode(), intact=True, at=SystemClock().monotonic()))

    def signals(self) -> list[Signal]:
        """What was shown, once all that was handed in is done."""
        assert self.path.stop(60)
        assert self.fatal == []
        return [shown.signal for shown in self.indicator.shown]

    def close(self) -> None:
        self.watch.close()
        if self.path.ledger.journal is not None:
            self.path.ledger.journal.close()


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
    """Its light is red until cleared, and nothing else would clear it."""
    bench.path.start()
    bench.scan("anything")
    bench.path.post(lambda: setattr(bench, "broken", False))
    bench.scan(REPEAT)
    assert bench.signals() == [Signal.FAULT, Signal.FAULT]
    assert bench.indicator.faults_cleared == 2


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
    bench.path.post(lambda: setattr(bench, "starved", gone))
    bench.scan("two")
    bench.scan("three")
    bench.path.post(lambda: setattr(bench, "starved", works))
    bench.scan("four")
    assert bench.signals() == [Signal.REJECT, Signal.FAULT, Signal.FAULT, Signal.REJECT]


def test_health_is_told_without_the_space_of_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    clock = SystemClock()
    with Journal.open(tmp_path / "journal") as journal:
        shutil.rmtree(tmp_path / "journal")
        health = health_of(
            Sources(
                clock=clock,
                started=clock.monotonic(),
                last_run=LastRun(cause="none", restarts=0),
                config_hash="0",
                scanners=[],
                indicators=[DeviceHealth(station="1", name="indicator", driver="none", connected=True, detail="")],
                uplink=UplinkHealth(
                    situation=Situation(),
                    backlog=0,
                    sent=0,
                    acked=0,
                    last_sequence=0,
                    acked_sequence=0,
                    refused=0,
                    refusals=0,
                ),
                oldest_utc=None,
                journal=journal,
                journal_fault="no such directory",
                commit_s=[],
                rate=Rate(),
                reserve_bytes=0,
                catalogue=CacheFacts(),
                errors=[],
            )
        )
    assert health["journal"]["free_bytes"] is None
    assert health["journal"]["time_to_full_s"] is None
    assert health["journal"]["fault"] == "no such directory"


def test_every_refusal_is_in_the_journal_when_the_kiosk_stops(bench: Bench) -> None:
    """Beyond five a second from one scanner they are counted into one event, which must not be lost with the stop."""
    bench.broken = False
    bench.path.start()
    for number in range(9):
        bench.scan(f"unknown {number}")
    assert bench.signals() == [Signal.REJECT] * 9
    assert bench.path.ledger.journal is not None
    with bench.path.ledger.journal.reader(0) as reader:
        refused = [json.loads(event.document)["data"] for event in reader.read(100)]
    assert sum(one["count"] for one in refused) == 9
    assert len(refused) < 9
    assert refused[-1]["code"] == "unknown 8"
