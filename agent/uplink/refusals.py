"""Events that the broker refuses: when each is tried again, and which get a stand-in. Pure; time is handed in."""

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
    later_passed: bool = True


class Refusals:
    """Refused events by position, each with its back-off; bounded by the outbox, which sends no more when it is full.

    A refusal counts towards the stand-in only if a later event passed since the one before: a broker that refuses
    everything (rights, quota) must not turn events into stand-ins.
    """

    def __init__(self, *, timing: Timing) -> None:
        self._timing = timing
        self._by_position: dict[int, _Refusal] = {}
        self._stand_ins: dict[int, str] = {}
        self.due = math.inf
        """When the next of them is to be tried again."""

    def __len__(self) -> int:
        return len(self._by_position)

    def __contains__(self, position: int) -> bool:
        return position in self._by_position

    def refused(self, position: int, reason: str, now: float) -> None:
        """The broker refused the event at `position`."""
        refusal = self._by_position.setdefault(position, _Refusal(reason, now))
        refusal.reason = reason
        refusal.counted += refusal.later_passed
        refusal.later_passed = False
        wait_s = min(self._timing.retry_max_s, self._timing.retry_s * 2.0**refusal.attempts)
        refusal.attempts = min(refusal.attempts + 1, 30)
        refusal.due = now + wait_s
        if refusal.counted >= REFUSALS_TO_STAND_IN:
            self._stand_ins[position] = reason
        self._reckon()

    def passed(self, position: int) -> None:
        """The broker took the event at `position`."""
        if self._by_position.pop(position, None):
            self._reckon()
        for refused, refusal in self._by_position.items():
            refusal.later_passed |= refused < position

    def first_due(self, now: float) -> int | None:
        """The first position whose time to be tried again has come."""
        if now < self.due:
            return None
        return min(position for position, refusal in self._by_position.items() if refusal.due <= now)

    def out(self, position: int) -> None:
        """It is being tried again: not due until `refused`, `passed` or `lost` says more."""
        self._by_position[position].due = math.inf
        self._reckon()

    def lost(self, now: float) -> None:
        """The connection broke: what was out is to be tried again."""
        for refusal in self._by_position.values():
            if refusal.due == math.inf:
                refusal.due = now
        self._reckon()

    def stand_in(self, position: int) -> str | None:
        """Why a stand-in goes out for this event from now on; none if the event itself does."""
        return self._stand_ins.get(position)

    def delivered(self, through: int) -> None:
        """Everything up to `through` is delivered and forgotten here."""
        if self._by_position or self._stand_ins:
            self._by_position = {at: refusal for at, refusal in self._by_position.items() if at > through}
            self._stand_ins = {at: reason for at, reason in self._stand_ins.items() if at > through}
            self._reckon()

    def any_to(self, position: int) -> bool:
        """Whether an event up to `position` is refused so far."""
        return any(refused <= position for refused in self._by_position)

    def _reckon(self) -> None:
        self.due = min((refusal.due for refusal in self._by_position.values()), default=math.inf)
