"""At most one revision of an order a second is journaled, the newest. Pure; time is handed in."""

from agent.contract.manifest import Manifest

__all__ = ["PACE_S", "RevisionPace"]

PACE_S = 1.0


class RevisionPace:
    """Revisions that wait because one of the same order was taken just now. (`workflow.md#manifest-revisions`)"""

    def __init__(self) -> None:
        self._taken_at: dict[str, float] = {}
        self._waiting: dict[str, Manifest] = {}

    def __bool__(self) -> bool:
        """Whether a revision waits."""
        return bool(self._waiting)

    def may_take(self, manifest: Manifest, now: float, *, is_urgent: bool) -> bool:
        """Return whether to take this revision now; else it waits, in place of one that waits already."""
        if not is_urgent and now - self._taken_at.get(manifest.order, -PACE_S) < PACE_S:
            self._waiting[manifest.order] = manifest
            return False
        self._taken(manifest.order, now)
        return True

    def take(self, order: str, now: float) -> Manifest | None:
        """Return the revision of an order that waits, which is taken now."""
        manifest = self._waiting.get(order)
        if manifest is not None:
            self._taken(order, now)
        return manifest

    def take_due(self, now: float) -> list[Manifest]:
        """Return the revisions that have waited long enough, which are taken now."""
        due = [order for order in self._waiting if now - self._taken_at[order] >= PACE_S]
        taken = [manifest for order in due if (manifest := self.take(order, now)) is not None]
        self._taken_at = {order: at for order, at in self._taken_at.items() if now - at < PACE_S}
        return taken

    def _taken(self, order: str, now: float) -> None:
        self._waiting.pop(order, None)
        self._taken_at[order] = now
