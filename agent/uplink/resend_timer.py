"""When to send events again that no ack covers. Pure; time is handed in."""

import math

__all__ = ["ResendTimer"]


class ResendTimer:
    """Runs while events are published and not covered. Its interval doubles with every repetition.

    Progress resets the interval to `first_s`. It never exceeds the larger of `first_s` and `max_s`.
    (`mqtt.md#unacknowledged-events`)
    """

    def __init__(self, *, first_s: float, max_s: float) -> None:
        self._first_s = first_s
        self._max_s = max(first_s, max_s)
        self._interval_s = first_s
        self._since = math.inf

    @property
    def due(self) -> float:
        """When to send again; infinity while the timer does not run."""
        return self._since + self._interval_s

    def start(self, now: float) -> None:
        """Start the timer. No-op while it runs."""
        self._since = min(self._since, now)

    def stop(self) -> None:
        """Stop the timer and keep the interval."""
        self._since = math.inf

    def repeat(self, now: float) -> None:
        """Restart the timer with twice the interval, because everything uncovered is sent again."""
        self._since = now
        self._interval_s = min(self._interval_s * 2, self._max_s)

    def reset(self) -> None:
        """Stop the timer and go back to the first interval, because an ack has covered something."""
        self._since = math.inf
        self._interval_s = self._first_s
