"""Wait for a condition, with a deadline that is reached only if something is wrong."""

import time
from collections.abc import Callable

__all__ = ["DEADLINE_S", "DaemonEnded", "wait_for"]

DEADLINE_S = 30.0
"""Long enough for the slowest machine: a test that reaches it has found a defect."""


class DaemonEnded(AssertionError):
    """The daemon exited before it gave the signal that the test waits for."""


def wait_for(condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S, poll_s: float = 0.01) -> None:
    """Return once `condition` is true; it is checked every `poll_s`. Raises AssertionError naming `what`."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"waited {deadline_s:.0f} s for {what}"
        time.sleep(poll_s)
