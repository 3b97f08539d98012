"""Wait for a condition, with a deadline that only a defect reaches."""

import time
from collections.abc import Callable

__all__ = ["DEADLINE_S", "DaemonEnded", "wait_for"]

DEADLINE_S = 30.0
"""Long enough for the slowest machine: a test that reaches it has found a defect."""

_POLL_S = 0.01


class DaemonEnded(AssertionError):
    """The daemon exited before it gave the signal that the test waits for."""


def wait_for(condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Return as soon as `condition` is true. Raises AssertionError, naming `what`, at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"waited {deadline_s:.0f} s for {what}"
        time.sleep(_POLL_S)
