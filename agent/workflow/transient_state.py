"""What a station remembers between two scans and forgets at a restart: bounces, the last signal, timeouts.

None of it is journaled (`workflow.md#restart-keeps-the-state`). Times are monotonic seconds.
"""

from immutables import Map
from msgspec import Struct, field

from agent.contract.events import Rejected
from agent.workflow.reply import Reply

__all__ = ["LastRead", "RefusalBurst", "TransientState"]


class LastRead(Struct, frozen=True, kw_only=True):
    """The code that a scanner read last, and the answer to a bounce of it (`scanning.md#bounce`)."""

    data: bytes
    at: float
    reply: Reply


class RefusalBurst(Struct, frozen=True, kw_only=True):
    """The refusals of one scanner since `since` (`mqtt.md#counted-refusals`).

    `journaled` counts those that were journaled one by one, `mismatches` those journaled as `order.packing_refused`.
    `unwritten` is the newest of the others, with their count.
    """

    since: float
    journaled: int = 0
    mismatches: int = 0
    unwritten: Rejected | None = None


class TransientState(Struct, kw_only=True):
    """The transient state of one station. `last_read` and `bursts` are keyed by scanner name.

    A step changes a copy. The copy is adopted after the commit, so a commit that fails changes nothing.
    """

    last: Reply | None = None
    """The newest signal, for REPEAT and the station's view."""
    idle_since: float
    """When the newest scan came."""
    remove_since: float | None = None
    """When the 10 s of a pending REMOVE began."""
    cancel_since: float | None = None
    """When a first CANCEL came, if nothing has been scanned since."""
    last_read: Map[str, LastRead] = field(default_factory=Map)
    bursts: Map[str, RefusalBurst] = field(default_factory=Map)
    guesses: Map[str, float] = field(default_factory=Map)
    """When each of the texts was refused that may be guesses of a badge; fewer than ten."""
    locked_until: float | None = None
    """Until when no badge but that of the operator who is signed in is accepted."""
