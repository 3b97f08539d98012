"""The order between events under earlier journal ids and those of the present id. Pure.

After a rollback (`mqtt.md#rolled-back-journal`) there are undelivered events under earlier ids. The broker must accept
all of them before an event of the present id goes out, because an ack for the present id covers everything before it.
If the broker reports no subscriber for one of them, all of them are published once more after the first ack for the
present id: that ack proves that the consumer is there now, not that it was there when they went out.
"""

from collections.abc import Iterable

from agent.uplink.refusals import Refusals

__all__ = ["OldEvents"]


class OldEvents:
    """Events at positions up to `base` are under earlier journal ids."""

    def __init__(self, base: int) -> None:
        self.base = base
        self._may_be_open = True
        self._had_no_subscriber = False
        self._were_repeated = False

    def new_journal_id(self, base: int) -> None:
        """All events up to `base` are old now."""
        self.base = base
        self._were_repeated = False

    def new_pass(self) -> None:
        """Everything undelivered is published again."""
        self._may_be_open = True
        self._had_no_subscriber = False

    def no_subscriber(self, position: int) -> None:
        """The broker accepted the event at `position` and reported no subscriber."""
        self._had_no_subscriber |= position <= self.base

    def hold_back(self, position: int, *, refused: Refusals, in_flight: Iterable[int]) -> bool:
        """Return whether the event at `position` must wait for older ones that the broker has not accepted yet."""
        if position <= self.base:
            return False
        if self._may_be_open:
            if refused.any_to(self.base) or any(one <= self.base for one in in_flight):
                return True
            self._may_be_open = False
        return False

    def must_repeat(self, *, delivered: int) -> bool:
        """Return, at an ack for the present id, whether the old events must go out once more. True only once."""
        if delivered >= self.base or not self._had_no_subscriber or self._were_repeated:
            return False
        self._were_repeated = True
        return True
