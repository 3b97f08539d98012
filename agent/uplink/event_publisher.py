"""Publish the journal's events on one connection: those of the outbox, and those that the centre wants again."""

import logging
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.contract.cloudevents import topic_of
from agent.errors import JournalDamaged
from agent.uplink.failures import shown
from agent.uplink.outbox import Outgoing
from agent.uplink.uplink_settings import Timing
from agent.uplink.uplink_state import UplinkCallbacks, UplinkState

if TYPE_CHECKING:
    from agent.uplink.client import Client

__all__ = ["EventPublisher"]

logger = logging.getLogger(__name__)

TOO_LARGE = "Packet too large"
PUBLISH_OVERHEAD_BYTES = 64
"""More than a PUBLISH packet of an event has besides topic and document."""


class EventPublisher:
    """Publishes as many events as the outbox and the broker allow.

    `free` returns how many more publishes the broker takes now. `on_refused(what, reason, now)` is called for an event
    that is larger than `maximum_packet_bytes`, the broker's limit (None: no limit).
    """

    def __init__(
        self,
        *,
        client: "Client",
        state: UplinkState,
        callbacks: UplinkCallbacks,
        timing: Timing,
        maximum_packet_bytes: int | None,
        free: Callable[[], int],
        on_refused: Callable[[str, str, float], None],
    ) -> None:
        self._client = client
        self._state = state
        self._callbacks = callbacks
        self._timing = timing
        self._maximum_packet_bytes = maximum_packet_bytes
        self._free = free
        self._on_refused = on_refused
        self._topics: dict[str, str] = {}
        self._source_error: str | None = None
        self.source_due = -math.inf
        """When to read the journal again after it could not be read."""
        self.has_more = False
        """Whether more events could go out if the broker had answered those in flight."""

    def publish(self, now: float) -> None:
        """Publish the events that may go out now. Raises BrokerLost. (`mqtt.md#journal-is-the-outbox`)"""
        outbox = self._state.outbox
        free = self._free()
        self.has_more = free < 1
        for outgoing in self._readable(lambda: outbox.next(now), now):
            token = self._send(outgoing)
            if token is None:
                outbox.refuse(outgoing.position, TOO_LARGE, now)
                self._on_refused("an event", TOO_LARGE, now)
                continue
            outbox.sent_as(token, outgoing.position, now)
            free -= 1
            if free < 1 or outbox.full:
                self.has_more = True
                return

    def publish_resends(self, now: float) -> None:
        """Publish events that the centre wants again. Raises BrokerLost. (`mqtt.md#requests`)"""
        resending = self._state.resending
        for outgoing in self._readable(resending.next, now):
            token = self._send(outgoing)
            if token is not None:
                resending.sent_as(token, outgoing.position, now)
                if self._free() < 1:
                    return

    def source_failed(self, error: Exception, now: float) -> None:
        """Report that the journal could not be read, once, and leave it alone for a while."""
        self.source_due = now + self._timing.source_retry_s
        line = f"the journal cannot be read: {shown(str(error))}"
        if line != self._source_error:
            self._source_error = line
            logger.error("%s; no event is published until it can be read again", line)
            self._callbacks.note(error=line)

    def _readable(self, take: Callable[[], Outgoing | None], now: float) -> Iterator[Outgoing]:
        """Yield what `take` returns, until it returns None or the journal cannot be read."""
        if now < self.source_due or self._free() < 1:
            return
        while True:
            try:
                outgoing = take()
            except (JournalDamaged, OSError) as exc:
                self.source_failed(exc, now)
                return
            if outgoing is None:
                self._source_works()
                return
            yield outgoing

    def _source_works(self) -> None:
        if self._source_error is not None:
            self._source_error = None
            self._callbacks.note(error=None)

    def _send(self, outgoing: Outgoing) -> int | None:
        """Publish an event and return its token; None if it is too large for the broker."""
        document = outgoing.document
        category = topic_of(document)
        topic = self._topics.get(category)
        if topic is None:
            topic = self._topics[category] = self._state.topics.event(category)
        limit = self._maximum_packet_bytes
        if limit is not None and len(document) + len(topic) + PUBLISH_OVERHEAD_BYTES > limit:
            return None
        return self._client.publish_event(topic, document)
