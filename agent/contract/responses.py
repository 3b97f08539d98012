"""The answer to a request, on `response/{transaction}` (`mqtt.md#requests`)."""

from msgspec import UNSET, Struct, UnsetType, field

from agent.contract.kiosk_health import KioskHealth
from agent.contract.values import SequenceText

__all__ = ["Response", "SequenceRange"]


class SequenceRange(Struct, frozen=True, kw_only=True):
    """Events of one journal, both ends included."""

    first: SequenceText = field(name="from")
    last: SequenceText = field(name="through")


class Response(Struct, frozen=True, kw_only=True):
    """What became of one request. Fields that are unset are left out."""

    transaction: str
    """The request's own."""
    request: str
    """The name of the request, cut short if it is very long."""
    ok: bool
    error: str | UnsetType = UNSET
    """Why it was not carried out; left out if it was."""
    health: KioskHealth | UnsetType = UNSET
    """Answers `health`."""
    journal: str | UnsetType = UNSET
    """Answers `resend`, as do the fields below: the journal asked for."""
    first: SequenceText | UnsetType | None = field(name="from", default=UNSET)
    """The first event that is sent again; null if the journal has none in the range asked for."""
    last: SequenceText | UnsetType | None = field(name="through", default=UNSET)
    """The last one."""
    pruned: tuple[SequenceRange, ...] | UnsetType = UNSET
    """Those in between that are no longer kept."""
