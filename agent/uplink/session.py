"""One connection, from the broker's CONNACK to its end: what is read, what is published, and in which order."""

import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.contract.kiosk_status import status_document
from agent.contract.refused import MessageRefused
from agent.contract.topics import Inbound, MessageKind
from agent.errors import JournalDamaged
from agent.runtime.clock import Clock
from agent.uplink.event_publisher import EventPublisher
from agent.uplink.failures import BrokerLost, shown
from agent.uplink.outbox import AckResult
from agent.uplink.packets import ConnAck
from agent.uplink.subscriptions import Subscriptions
from agent.uplink.uplink_settings import Timing
from agent.uplink.uplink_state import UplinkCallbacks, UplinkState

if TYPE_CHECKING:
    from agent.uplink.client import Client

__all__ = ["Session"]

logger = logging.getLogger(__name__)

FAILURE = 0x80
REFUSAL_LOG_S = 60.0


class Session:
    """A connection that the broker has accepted. Call `open`, then `step` until it raises BrokerLost, or `stop`.

    `delivered` is the last position that was passed to the callback `delivered`.
    """

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
        connection: int,
    ) -> None:
        self._client = client
        self._receive_maximum = connack.receive_maximum
        self._state = state
        self._callbacks = callbacks
        self._clock = clock
        self._timing = timing
        self._version = version
        self._connection = connection
        self._since = clock.utc_text()
        self._journal = ""
        self._status_due = False
        self._unanswered: dict[int, float] = {}  # when each status, view and response was published, by token
        self._subscriptions = Subscriptions(state.topics.subscriptions, timing=timing)
        self._rollback_reported_at = -math.inf
        self._refusal_logged_at = -math.inf
        self._events = EventPublisher(
            client=client,
            state=state,
            callbacks=callbacks,
            timing=timing,
            maximum_packet_bytes=connack.maximum_packet_bytes,
            free=self._free,
            on_refused=self._refused,
        )
        self.delivered = state.outbox.delivered

    def open(self) -> None:
        """Subscribe, publish `online`, and let the outbox begin. Raises BrokerLost. (`mqtt.md#connection`)"""
        self._follow_journal()
        # Before `online`: a program that sees the kiosk online may send a request at once.
        self._subscribe()
        self._publish_online()
        self._state.views.forget_published()
        self._state.outbox.connected(self._clock.monotonic(), receive_maximum=self._receive_maximum)

    def step(self) -> None:
        """Wait until there is something to do, and do it. Raises BrokerLost."""
        self._wait(self._deadline())
        now = self._clock.monotonic()
        self._take_pubacks(now)
        self._take_subacks(now)
        self._take_messages(now)
        self._follow_journal()
        if self._state.reload.is_set():
            self._subscribe()
        elif again := self._subscriptions.take_due(now):
            self._ask(again, now)
        self._state.outbox.tick(now)
        self._publish(now)
        self._report_delivered()
        self._report_rolled_back(now)
        self._warn_of_left_out(now)
        self._check_answers(now)

    def stop(self, *, reason: str, until: float) -> None:
        """Publish `offline` and disconnect. Waits for the broker's answer at most until the monotonic time `until`.

        Raises BrokerLost. (`mqtt.md#status`)
        """
        while self._free() < 1 and self._clock.monotonic() < until:
            self._wait(until)
            self._take_pubacks(self._clock.monotonic())
        token = self._publish_status("offline", reason)
        while token in self._unanswered and self._clock.monotonic() < until:
            self._wait(until)
            self._take_pubacks(self._clock.monotonic())
        self._report_delivered()
        self._client.close()

    def close(self) -> None:
        """End the session: what was in flight will be published again. Does no I/O."""
        self._state.outbox.disconnected(self._clock.monotonic())
        self._state.resending.disconnected()
        self._state.fetching.disconnected()

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _free(self) -> int:
        """Return how many more publishes the broker takes now."""
        state = self._state
        return self._receive_maximum - len(self._unanswered) - state.resending.in_flight - state.outbox.in_flight

    def _deadline(self) -> float:
        """Return when there is something to do although nothing was received."""
        if self._free() < 1:
            return self._subscriptions.due  # nothing can be published before an answer
        state = self._state
        outbox_due = max(state.outbox.deadline(), self._events.source_due)
        views_due = state.views.deadline(behind_events=self._events.has_more)
        return min(outbox_due, views_due, state.fetching.deadline(), self._subscriptions.due)

    def _check_answers(self, now: float) -> None:
        """Give up a broker that owes an answer for too long, or refuses what no kiosk can do without.

        Raises BrokerLost. (`mqtt.md#unanswered-publish`, `mqtt.md#refused-subscription`)
        """
        others = next(iter(self._unanswered.values()), math.inf)
        published = min(others, self._state.outbox.stalled_since(), self._state.resending.stalled_since())
        if now - published > self._timing.stall_s:
            raise BrokerLost("the broker does not acknowledge what is published", stalled=True)
        if now - self._subscriptions.unanswered_since() > self._timing.stall_s:
            raise BrokerLost("the broker does not answer a subscription", stalled=True)
        if now - self._subscriptions.refused_since(self._state.topics.ack) > self._timing.ack_refused_s:
            raise BrokerLost(
                "the broker refuses the subscription to ack; check this kiosk's rights there", stalled=True
            )

    def _wait(self, until: float) -> None:
        waker = self._state.waker
        wait_s = min(self._timing.poll_s, max(0.0, until - self._clock.monotonic()))
        try:
            self._client.poll(waker.before_wait(wait_s), waker.fd)
        finally:
            waker.after_wait()
            waker.drain()

    # -- in ----------------------------------------------------------------------------------------------------------

    def _take_pubacks(self, now: float) -> None:
        outbox = self._state.outbox
        for puback in self._client.pubacks():
            if outbox.puback(puback.token, puback.code, puback.reason, now):
                if puback.code >= FAILURE:
                    self._refused("an event", puback.reason, now)
            elif not self._state.resending.answered(puback.token):
                self._unanswered.pop(puback.token, None)
                if puback.code >= FAILURE:
                    self._refused("a status, view or response", puback.reason, now)
        self._callbacks.note(no_consumer=outbox.no_consumer)

    def _refused(self, what: str, reason: str, now: float) -> None:
        """Report a refused publish in health, and in the log at most once a minute. (`mqtt.md#refused-publish`)"""
        if now - self._refusal_logged_at >= REFUSAL_LOG_S:
            self._refusal_logged_at = now
            logger.warning("the broker refuses %s: %s; check this kiosk's rights and limits there", what, reason)
        self._callbacks.note(last_refusal=f"{what}: {reason}")

    def _take_subacks(self, now: float) -> None:
        for suback in self._client.subacks():
            for one, reason in self._subscriptions.answered(suback.token, suback.refused, now):
                logger.warning(
                    "the broker refuses the subscription to %s: %s; check this kiosk's rights there", one, reason
                )
                self._state.fetching.arrived(one)
            self._callbacks.note(refused_subscriptions=self._subscriptions.lines)

    def _take_messages(self, now: float) -> None:
        topics = self._state.topics
        for message in self._client.messages():
            known = topics.classify(message.topic)
            if known is None:
                self._warn("message ignored, its topic is not for this kiosk: %s", shown(message.topic), now)
                continue
            kind, name, part = known
            if kind is MessageKind.ACK and not message.discarded_bytes:
                self._take_ack(message.payload, now)
            elif kind is MessageKind.REQUEST and message.retained:
                self._warn("request %s ignored, because it is retained; send it without retain", shown(name), now)
            else:
                if kind is MessageKind.ORDER and self._state.fetching.arrived(message.topic):
                    self._client.unsubscribe([message.topic])
                # A topic that no order id encodes to may be long and contain anything.
                is_named = name or kind not in (MessageKind.ORDER, MessageKind.COUNTED)
                self._callbacks.inbound(
                    Inbound(
                        kind=kind,
                        id=name,
                        part=part,
                        payload=message.payload,
                        retained=message.retained,
                        topic=message.topic if is_named else shown(message.topic),
                        discarded_bytes=message.discarded_bytes,
                    )
                )

    def _take_ack(self, payload: bytes, now: float) -> None:
        """Process a message on the ack topic. (`mqtt.md#acknowledgement`, `mqtt.md#rolled-back-journal`)"""
        from agent.contract.messages import ack_of  # imported late: its parsers cost start-up time

        outbox = self._state.outbox
        outbox.ack_arrived()
        if not payload:
            return
        try:
            ack = ack_of(payload, topic=self._state.topics.ack)
        except MessageRefused as exc:
            self._warn("the consumer's ack is invalid and was ignored: %s", shown(str(exc)), now)
            self._callbacks.note(error=f"refused: {shown(str(exc))}")
            return
        self._follow_journal()
        try:
            result = outbox.acknowledge(journal=ack.journal, through=ack.through, event_id=ack.id, now=now)
        except (JournalDamaged, OSError) as exc:
            self._events.source_failed(exc, now)
            return
        if result is AckResult.ROLLED_BACK:
            self._warn(
                "the journal is an old copy (was the card restored or cloned?): the consumer has acknowledged events "
                "of journal %s that are not in it",
                shown(ack.journal),
                now,
            )

    def _warn(self, line: str, about: str, now: float) -> None:
        """Log what a peer has caused, at most ten times a minute of each kind. (`mqtt.md#refused-messages`)"""
        if self._state.log_limit.allows(line, now):
            logger.warning(line, about)

    def _warn_of_left_out(self, now: float) -> None:
        for line, count in self._state.log_limit.take_left_out(now):
            logger.warning("%d more lines were left out: %s", count, line)

    # -- out ---------------------------------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        """Subscribe to everything. Each time, the broker sends all retained messages again."""
        self._state.reload.clear()
        self._ask(self._state.topics.subscriptions, self._clock.monotonic())

    def _ask(self, filters: Sequence[str], now: float) -> None:
        token = self._client.subscribe(filters, retain_as_published=(self._state.topics.requests,))
        self._subscriptions.asked(token, filters, now)

    def _follow_journal(self) -> None:
        head = self._state.source.head()
        self._state.outbox.update_head(head)
        if head.journal != self._journal:
            self._journal = head.journal
            self._status_due = True
            # Verdicts are taken again under a new journal id, so the broker must send them again (`mqtt.md#verdicts`).
            self._state.reload.set()

    def _publish_online(self) -> None:
        if self._status_due and self._free() > 0:
            self._status_due = False
            self._publish_status("online", None)

    def _publish_status(self, state: str, reason: str | None) -> int:
        """Publish the retained status; return its token. (`mqtt.md#status`)"""
        since = self._since if state == "online" else self._clock.utc_text()
        document = status_document(
            state=state,
            reason=reason,
            version=self._version,
            journal=self._journal or None,
            since=since,
            connection=self._connection,
        )
        return self._publish_other(self._state.topics.status, document, retain=True)

    def _publish_other(self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None = None) -> int:
        """Publish something that is no event; return its token."""
        token = self._client.publish(topic, payload, retain=retain, expiry_s=expiry_s)
        self._unanswered[token] = self._clock.monotonic()
        return token

    def _publish(self, now: float) -> None:
        """Publish what may go out: status and responses first, then events, then what is sent again, then views."""
        state = self._state
        self._publish_online()
        while state.responses and self._free() > 0:
            topic, payload = state.responses.popleft()
            self._publish_other(topic, payload, retain=False)
        self._events.publish(now)
        while state.resends:
            state.resending.want(*state.resends.popleft())
        if not self._events.has_more:
            self._events.publish_resends(now)
        for view in state.views.due(now, behind_events=self._events.has_more):
            if self._free() < 1:
                break
            payload = view.payload if isinstance(view.payload, bytes) else view.payload(self._connection)
            self._publish_other(state.topics.view(view.suffix), payload, retain=True, expiry_s=view.expiry_s)
            state.views.published(view, now)
        self._fetch(now)

    def _fetch(self, now: float) -> None:
        """Subscribe to single orders that are wanted, and give up those that did not come. (`mqtt.md#order-index`)"""
        state = self._state
        while state.fetches:
            state.fetching.want(map(state.topics.order, state.fetches.popleft()))
        if started := state.fetching.start(now):
            self._subscriptions.asked(self._client.subscribe(started), started, now)
        if expired := state.fetching.expire(now):
            self._client.unsubscribe(expired)

    # -- callbacks ---------------------------------------------------------------------------------------------------

    def _report_delivered(self) -> None:
        delivered = self._state.outbox.delivered
        if delivered != self.delivered:
            self.delivered = delivered
            self._callbacks.delivered(delivered)

    def _report_rolled_back(self, now: float) -> None:
        journal = self._state.outbox.rolled_back
        if journal is not None and now - self._rollback_reported_at >= self._timing.rollback_repeat_s:
            self._rollback_reported_at = now
            self._callbacks.rolled_back(journal)
            self._callbacks.note(rolled_back=True)
