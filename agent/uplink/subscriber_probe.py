"""Find out whether the broker has a subscriber for our events again. Pure; time is handed in."""

import math

__all__ = ["SubscriberProbe"]


class SubscriberProbe:
    """After "no subscriber", one event at a time is published at growing intervals until the broker accepts one.

    Only with `confirm = "broker"`. (`mqtt.md#broker-confirmation`)
    """

    def __init__(self, *, first_s: float, max_s: float) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._wait_s = first_s
        self.due = math.inf
        """When to publish the next probe; infinity if no probe is due."""
        self.is_running = False
        """Whether a probe was published and is not yet answered: nothing else may go out."""

    def no_subscriber(self, now: float) -> None:
        """Schedule a probe. No-op if one is scheduled."""
        if self.due == math.inf:
            self.due = now + self._wait_s
            self._wait_s = min(self._wait_s * 2, self._max_s)

    def begin(self) -> None:
        """The probe goes out now."""
        self.due = math.inf
        self.is_running = True

    def succeeded(self) -> None:
        """The broker accepted an event."""
        self.is_running = False
        self._wait_s = self._first_s

    def cancel(self) -> None:
        """Forget a scheduled or running probe: there is a new connection."""
        self.due = math.inf
        self.is_running = False
