"""What lives between two scans and is not worth a commit: the bounce, the last signal, the time-outs.

After a restart all of it is fresh; the time-outs begin anew. Times are monotonic seconds.
"""

from immutables import Map
from msgspec import Struct, field

from agent.contract.events import Rejected
from agent.contract.reasons import Reason
from agent.contract.signals import Signal

__all__ = ["CANCEL_TWICE_S", "REFUSALS", "REFUSALS_S", "REMOVE_S", "Bounce", "Burst", "Memory", "Reply"]

REMOVE_S = 10.0
"""REMOVE ends by itself after this long."""

CANCEL_TWICE_S = 5.0
"""Within this long a second CANCEL voids the open box."""

REFUSALS = 5
REFUSALS_S = 1.0
"""Beyond so many refusals in so long from one scanner, they are journaled as one event with their count."""


class Reply(Struct, frozen=True, kw_only=True):
    """The one signal of a scan. `pending` is heard in `where`."""

    signal: Signal
    reason: Reason | None = None
    pending: int = 0


class Bounce(Struct, frozen=True, kw_only=True):
    """The code that a scanner has just read, and what a repetition of it is answered with."""

    data: bytes
    at: float
    reply: Reply


class Burst(Struct, frozen=True, kw_only=True):
    """A scanner's refusals since `since`: how many were journaled, and the latest of those that were not."""

    since: float
    journaled: int = 0
    unwritten: Rejected | None = None


class Memory(Struct, kw_only=True):
    """One station's. `bounces` and `bursts` are by scanner.

    A step works on a copy, so that a commit that fails leaves the memory as it was.
    """

    last: Reply | None = None
    idle_since: float
    remove_since: float | None = None
    cancel_since: float | None = None
    bounces: Map[str, Bounce] = field(default_factory=Map)
    bursts: Map[str, Burst] = field(default_factory=Map)
