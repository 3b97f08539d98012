"""A scripted day through the whole scan path, with a power cut after every write that its journal does to the disk.

On every disk that the cut could leave: what was signalled is there, nothing is there in part, the sequence has no gap,
the state is the fold of the events, and the day goes on from it.
"""

import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.catalogue import Catalogue
from agent.contract.manifest import Manifest
from agent.contract.printed_codes import Verb, command_text
from agent.contract.signals import Signal
from agent.daemon.intake import ButtonSource, Intake
from agent.daemon.ledger import Ledger, Opened
from agent.daemon.scan_path import ScanPath
from agent.daemon.task_queue import TaskQueue
from agent.drivers.indicators.fake_indicator import FakeIndicator
from agent.journal import Journal
from agent.runtime.clock import FakeClock
from agent.runtime.event_loop import EventLoop
from agent.scan import Frame
from agent.workflow.context import WorkflowRules
from agent.workflow.replay import replay
from agent.workflow.state import State
from agent.workflow.state_codec import decode_state, encode_state
from harness.waiting import DEADLINE_S, wait_for
from tests.journal.disk import Disk, lay_out
from tests.journal.samples import events_in
from tests.workflow.bench import BADGES, Bench, imei, line

SEGMENT = 8192
"""Small, so that the day fills several segments."""

TORN = 16
"""How many disks are tried after each step that kept only a part of what was not flushed."""

Image = dict[str, bytes]


def do(verb: str, argument: str = "") -> str:
    return command_text(Verb(verb), argument)


def day() -> list[str]:
    """Return what an operator scans, with what housekeeping does in between, in angle brackets."""
    units = [imei(number) for number in range(1, 13)]
    return [
        BADGES["E7"], "SO-1", do("ROLE", "PACK"), BADGES["E8"],
        *units[:4], units[0], "no such thing", "<prepare>",
        do("QTY", "3"), "CASE", do("UNDO"), do("QTY", "3"), "CASE",
        do("SAVE"), do("CANCEL"), do("REMOVE"), units[3], units[3], "<checkpoint>",
        do("SAVE"), do("BOX", "M"), do("SAVE"), "<delivered>",
        *units[4:8], do("UNDO"), "<prepare>", do("CANCEL"), do("CANCEL"), *units[4:8],
        "<restart>", do("SAVE"), do("SAVE"), do("UNDO"), do("SAVE"), "<start over>",
        *units[8:10], do("SAVE"), do("SAVE"), do("PACK"), BADGES["E8"], do("CONFIRM"), "<delivered>",
        "SO-2", units[10], "<checkpoint>", "<prune>", units[11], do("CLOSE"), "<prepare>", do("OUT"),
    ]  # fmt: skip


def opened(directory: Path) -> Opened:
    journal = Journal.open(directory, segment_bytes=SEGMENT)
    snapshot = journal.snapshot_state
    state = State() if snapshot is None else decode_state(snapshot, Manifest.from_source)
    return Opened(journal=journal, state=replay(state, journal.replay()))


def catalogue() -> Catalogue:
    bench = Bench()
    bench.order("SO-1", line("1", "PHONE", 10, tacs=["35000000"]), line("2", "CASE", 3, serialized=False))
    bench.order("SO-2", line("1", "PHONE", 2, tacs=["35000000"]))
    return bench.catalogue


@dataclass
class ScanPathKiosk:
    """A scan path on a real journal, with a fake clock and light. `states` has the state after each signal."""

    directory: Path
    clock: FakeClock = field(default_factory=FakeClock)
    light: FakeIndicator = field(default_factory=FakeIndicator)
    failures: list[BaseException] = field(default_factory=list)
    states: list[State] = field(default_factory=lambda: [State()])

    def start(self) -> None:
        self.device_loop, intake = EventLoop(), Intake()
        self.take = intake.of("1", ButtonSource("left"))
        self.queue = TaskQueue(self.device_loop.wake)
        ledger = Ledger(
            open_journal=lambda: opened(self.directory),
            source="/kiosk/rtm1/dock-3",
            clock=self.clock,
            is_starved=lambda _: False,
        )
        ledger.open()
        self.path = ScanPath(
            device_loop=self.device_loop,
            intake=intake,
            queue=self.queue,
            ledger=ledger,
            catalogue=catalogue(),
            badge_secret=b"secret",
            rules=WorkflowRules(),
            indicators={"1": self.light},
            clock=self.clock,
            on_committed=lambda: None,
            on_view=lambda _: None,
            on_wanted=lambda _: None,
            on_changes=lambda _: None,
            on_fatal=self.failures.append,
        )
        self.path.start()

    def stop(self) -> None:
        assert self.path.stop(DEADLINE_S)
        self.device_loop.close()
        self.path.ledger.close()

    @property
    def journal(self) -> Journal:
        assert self.path.ledger.journal is not None
        return self.path.ledger.journal

    def scan(self, code: str) -> Signal:
        """Scan one code; return its signal once the scan path is done with it."""
        self.clock.advance(1.0)
        before = len(self.light.shown)
        frame = Frame(data=code.encode(), intact=True, at=self.clock.monotonic())
        self.device_loop.call_soon_threadsafe(self.take, frame)
        wait_for(lambda: len(self.light.shown) > before or bool(self.failures), "a signal")
        self.settle()
        self.states.append(self.path.ledger.state)
        return self.light.shown[-1].signal

    def settle(self) -> None:
        done: list[None] = []
        self.queue.post(lambda _: done.append(None))
        wait_for(lambda: bool(done or self.failures), "the thread")
        assert not self.failures

    def keep(self, what: str) -> None:
        """Do what housekeeping does, or restart."""
        journal = self.journal
        if what == "<prepare>":
            journal.prepare()
        elif what == "<checkpoint>":
            journal.checkpoint(journal.last_position, encode_state(self.path.ledger.state))
        elif what == "<delivered>":
            self.path.ledger.delivered = journal.last_position
        elif what == "<prune>":
            assert journal.prune(age_s=0, keep_s=0, pinned=[]) > 0
        elif what == "<start over>":
            self.queue.post(lambda path: path.start_over(path.ledger.journal.id if path.ledger.journal else ""))
            self.settle()
        else:
            self.stop()
            self.start()


