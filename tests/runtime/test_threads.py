"""Who comes first at Python's lock."""

import sys
import threading
from collections.abc import Callable, Iterator
from ctypes import CDLL

import pytest

from agent.runtime.threads import come_first, give_way, share_in_turns

PR_GET_TIMERSLACK = 30

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="timer slack is Linux's")


def slack_after(change: Callable[[], None]) -> int:
    """A fresh thread's timer slack in nanoseconds, once it has called `change`."""
    found = []

    def ask() -> None:
        change()
        found.append(int(CDLL(None).prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def _interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_the_threads_of_a_scan_wait_shorter_for_the_lock_than_any_other() -> None:
    assert slack_after(come_first) < slack_after(lambda: None) < slack_after(give_way)


def test_a_thread_changes_nobody_elses_patience() -> None:
    before = slack_after(lambda: None)
    slack_after(give_way)
    assert slack_after(lambda: None) == before


@pytest.mark.usefixtures("_interval")
def test_turns_at_the_lock_are_shorter_than_the_usual_slack() -> None:
    share_in_turns()
    assert sys.getswitchinterval() * 1e9 < slack_after(lambda: None)
