"""Uplink state that survives a reconnect, and the callbacks of a session."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Event

from msgspec import Struct

from agent.contract.topics import Inbound, Topics
from agent.runtime.log_limit import LogLimit
from agent.runtime.waker import Waker
from agent.uplink.event_source import EventSource
from agent.uplink.fetching import Fetching
from agent.uplink.outbox import Outbox
from agent.uplink.resending import Resending
from agent.uplink.retained_views import RetainedViews

__all__ = ["UplinkCallbacks", "UplinkState"]


class UplinkState(Struct, frozen=True, kw_only=True):
    """What survives a connection. One session at a time works on it.

    Other threads append to `responses` (topic, payload), `fetches` (order ids) and `resends` (first, last position),
    put `views`, and set `reload` to get all retained messages once more. `log_limit` is for lines that a peer causes.
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
    log_limit: LogLimit


class UplinkCallbacks(Struct, frozen=True, kw_only=True):
    """Called by a session: `inbound` for the centre's messages, `note` with fields of `Situation`, see `Uplink`.

    `rolled_back` gets the journal id that proved to be an old copy.
    """

    inbound: Callable[[Inbound], None]
    delivered: Callable[[int], None]
    rolled_back: Callable[[str], None]
    note: Callable[..., None]
