"""The retained views (`health`, `station/1`): only the newest of each is published, not too often, and behind events.

Pure, but `put` may be called from any thread while the uplink's thread calls the rest.
"""

import math
from collections.abc import Callable

from msgspec import Struct

from agent.uplink.uplink_settings import Timing

__all__ = ["Payload", "RetainedView", "RetainedViews"]

Payload = bytes | Callable[[int], bytes]


class RetainedView(Struct, frozen=True, eq=False):
    """One state of a view. `at` is the monotonic time when it was put. Compared by identity.

    A `payload` that carries the number of the connection is a function of that number: the same state is published
    again by later connections.
    """

    suffix: str
    payload: Payload
    expiry_s: int | None
    at: float


class RetainedViews:
    """The newest state of each view, and which of them this connection has published.

    (`mqtt.md#station-view`, `mqtt.md#health`)
    """

    def __init__(self, *, timing: Timing) -> None:
        self._timing = timing
        self._newest: dict[str, RetainedView] = {}
        self._published: dict[str, tuple[RetainedView, float]] = {}

    def put(self, view: RetainedView) -> None:
        """Make this the newest state of its view. One assignment, so any thread may call it."""
        self._newest[view.suffix] = view

    def forget_published(self) -> None:
        """Publish everything again: there is a new connection."""
        self._published.clear()

    def due(self, now: float, *, behind_events: bool) -> list[RetainedView]:
        """Return what to publish now. With `behind_events` (events could go first) only what has waited too long."""
        return [view for view in list(self._newest.values()) if self._due_at(view, behind_events) <= now]

    def published(self, view: RetainedView, now: float) -> None:
        """Note that `view` was published on this connection."""
        self._published[view.suffix] = (view, now)

    def deadline(self, *, behind_events: bool) -> float:
        """Return when the next view is due; infinity if none waits."""
        return min((self._due_at(view, behind_events) for view in list(self._newest.values())), default=math.inf)

    def _due_at(self, view: RetainedView, behind_events: bool) -> float:
        due = view.at + self._timing.view_patience_s if behind_events else view.at
        if view.suffix in self._published:
            last, at = self._published[view.suffix]
            if last is view:
                return math.inf
            due = max(due, at + self._timing.view_interval_s)
        return due
