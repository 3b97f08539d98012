"""How long to stay away between two connections. Pure; time and chance are handed in."""

from collections.abc import Callable

from agent.uplink.uplink_settings import Timing

__all__ = ["Backoff"]


class Backoff:
    """Full jitter: anything up to a ceiling that doubles, so that a fleet does not come back all at once."""

    def __init__(self, *, timing: Timing, random: Callable[[], float]) -> None:
        self._timing = timing
        self._random = random
        self._attempts = 0

    def next_s(self) -> float:
        """How long to wait now."""
        ceiling_s = min(self._timing.backoff_max_s, self._timing.backoff_s * 2.0**self._attempts)
        self._attempts = min(self._attempts + 1, 30)
        return self._random() * ceiling_s

    def reset(self) -> None:
        """A connection has proved itself."""
        self._attempts = 0
