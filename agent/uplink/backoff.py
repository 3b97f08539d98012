"""How long to wait between two connection attempts. Pure; the random numbers are handed in."""

from collections.abc import Callable

from agent.uplink.uplink_settings import Timing

__all__ = ["Backoff"]


class Backoff:
    """Full jitter under a doubling ceiling, so that a fleet does not reconnect all at once. (`mqtt.md#reconnect`)"""

    def __init__(self, *, timing: Timing, random: Callable[[], float]) -> None:
        self._timing = timing
        self._random = random
        self._attempts = 0

    def next_s(self) -> float:
        """Return how long to wait now, in seconds."""
        ceiling_s = min(self._timing.backoff_max_s, self._timing.backoff_s * 2.0**self._attempts)
        self._attempts = min(self._attempts + 1, 30)
        return self._random() * ceiling_s

    def reset(self) -> None:
        """Start again from the first ceiling: a connection has proved good."""
        self._attempts = 0
