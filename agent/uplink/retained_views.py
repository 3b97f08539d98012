"""The retained views (`health`, `station/1`): of each only the newest goes out, at most five a second, behind events.

Pure but for one thing: `put` may be called from any thread while the uplink's thread asks for what is due.
"""

import math

from msgspec import Struct

from agent.uplink.uplink_settings import Timing

__all__ = ["RetainedView", "RetainedViews"]


class RetainedView(Struct, frozen=True, eq=False):
    """One state of a view, told apart by identity. `at` is when it was put, monotonic seconds."""

    suffix: str
    payload: bytes
    expiry_s: int | None
    at: float


class RetainedViews:
    """The newest of each view, and which of them the present connection has published."""

    def __init__(self, *, timing: Timing) -> None:
        self._timing = timing
        self._newest: dict[str, RetainedView] = {}
        self._published: dict[str, tuple[RetainedView, float]] = {}

    def put(self, view: RetainedView) -> None:
        """Newest of its suffix from now on. One assignment, so that any thread may do it."""
        self._newest[view.suffix] = view

    def forget_published(self) -> None:
        """A new connection: everything is to be published anew."""
        self._published.clear()

    def due(self, now: float, *, behind_events: bool) -> list[RetainedView]:
        """What to publish now. With `behind_events` (some could go first) only what has waited for too long."""
        return [view for view in list(self._newest.values()) if self._due_at(view, behind_events) <= now]

    def published(self, view: RetainedView, now: float) -> None:
        """`view` was published on the present connection."""
        self._published[view.suffix] = (view, now)

    def deadline(self, *, behind_events: bool) -> float:
        """When the next view falls due; infinity if none waits."""
        return min((self._due_at(view, behind_events) for view in list(self._newest.values())), default=math.inf)

    def _due_at(self, view: RetainedView, behind_events: bool) -> float:
        due = view.at + self._timing.view_patience_s if behind_events else view.at
        if view.suffix in self._published:
            last, at = self._published[view.suffix]
            if last is view:
                return math.inf
            due = max(due, at + self._timing.view_interval_s)
        return due
