"""The standing subscriptions: which the broker refuses, and when to ask for those again. Pure; time is handed in."""

import math
from collections.abc import Sequence

from agent.uplink.uplink_settings import Timing

__all__ = ["Subscriptions"]

UNANSWERED = "no answer"
"""What a SUBACK says about a filter for which it has no code."""


class Subscriptions:
    """What one connection has asked the broker for. A refused filter is asked for again, with back-off.

    `standing` are the filters that must be granted; others are single orders. (`mqtt.md#refused-subscription`)
    """

    def __init__(self, standing: Sequence[str], *, timing: Timing) -> None:
        self._standing = frozenset(standing)
        self._timing = timing
        self._asked: dict[int, tuple[tuple[str, ...], float]] = {}
        self._refused: dict[str, str] = {}
        self._refused_since: dict[str, float] = {}
        self._wait_s = timing.retry_s
        self.due = math.inf
        """When to ask again for what is refused; infinity if nothing is."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The standing subscriptions that are refused, each with the reason."""
        return tuple(f"{one}: {reason}" for one, reason in self._refused.items())

    def asked(self, token: int, filters: Sequence[str], now: float) -> None:
        """The filters were subscribed to as `token`."""
        self._asked[token] = (tuple(filters), now)

    def answered(self, token: int, refused: Sequence[str | None], now: float) -> list[tuple[str, str]]:
        """Process a SUBACK: for each filter None, or why it was refused.

        Return the refused filters that were not known to be refused for this reason, and the reasons.
        """
        filters, _ = self._asked.pop(token, ((), now))
        news = []
        for place, one in enumerate(filters):
            reason = refused[place] if place < len(refused) else UNANSWERED
            if reason is not None and self._refused.get(one) != reason:
                news.append((one, reason))
            if one in self._standing:
                self._note(one, reason, now)
        if self._standing.intersection(filters):
            self._schedule(now)
        return news

    def take_due(self, now: float) -> tuple[str, ...]:
        """Return the filters to ask for again now."""
        if now < self.due:
            return ()
        self.due = math.inf
        return tuple(self._refused)

    def refused_since(self, one: str) -> float:
        """Return since when the broker has refused a standing subscription; infinity if it does not."""
        return self._refused_since.get(one, math.inf)

    def unanswered_since(self) -> float:
        """Return when the oldest SUBSCRIBE was sent that the broker has not answered; infinity if there is none."""
        return min((asked_at for _, asked_at in self._asked.values()), default=math.inf)

    def _note(self, one: str, reason: str | None, now: float) -> None:
        if reason is None:
            self._refused.pop(one, None)
            self._refused_since.pop(one, None)
        else:
            self._refused[one] = reason
            self._refused_since.setdefault(one, now)

    def _schedule(self, now: float) -> None:
        if not self._refused:
            self.due = math.inf
            self._wait_s = self._timing.retry_s
        elif self.due == math.inf:
            self.due = now + self._wait_s
            self._wait_s = min(self._wait_s * 2, self._timing.retry_max_s)
