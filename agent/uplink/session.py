"""One connection's life, from the broker's CONNACK to its end: what is read, what is published, in which order."""

import logging
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.contract.cloudevents import topic_of
from agent.contract.kiosk_status import status_document
from agent.contract.refused import MessageRefused
from agent.contract.topics import Inbound, MessageKind
from agent.errors import JournalDamaged
from agent.runtime.clock import Clock
from agent.uplink.failures import BrokerLost, shown
from agent.uplink.outbox import AckResult, Outgoing
from agent.uplink.packets import ConnAck
from agent.uplink.uplink_settings import Timing
from agent.uplink.uplink_state import UplinkCallbacks, UplinkState

if TYPE_CHECKING:
    from agent.uplink.client import Client

__all__ = ["Session"]

logger = logging.getLogger(__name__)

FAILURE = 0x80
REFUSAL_LOG_S = 60.0
TOO_LARGE = "Packet too large"
PUBLISH_OVERHEAD_BYTES = 64
"""More than an event's PUBLISH packet has besides topic and document."""


class Session:
    """A connection that the broker has accepted. `step` until it raises BrokerLost or `stop` has been called."""

    def __init__(
        self,
        *,
        client: "Client",
        connack: ConnAck,
        state: UplinkState,
        callbacks: UplinkCallbacks,
        clock: Clock,
        timing: Timing,
        version: str,
    ) -> None:
        self._client = client
        self._connack = connack
        self._state = state
        self._callbacks = callbacks
        self._clock = clock
        self._timing = timing
        self._version = version
        self._since = clock.utc_text()
        self._journal = ""
        self._status_due = False
        self._views_out: set[int] = set()
        self._filters: dict[int, tuple[str, ...]] = {}
        self._event_topics: dict[str, str] = {}
        self._more = False
        self._source_due = -math.inf
        self._source_error: str | None = None
        self._told_at = -math.inf
        self._refusal_logged_at = -math.inf
        self.delivered = state.outbox.delivered

    # -- its life ----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Subscribe, say `online`, and let the outbox begin. Raises BrokerLost."""
        state = self._state
        self._follow_journal()
        # SubAck first: who sees us online may ask at once.
        self._subscribe()
        self._publish_online()
        state.views.forget_published()
        state.outbox.connected(self._clock.monotonic(), receive_maximum=self._connack.receive_maximum)

    def _subscribe(self) -> None:
        """All subscriptions; at every call the broker sends what it retains under them."""
        self._state.reload.clear()
        topics = self._state.topics
        token = self._client.subscribe(topics.subscriptions, retain_as_published=(topics.requests,))
        self._filters[token] = topics.subscriptions

    def step(self) -> None:
        """Wait for something to do, and do it. Raises BrokerLost."""
        self._wait(self._deadline())
        now = self._clock.monotonic()
        self._take_answers(now)
        self._take_messages(now)
        self._follow_journal()
        if self._state.reload.is_set():
            self._subscribe()
        self._state.outbox.tick(now)
        with self._client.burst():
            self._publish(now)
        self._tell_delivered()
        self._tell_rolled_back(now)
        if now - self._state.outbox.stalled_since() > self._timing.stall_s:
            raise BrokerLost("the broker does not answer what is published", stalled=True)

    def stop(self, *, reason: str, until: float) -> None:
        """Say `offline`, wait for the broker's answer until that monotonic time, disconnect. Raises BrokerLost."""
        while self._free() < 1 and self._clock.monotonic() < until:
            self._wait(until)
            self._take_answers(self._clock.monotonic())
        token = self._publish_status("offline", reason)
        while token in self._views_out and self._clock.monotonic() < until:
            self._wait(until)
            self._take_answers(self._clock.monotonic())
        self._tell_delivered()
        self._client.close()

    def close(self) -> None:
        """The connection is over: what was in flight is to be sent anew. Does no I/O."""
        self._state.outbox.disconnected(self._clock.monotonic())
        self._state.resending.disconnected()
        self._state.fetching.disconnected()

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _deadline(self) -> float:
        state = self._state
        if self._free() < 1:
            return math.inf  # an answer comes before anything else can
        outbox_due = max(state.outbox.deadline(), self._source_due)
        return min(outbox_due, state.views.deadline(behind_events=self._more), state.fetching.deadline())

    def _wait(self, until: float) -> None:
        waker = self._state.waker
        wait_s = min(self._timing.poll_s, max(0.0, until - self._clock.monotonic()))
        try:
            self._client.poll(waker.before_wait(wait_s), waker.fd)
        finally:
            waker.after_wait()
            waker.drain()

    # -- in ----------------------------------------------------------------------------------------------------------

    def _take_answers(self, now: float) -> None:
        state = self._state
        outbox = state.outbox
        for answer in self._client.pubacks():
            if outbox.answered(answer.token, answer.code, answer.reason, now):
                if answer.code >= FAILURE:
                    self._refused("an event", answer.reason, now)
            elif not state.resending.answered(answer.token):
                self._views_out.discard(answer.token)
                if answer.code >= FAILURE:
                    self._refused("a status, view or response", answer.reason, now)
        self._callbacks.note(no_consumer=outbox.no_consumer)
        for subscribed in self._client.subacks():
            self._take_suback(self._filters.pop(subscribed.token, ()), subscribed.refused)

    def _refused(self, what: str, reason: str, now: float) -> None:
        if now - self._refusal_logged_at >= REFUSAL_LOG_S:
            self._refusal_logged_at = now
            logger.warning("the broker refuses %s: %s", what, reason)
        self._callbacks.note(last_refusal=f"{what}: {reason}")

    def _take_suback(self, filters: tuple[str, ...], refused: tuple[str | None, ...]) -> None:
        lines = []
        for one, reason in zip(filters, refused, strict=False):
            if reason is not None:
                lines.append(f"{one}: {reason}")
                logger.warning("the broker refuses the subscription to %s: %s", one, reason)
                self._state.fetching.came(one)
        if filters == self._state.topics.subscriptions:
            self._callbacks.note(refused_subscriptions=tuple(lines))

    def _take_messages(self, now: float) -> None:
        topics = self._state.topics
        for message in self._client.messages():
            known = topics.classify(message.topic)
            if known is None:
                logger.warning("a message on a topic that is none of ours was dropped: %s", shown(message.topic))
                continue
            kind, name = known
            if kind is MessageKind.ACK:
                self._take_ack(message.payload, now)
            elif kind is MessageKind.REQUEST and message.retained:
                logger.warning("a retained request was ignored: %s", shown(name))
            else:
                if kind is MessageKind.ORDER and self._state.fetching.came(message.topic):
                    self._client.unsubscribe([message.topic])
                # A topic that no order encodes to is of any length and content.
                topic = message.topic if name or kind is not MessageKind.ORDER else shown(message.topic)
                self._callbacks.inbound(
                    Inbound(kind=kind, id=name, payload=message.payload, retained=message.retained, topic=topic)
                )

    def _take_ack(self, payload: bytes, now: float) -> None:
        from agent.contract.messages import ack_of  # its parsers cost start-up time

        state = self._state
        state.outbox.ack_arrived()
        if not payload:
            return
        try:
            ack = ack_of(payload, topic=state.topics.ack)
        except MessageRefused as exc:
            logger.warning("an ack was refused: %s", shown(str(exc)))
            self._callbacks.note(error=f"refused: {shown(str(exc))}")
            return
        self._follow_journal()
        try:
            verdict = state.outbox.acknowledge(journal=ack.journal, through=ack.through, event_id=ack.id, now=now)
        except (JournalDamaged, OSError) as exc:
            self._source_failed(exc, now)
            return
        if verdict is AckResult.ROLLED_BACK:
            logger.warning("the journal is an old copy: the consumer's ack for %s is not of this copy", ack.journal)

    # -- out ---------------------------------------------------------------------------------------------------------

    def _free(self) -> int:
        """How many more publishes the broker takes now."""
        state = self._state
        return self._connack.receive_maximum - len(self._views_out) - state.resending.in_flight - state.outbox.in_flight

    def _follow_journal(self) -> None:
        head = self._state.source.head()
        self._state.outbox.adopt(head)
        if head.journal != self._journal:
            self._journal = head.journal
            self._status_due = True

    def _publish_online(self) -> None:
        if self._status_due and self._free() > 0:
            self._status_due = False
            self._publish_status("online", None)

    def _publish_status(self, state: str, reason: str | None) -> int:
        since = self._since if state == "online" else self._clock.utc_text()
        document = status_document(
            state=state, reason=reason, version=self._version, journal=self._journal or None, since=since
        )
        return self._publish_view(self._state.topics.status, document, retain=True)

    def _publish_view(self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None = None) -> int:
        token = self._client.publish(topic, payload, retain=retain, expiry_s=expiry_s)
        self._views_out.add(token)
        return token

    def _publish(self, now: float) -> None:
        state = self._state
        self._publish_online()
        while state.responses and self._free() > 0:
            topic, payload = state.responses.popleft()
            self._publish_view(topic, payload, retain=False)
        self._publish_events(now)
        while state.resends:
            state.resending.want(*state.resends.popleft())
        if not self._more:
            self._publish_again(now)
        for view in state.views.due(now, behind_events=self._more):
            if self._free() < 1:
                break
            self._publish_view(state.topics.view(view.suffix), view.payload, retain=True, expiry_s=view.expiry_s)
            state.views.published(view, now)
        self._fetch(now)

    def _publish_events(self, now: float) -> None:
        """As many events as may go. Afterwards `_more` tells whether others wait for a free place alone."""
        outbox = self._state.outbox
        free = self._free()
        self._more = free < 1
        for outgoing in self._readable(lambda: outbox.next(now), now):
            token = self._send(outgoing)
            if token is None:
                outbox.refuse(outgoing.position, TOO_LARGE, now)
                self._refused("an event", TOO_LARGE, now)
                continue
            outbox.sent_as(token, outgoing.position, now)
            free -= 1
            if free < 1 or outbox.full:
                self._more = True
                return

    def _publish_again(self, now: float) -> None:
        resending = self._state.resending
        for outgoing in self._readable(resending.next, now):
            token = self._send(outgoing)
            if token is not None:
                resending.sent_as(token, outgoing.position)
                if self._free() < 1:
                    return

    def _readable(self, take: Callable[[], Outgoing | None], now: float) -> Iterator[Outgoing]:
        """What `take` gives, until it has no more or the journal cannot be read, which is then left for a while."""
        if now < self._source_due or self._free() < 1:
            return
        while True:
            try:
                outgoing = take()
            except (JournalDamaged, OSError) as exc:
                self._source_failed(exc, now)
                return
            if outgoing is None:
                self._source_works()
                return
            yield outgoing

    def _send(self, outgoing: Outgoing) -> int | None:
        """Publish an event; none where it is too large for the broker."""
        document = outgoing.document
        category = topic_of(document)
        topic = self._event_topics.get(category)
        if topic is None:
            topic = self._event_topics[category] = self._state.topics.event(category)
        limit = self._connack.maximum_packet_bytes
        if limit is not None and len(document) + len(topic) + PUBLISH_OVERHEAD_BYTES > limit:
            return None
        return self._client.publish_event(topic, document)

    def _source_failed(self, error: Exception, now: float) -> None:
        self._source_due = now + self._timing.source_retry_s
        line = f"the journal cannot be read: {shown(str(error))}"
        if line != self._source_error:
            self._source_error = line
            logger.error("%s", line)
            self._callbacks.note(error=line)

    def _source_works(self) -> None:
        if self._source_error is not None:
            self._source_error = None
            self._callbacks.note(error=None)

    def _fetch(self, now: float) -> None:
        state = self._state
        while state.fetches:
            state.fetching.want(map(state.topics.order, state.fetches.popleft()))
        if started := state.fetching.start(now):
            self._filters[self._client.subscribe(started)] = tuple(started)
        if late := state.fetching.give_up(now):
            self._client.unsubscribe(late)

    # -- what others are told ----------------------------------------------------------------------------------------

    def _tell_delivered(self) -> None:
        delivered = self._state.outbox.delivered
        if delivered != self.delivered:
            self.delivered = delivered
            self._callbacks.delivered(delivered)

    def _tell_rolled_back(self, now: float) -> None:
        journal = self._state.outbox.rolled_back
        if journal is not None and now - self._told_at >= self._timing.rollback_repeat_s:
            self._told_at = now
            self._callbacks.rolled_back(f"the consumer's ack for {journal} is not of this copy of the journal")
            self._callbacks.note(rolled_back=True)