Lived = tuple[ScanPathKiosk, list[tuple[Image, int]]]
"""A kiosk after its day, and each disk that a cut could leave with the number of signals given before."""


def live_through(kiosk: ScanPathKiosk) -> None:
    kiosk.start()
    for one in day():
        if one.startswith("<"):
            kiosk.keep(one)
        else:
            kiosk.scan(one)
    kiosk.stop()


def facts_of(journal: Journal) -> list[dict[str, Any]]:
    return [json.loads(event.document) for event in events_in(journal)]


def check(directory: Path, kiosk: ScanPathKiosk, signalled: int) -> None:
    """Check the journal of a disk that was left after `signalled` signals."""
    found = opened(directory)
    try:
        # The commit of the next scan may have reached the disk before its signal was given.
        assert found.state in kiosk.states[signalled : signalled + 2]
        sequences: dict[str, list[int]] = {}
        for fact in facts_of(found.journal):
            sequences.setdefault(fact["id"][:8], []).append(int(fact["sequence"]))
        first = True
        for numbers in sequences.values():
            # Pruning leaves whole segments out, at the beginning.
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            assert first or numbers[0] == 1
            first = False
    finally:
        found.journal.close()


@pytest.fixture
def unflushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    monkeypatch.setattr(os, "fdatasync", lambda _fd: None)


@pytest.fixture
def lived(tmp_path: Path, unflushed: None, monkeypatch: pytest.MonkeyPatch) -> Lived:
    """Live through the day, and collect each disk that a cut could leave."""
    directory = tmp_path / "journal"
    directory.mkdir()
    kiosk = ScanPathKiosk(directory)
    left: list[tuple[Image, int]] = []
    seen: set[int] = set()
    chance = random.Random(11)

    def step() -> None:
        for image in disk.cuts(chance, TORN):
            key = hash((*image.items(), len(kiosk.light.shown)))
            if key not in seen:
                seen.add(key)
                left.append((image, len(kiosk.light.shown)))

    with monkeypatch.context() as patch:
        disk = Disk(directory, patch, step)
        live_through(kiosk)
    return kiosk, left


def images(left: list[tuple[Image, int]], directory: Path) -> Iterator[int]:
    """Lay out one disk after the other; yield the number of signals given before the cut."""
    for image, signalled in left:
        lay_out(image, directory)
        yield signalled
        shutil.rmtree(directory)


def test_the_day_is_a_day(lived: Lived) -> None:
    """The script meets the signals, the restart and the pruning that it is meant to meet."""
    kiosk, _ = lived
    kinds = {shown.signal for shown in kiosk.light.shown}
    assert kinds >= {
        Signal.OK, Signal.AGAIN, Signal.REJECT, Signal.PROMPT, Signal.REMOVED, Signal.BOXED, Signal.SAVED,
        Signal.LINE_DONE, Signal.CONFIRMED,
    }  # fmt: skip
    with Journal.open(kiosk.directory, segment_bytes=SEGMENT) as journal:
        assert len(journal.ids) == 2
        assert journal.pruned
        assert journal.table.segments[-1].index > 3


def test_power_cut_after_every_step_of_a_day(lived: Lived, tmp_path: Path) -> None:
    """`faults.md#power-cut`, `signals.md#success-means-on-disk`, `mqtt.md#event-ids-and-sequence`"""
    kiosk, left = lived
    for signalled in images(left, tmp_path / "image"):
        check(tmp_path / "image", kiosk, signalled)
    print(f"{len(left)} disks")
    assert len(left) > 300


def test_the_day_goes_on_after_a_power_cut(lived: Lived, tmp_path: Path) -> None:
    """On a sample of the disks, the next scan is taken and changes no count (`workflow.md#restart-keeps-the-state`)."""
    kiosk, left = lived
    sample = random.Random(3).sample(left, 12)
    for signalled in images(sample, tmp_path / "image"):
        again = ScanPathKiosk(tmp_path / "image")
        again.start()
        try:
            before, state = again.journal.last_position, again.path.ledger.state
            assert state in kiosk.states[signalled : signalled + 2]
            assert again.scan(BADGES["E9"]) is Signal.OK
            assert again.journal.last_position > before
            assert again.path.ledger.state.orders == state.orders, "a takeover counts nothing"
        finally:
            again.stop()
