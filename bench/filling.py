"""Fill a journal as a kiosk without a network would leave it, faster than by scanning."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.contract.cloudevents import Envelope, document
from agent.contract.events import Rejected
from agent.contract.reasons import Reason
from agent.journal import Journal
from agent.runtime.clock import SystemClock
from agent.workflow.state import State
from agent.workflow.state_codec import encode_state
from bench.world import KIOSK, SITE

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["add", "commits", "fill", "marked"]

_CHECK_EVERY = 1000
_SEQUENCE = 123_456_789_012


def _no_flush(fd: "FileDescriptorLike") -> None:
    """Do nothing, in place of a flush."""


@contextmanager
def _unflushed() -> Iterator[None]:
    """Leave out flushes, and flush everything at the end. Nothing may be measured in here."""
    fsync, fdatasync = os.fsync, os.fdatasync
    os.fsync = os.fdatasync = _no_flush
    try:
        yield
    finally:
        os.fsync, os.fdatasync = fsync, fdatasync
        os.sync()


def _documents(journal: Journal) -> Iterator[bytes]:
    """Yield refused scans, which change no state; each is as long as a real one."""
    clock = SystemClock()
    envelope = Envelope(
        source=f"/kiosk/{SITE}/{KIOSK}",
        journal=journal.id,
        boot_id=clock.boot_id(),
        time=clock.utc_text(),
        uptime_ms=812_345,
        clock_synced=True,
    )
    refused = Rejected(
        station="1", by="E7", reason=Reason.UNKNOWN_CODE, code="490154203237510", seen=None, symbology=None,
        scanner="left", order=None,
    )  # fmt: skip
    parts = document(refused, envelope, _SEQUENCE).split(b"%012d" % _SEQUENCE)
    while True:
        yield (b"%012d" % (journal.last_sequence + 1)).join(parts)


def add(journal: Journal, events: int) -> None:
    """Append events, one a commit, with the checkpoints that housekeeping would have made."""
    state = encode_state(State())
    with _unflushed():
        for number, one in zip(range(events), _documents(journal), strict=False):
            journal.commit([one])
            if number % _CHECK_EVERY == 0 and journal.wants_checkpoint():
                journal.checkpoint(journal.last_position, state)


def commits(journal: Journal, count: int) -> list[float]:
    """Return the microseconds of `count` commits as a kiosk makes them, flush included."""
    journal.prepare()
    found = []
    for _, one in zip(range(count), _documents(journal), strict=False):
        began = time.perf_counter_ns()
        journal.commit([one])
        found.append((time.perf_counter_ns() - began) / 1e3)
    return found


def fill(state_dir: Path, events: int) -> None:
    """Make a journal of `events` events, none of them delivered, with a checkpoint at most a segment old."""
    with Journal.open(state_dir / "journal") as journal:
        add(journal, events)


def marked(state_dir: Path, position: int) -> None:
    """Mark everything up to `position` as delivered."""
    with Journal.open(state_dir / "journal") as journal:
        journal.mark(position)
        journal.flush_mark()
