"""Journal and state in step: what is adopted, what is a fault, and how a fault ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.contract.cloudevents import document
from agent.contract.events import Cause, SignedIn
from agent.daemon.ledger import Ledger, Opened, open_state
from agent.errors import JournalBusy, JournalDamaged, JournalFault, JournalOfAnotherVersion
from agent.journal import Journal
from agent.runtime.clock import FakeClock
from agent.workflow.state import State
from agent.workflow.state_codec import encode_state

EVENT = SignedIn(station="1", operator="E7", cause=Cause.BADGE)


class Disk:
    """Opens the journal, unless it has an error to raise instead. `is_full` is what the reserve says."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.error: Exception | None = None
        self.is_full = False

    def open(self) -> Opened:
        if self.error is not None:
            raise self.error
        return open_state(self.directory)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "journal")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(disk: Disk, clock: FakeClock) -> Iterator[Ledger]:
    ledger = Ledger(open_journal=disk.open, source="/kiosk/a/b", clock=clock, is_starved=lambda _: disk.is_full)
    yield ledger
    ledger.close()


def journal_of(ledger: Ledger) -> Journal:
    assert ledger.journal is not None
    return ledger.journal


def test_open_makes_a_journal_and_an_empty_state(ledger: Ledger) -> None:
    with ledger:
        assert ledger.fault is None
        assert ledger.state == State()
        assert ledger.published == (0, State())


@pytest.mark.parametrize("error", [JournalBusy("in use"), JournalDamaged("/x", 7, "bad record")])
def test_a_journal_in_use_or_damaged_is_no_start(ledger: Ledger, disk: Disk, error: Exception) -> None:
    """`faults.md#damaged-journal`"""
    disk.error = error
    with pytest.raises(type(error)), ledger:
        pass


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        (b"kiosk.operator.signed_in.v1", b"kiosk.operator.signed_up.v1", "kiosk.operator.signed_up.v1"),
        (b'"cause":"badge"', b'"cause":"face1"', "face1"),
        (b'"cause":"badge"', b'"shift":"night"', "shift"),
    ],
    ids=["an event type", "a value", "a field"],
)
def test_what_a_later_version_has_written_is_refused_and_left_alone(
    ledger: Ledger, disk: Disk, monkeypatch: pytest.MonkeyPatch, was: bytes, becomes: bytes, named: str
) -> None:
    """`faults.md#another-version`"""
    write = document
    monkeypatch.setattr("agent.daemon.ledger.document", lambda *args: write(*args).replace(was, becomes))
    with ledger:
        assert ledger.write((EVENT,))
    (segment,) = disk.directory.glob("*.seg")
    with segment.open("r+b") as file:
        file.seek(-16, 2)
        file.write(b"an unfinished wr")
    before = segment.read_bytes()
    with pytest.raises(JournalOfAnotherVersion, match=named):
        open_state(disk.directory)
    assert segment.read_bytes() == before


def test_a_state_of_another_format_is_refused(ledger: Ledger, disk: Disk) -> None:
    """`faults.md#another-version`"""
    with ledger:
        assert ledger.write((EVENT,))
        journal_of(ledger).checkpoint(1, encode_state(State()).replace(b'"format":1', b'"format":2'))
    with pytest.raises(JournalOfAnotherVersion, match="its state has format 2; this program understands format 1"):
        open_state(disk.directory)


def test_a_disk_that_does_not_work_is_a_fault_that_ends_with_it(ledger: Ledger, disk: Disk) -> None:
    """`commands.md#start-with-a-full-disk`, `faults.md#disk-fault`"""
    disk.error = JournalFault("read-only file system")
    with ledger:
        assert ledger.fault == "read-only file system"
        assert not ledger.settle()
        assert not ledger.write((EVENT,))
        disk.error = None
        assert ledger.settle()
        assert ledger.fault is None
        assert ledger.write((EVENT,))


def test_written_events_are_the_state_after_the_next_start(ledger: Ledger, disk: Disk, clock: FakeClock) -> None:
    """`workflow.md#restart-keeps-the-state`"""
    with ledger:
        assert ledger.write((EVENT,))
        assert list(ledger.commit_s) == [0.0]
    again = Ledger(open_journal=disk.open, source="/kiosk/a/b", clock=clock, is_starved=lambda _: False)
    with again:
        assert again.state.station("1").operator == "E7"
        assert again.published == (1, again.state)


def test_a_full_disk_takes_nothing_and_says_why(ledger: Ledger, disk: Disk) -> None:
    """`mqtt.md#disk-reserve`"""
    with ledger:
        disk.is_full = True
        assert not ledger.write((EVENT,))
        assert ledger.fault == "the disk is full up to its reserve"
        assert journal_of(ledger).last_position == 0
        ledger.settle()
        assert ledger.fault is not None, "it is full still"
        disk.is_full = False
        ledger.settle()
        assert ledger.fault is None


def test_delivered_is_marked_after_a_while_without_commits(ledger: Ledger, clock: FakeClock) -> None:
    with ledger:
        assert ledger.write((EVENT,))
        ledger.set_delivered(1)
        ledger.mark_when_idle(clock.monotonic() + 4.0)
        assert journal_of(ledger).delivered == 0
        ledger.mark_when_idle(clock.monotonic() + 6.0)
        assert journal_of(ledger).delivered == 1


def test_finish_marks_at_once(ledger: Ledger) -> None:
    with ledger:
        assert ledger.write((EVENT,))
        ledger.set_delivered(1)
        ledger.finish()
        assert journal_of(ledger).delivered == 1


def test_start_over_gives_a_new_id(ledger: Ledger, disk: Disk) -> None:
    """`mqtt.md#rolled-back-journal`"""
    disk.error = JournalFault("read-only")
    with ledger:
        assert ledger.start_over() is None
        disk.error = None
        ledger.settle()
        before = journal_of(ledger).id
        after = ledger.start_over()
        assert after == journal_of(ledger).id != before


def test_events_that_this_version_does_not_understand_are_damage(disk: Disk) -> None:
    with Journal.open(disk.directory) as journal:
        journal.commit([b'{"type":"kiosk.operator.signed_in.v1","data":{"operator":7}}'])
    with pytest.raises(JournalDamaged, match="does not understand"):
        open_state(disk.directory)
    with Journal.open(disk.directory) as journal:
        assert journal.last_position == 1, "it is not locked, and left as it is"
