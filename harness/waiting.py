"""How long a test waits for what must happen. Always for a condition; the deadline only ends what would hang."""

import time
from collections.abc import Callable

__all__ = ["DEADLINE_S", "DaemonEnded", "wait_for"]

DEADLINE_S = 30.0
"""Generous: it is met only by a defect, on the slowest machine too."""

_LOOK_AGAIN_S = 0.01


class DaemonEnded(AssertionError):
    """The daemon that should have answered has ended."""


def wait_for(condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Return when `condition` holds; AssertionError naming `what` at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"waited {deadline_s:.0f} s in vain for {what}"
        time.sleep(_LOOK_AGAIN_S)
