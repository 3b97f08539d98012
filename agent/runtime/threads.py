"""Which threads come first at Python's lock.

A thread that finds the lock taken waits for the switch interval and then has its holder let go. The kernel lets such a
wait end late, by up to the thread's timer slack (prctl(2), 50 us unless told otherwise). So with a short interval the
slack is what decides: next to none for the threads that a scan goes through, much for those that work beside it.
"""

import sys
from ctypes import CDLL, c_ulong

__all__ = ["come_first", "give_way", "share_in_turns"]

_SWITCH_S = 50e-6
_PR_SET_TIMERSLACK = 29
_FIRST_NS = 1
_PATIENT_NS = 1_000_000


def share_in_turns() -> None:
    """Make the lock's turns short, for all threads of the process."""
    sys.setswitchinterval(_SWITCH_S)


def come_first() -> None:
    """The calling thread waits for the lock as shortly as can be."""
    _set_slack(_FIRST_NS)


def give_way() -> None:
    """The calling thread lets others keep the lock for about a millisecond. All its waiting ends so much later."""
    _set_slack(_PATIENT_NS)


def _set_slack(nanoseconds: int) -> None:
    if sys.platform == "linux":
        CDLL(None).prctl(_PR_SET_TIMERSLACK, c_ulong(nanoseconds), c_ulong(0), c_ulong(0), c_ulong(0))
