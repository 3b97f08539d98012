"""Events that the broker refuses: when to retry each, and which get a stand-in. Pure; time is handed in."""

import math

from msgspec import Struct

from agent.uplink.uplink_settings import Timing

__all__ = ["REFUSALS_TO_STAND_IN", "Refusals"]

REFUSALS_TO_STAND_IN = 10


class _Refusal(Struct):
    reason: str
    due: float
    attempts: int = 0
    counted: int = 0
    later_accepted: bool = True


class Refusals:
    """Refused events by position, each with its back-off. The outbox limits how many there are.

    A refusal counts towards the stand-in only if a later event was accepted since the refusal before: a broker that
    refuses everything (missing rights, a quota) must not turn events into stand-ins. (`mqtt.md#refused-publish`)
    """

    def __init__(self, *, timing: Timing) -> None:
        self._timing = timing
        self._by_position: dict[int, _Refusal] = {}
        self._stand_ins: dict[int, str] = {}
        self.due = math.inf
        """When to retry the next event; infinity if there is none."""

    def __len__(self) -> int:
        return len(self._by_position)

    def __contains__(self, position: int) -> bool:
        return position in self._by_position

    def refused(self, position: int, reason: str, now: float) -> None:
        """Note that the broker refused the event at `position`."""
        refusal = self._by_position.setdefault(position, _Refusal(reason, now))
        refusal.reason = reason
        refusal.counted += refusal.later_accepted
        refusal.later_accepted = False
        wait_s = min(self._timing.retry_max_s, self._timing.retry_s * 2.0**refusal.attempts)
        refusal.attempts = min(refusal.attempts + 1, 30)
        refusal.due = now + wait_s
        if refusal.counted >= REFUSALS_TO_STAND_IN:
            self._stand_ins[position] = reason
        self._update_due()

    def accepted(self, position: int) -> None:
        """Note that the broker accepted the event at `position`."""
        if self._by_position.pop(position, None):
            self._update_due()
        for refused, refusal in self._by_position.items():
            refusal.later_accepted |= refused < position

    def first_due(self, now: float) -> int | None:
        """Return the first position that is due for a retry; None if there is none."""
        if now < self.due:
            return None
        return min(position for position, refusal in self._by_position.items() if refusal.due <= now)

    def retrying(self, position: int) -> None:
        """Note that the event is published again: it is not due until the broker answers or the connection ends."""
        self._by_position[position].due = math.inf
        self._update_due()

    def lost(self, now: float) -> None:
        """The connection ended: retry what was not answered."""
        for refusal in self._by_position.values():
            if refusal.due == math.inf:
                refusal.due = now
        self._update_due()

    def stand_in_reason(self, position: int) -> str | None:
        """Return why a stand-in goes out in place of this event; None if the event itself does."""
        return self._stand_ins.get(position)

    def delivered(self, through: int) -> None:
        """Forget everything up to position `through`: it is delivered."""
        if self._by_position or self._stand_ins:
            self._by_position = {at: refusal for at, refusal in self._by_position.items() if at > through}
            self._stand_ins = {at: reason for at, reason in self._stand_ins.items() if at > through}
            self._update_due()

    def any_to(self, position: int) -> bool:
        """Return whether an event up to `position` is refused."""
        return any(refused <= position for refused in self._by_position)

    def _update_due(self) -> None:
        self.due = min((refusal.due for refusal in self._by_position.values()), default=math.inf)
