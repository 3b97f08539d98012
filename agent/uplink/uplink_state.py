"""What outlives a connection, and whom a session tells."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Event

from msgspec import Struct

from agent.contract.topics import Inbound, Topics
from agent.runtime.waker import Waker
from agent.uplink.event_source import EventSource
from agent.uplink.fetching import Fetching
from agent.uplink.outbox import Outbox
from agent.uplink.resending import Resending
from agent.uplink.retained_views import RetainedViews

__all__ = ["UplinkCallbacks", "UplinkState"]


class UplinkState(Struct, frozen=True, kw_only=True):
    """What outlives a connection: the queues and what was learned so far. The session of the moment works on it.

    `responses` are (topic, payload); other threads append to it, `put` views, and set `reload` to have all that the
    broker retains once more.
    """

    topics: Topics
    source: EventSource
    outbox: Outbox
    views: RetainedViews
    fetching: Fetching
    resending: Resending
    responses: deque[tuple[str, bytes]]
    fetches: deque[Sequence[str]]
    resends: deque[tuple[int, int]]
    reload: Event
    waker: Waker


class UplinkCallbacks(Struct, frozen=True, kw_only=True):
    """Whom to tell: what the centre sends, delivered positions, a rolled-back journal, and changes for `Situation`."""

    inbound: Callable[[Inbound], None]
    delivered: Callable[[int], None]
    rolled_back: Callable[[str], None]
    note: Callable[..., None]
