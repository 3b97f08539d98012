"""What a step answers: a signal for the operator, a refusal, or an alarm for another station."""

from msgspec import Struct

from agent.contract.reasons import Reason, Seen
from agent.contract.signals import Signal

__all__ = ["Alarm", "Refusal", "Reply"]


class Reply(Struct, frozen=True, kw_only=True):
    """The one signal of a scan (`signals.md#one-signal-per-scan`).

    `pending` is the number of pieces that `where` plays; other signals ignore it.
    """

    signal: Signal
    reason: Reason | None = None
    pending: int = 0


class Alarm(Struct, frozen=True, kw_only=True):
    """A station must sound `alarm`, because a message of the centre changed its order."""

    station: str
    reason: Reason


class Refusal(Exception):
    """The scan is refused (`workflow.md#one-reason-per-refusal`).

    Raised inside a step only. The step then drops the events it has recorded so far, and journals the refusal.
    """

    def __init__(self, reason: Reason, *, seen: Seen | None = None, signal: Signal = Signal.REJECT) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.seen = seen
        self.signal = Signal.AGAIN if reason is Reason.ALREADY_COUNTED else signal
