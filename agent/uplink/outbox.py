"""The outbox: which event is published next, and what an answer to it means. Does no I/O; time is handed in.

The journal is the queue (`mqtt.md#journal-is-the-outbox`); the outbox is a window over it, which begins after the
delivery mark. A new connection, a resend and a new journal id each start a new pass from there. Consumers recognise
repeated events by their ids.
"""

import math
from enum import Enum
from typing import NamedTuple

from agent.contract.cloudevents import undeliverable
from agent.uplink.event_source import EventSource, SourcedEvent, SourceHead
from agent.uplink.old_events import OldEvents
from agent.uplink.read_ahead import ReadAhead
from agent.uplink.refusals import Refusals
from agent.uplink.resend_timer import ResendTimer
from agent.uplink.sent_ids import SentIds
from agent.uplink.subscriber_probe import SubscriberProbe
from agent.uplink.uplink_settings import Confirm, Timing

__all__ = ["CONSUMER_WINDOW", "AckResult", "Outbox", "Outgoing"]

CONSUMER_WINDOW = 1000
"""How many events may be published beyond the consumer's ack, and how many may be refused at a time."""

NO_SUBSCRIBER = 0x10
FAILURE = 0x80


class AckResult(Enum):
    """What a consumer's ack means."""

    COVERED = "it covers more than before"
    UNCHANGED = "it changes nothing"
    ROLLED_BACK = "the journal is an old copy"


class Outgoing(NamedTuple):
    """An event to publish now."""

    position: int
    document: bytes


class Outbox:
    """The events of one kiosk on their way to the broker. For the uplink's thread alone.

    `delivered` is a position that never goes back. `no_consumer`: the broker's last answer was that nobody subscribes.
    `refusals` counts refused publishes.
    """

    def __init__(
        self,
        *,
        source: EventSource,
        head: SourceHead,
        confirm: Confirm,
        max_inflight: int,
        ack_timeout_s: float,
        timing: Timing,
    ) -> None:
        self._source = source
        self._head = head
        self._old = OldEvents(head.base)
        self._consumer = confirm is Confirm.CONSUMER
        self._max_inflight = max_inflight
        self._timing = timing
        self.delivered = head.delivered
        self.refusals = 0
        self.no_consumer = False

        self._connected = False
        self._window = max_inflight
        self._inflight: dict[int, int] = {}  # position by token
        self._sent_at: dict[int, float] = {}  # when it was published, by token; ascending
        self._queue = ReadAhead(source, after=head.delivered)
        self._seen = head.delivered  # the highest position ever published
        self._open: dict[int, None] = {}  # with confirm = "broker": published and not accepted, ascending
        self._refused = Refusals(timing=timing)
        self._ids = SentIds()
        self._rolled_back: str | None = None
        self._ack_due = math.inf  # until then nothing goes out, because the retained ack may still come
        self._probe = SubscriberProbe(first_s=timing.retry_s, max_s=timing.no_consumer_max_s)
        self._resend = ResendTimer(first_s=ack_timeout_s, max_s=timing.resend_max_s)

    # -- state -------------------------------------------------------------------------------------------------------

    @property
    def sent(self) -> int:
        """The highest position that was published."""
        return self._seen

    @property
    def in_flight(self) -> int:
        """How many events are published and not yet answered by the broker."""
        return len(self._inflight)

    @property
    def full(self) -> bool:
        """Whether the next event only waits for an answer to one in flight."""
        return len(self._inflight) >= self._window

    @property
    def refused(self) -> int:
        """How many events are refused at present."""
        return len(self._refused)

    @property
    def rolled_back(self) -> str | None:
        """The journal id that proved to be an old copy; nothing goes out until the journal has a new id."""
        return self._rolled_back

    def deadline(self) -> float:
        """Return when to call `tick` and `next` again although nothing happened; infinity for never."""
        if not self._connected or self._rolled_back:
            return math.inf
        if len(self._inflight) >= self._window or (self._probe.is_running and self._inflight):
            return self._resend.due  # nothing else can happen before an answer
        return min(self._ack_due, self._probe.due, max(self._refused.due, self._held_until()), self._resend.due)

    def stalled_since(self) -> float:
        """Return when the oldest event in flight was published; infinity if there is none."""
        return next(iter(self._sent_at.values()), math.inf)

    # -- connection --------------------------------------------------------------------------------------------------

    def connected(self, now: float, *, receive_maximum: int) -> None:
        """Begin a connection. The broker takes at most `receive_maximum` unanswered publishes."""
        self._connected = True
        self._window = min(self._max_inflight, receive_maximum)
        self._ack_due = now + self._timing.ack_wait_s if self._consumer else math.inf
        self._probe.cancel()
        self._new_pass()

    def disconnected(self, now: float) -> None:
        """End the connection: what was in flight must be published again."""
        self._connected = False
        self._inflight.clear()
        self._sent_at.clear()
        self._ack_due = math.inf
        self._refused.lost(now)
        self._new_pass()

    def update_head(self, head: SourceHead) -> None:
        """Take note of new events, or of a new journal id."""
        old, self._head = self._head, head
        if head.journal != old.journal:
            self._queue.bases[old.journal] = self._old.base
            self._old.new_journal_id(head.base)
            self._rolled_back = None
            self._ids.clear()
            self._new_pass()

    # -- out ---------------------------------------------------------------------------------------------------------

    def next(self, now: float) -> Outgoing | None:
        """Return the event to publish now; None if none may go. After publishing it call `sent_as`.

        Raises what the source raises.
        """
        if not self._connected or self._rolled_back or len(self._inflight) >= self._window:
            return None
        if now < self._held_until():
            return None
        self._ack_due = math.inf
        if self._probe.due != math.inf:
            self._probe.begin()
            self._new_pass()
        if self._probe.is_running and self._inflight:
            return None
        if now >= self._refused.due and (again := self._take_refused(now)):
            return again
        while (event := self._queue.first(base=self._old.base)) is not None and self._is_allowed(event.position):
            self._queue.remove_first()
            if event.position > self._seen or not self._is_skipped(event.position):
                return self._outgoing(event)
        return None

    def sent_as(self, token: int, position: int, now: float) -> None:
        """The event was published; `puback` will get the same `token`."""
        self._inflight[token] = position
        self._sent_at[token] = now
        if position > self._seen:
            self._mark_seen(position)
        if self._consumer:
            self._resend.start(now)

    def tick(self, now: float) -> None:
        """Publish again what has been uncovered for too long. (`mqtt.md#unacknowledged-events`)"""
        if self._connected and now >= self._resend.due and self._ack_due == math.inf:
            self._new_pass()
            self._resend.repeat(now)

    # -- in ----------------------------------------------------------------------------------------------------------

    def puback(self, token: int, code: int, reason: str, now: float) -> bool:
        """Process the broker's answer; return False if no event was published as `token`.

        `code` is the MQTT 5 reason code, `reason` its name. (`mqtt.md#broker-confirmation`, `mqtt.md#refused-publish`)
        """
        position = self._inflight.pop(token, None)
        if position is None:
            return False
        self._sent_at.pop(token, None)
        if code >= FAILURE:
            self.refuse(position, reason, now)
            return True
        self.no_consumer = code == NO_SUBSCRIBER
        if self.no_consumer:
            if not self._consumer:
                self._probe.no_subscriber(now)
                return True
            self._old.no_subscriber(position)
        self._probe.succeeded()
        if self._refused:
            self._refused.accepted(position)
        if not self._consumer:
            self._open.pop(position, None)
            # `_open` is ascending: the broker has accepted everything below its first entry.
            self._deliver(next(iter(self._open)) - 1 if self._open else self._seen, now)
        return True

    def refuse(self, position: int, reason: str, now: float) -> None:
        """The broker refused the event, or would refuse it: try it again later. (`mqtt.md#refused-publish`)"""
        self.refusals += 1
        if position > self.delivered:
            if position > self._seen:  # too large for this broker, so never published
                self._mark_seen(position)
            self._refused.refused(position, reason, now)

    def ack_arrived(self) -> None:
        """A message came on the ack topic, whatever it says: do not wait for the retained ack any longer."""
        self._ack_due = math.inf

    def acknowledge(self, *, journal: str, through: int, event_id: str | None, now: float) -> AckResult:
        """Process an ack: the consumer has stored all events of `journal` up to sequence `through`.

        `event_id` is the id of that event, if the ack has one. Call `update_head` before. Raises what the source
        raises. (`mqtt.md#acknowledgement`, `mqtt.md#rolled-back-journal`, `faults.md#broker-or-consumer-loses-data`)
        """
        self.ack_arrived()
        if self._rolled_back == journal:
            return AckResult.ROLLED_BACK
        if not self._consumer or through < 1:
            return AckResult.UNCHANGED
        if journal != self._head.journal:
            return self._acknowledge_old(journal, through, event_id, now)
        own_id = self._own_id(through) if event_id is not None and through <= self._head.last_sequence else None
        if through > self._head.last_sequence or (own_id is not None and own_id != event_id):
            self._rolled_back = journal
            return AckResult.ROLLED_BACK
        if self._old.must_repeat(delivered=self.delivered):
            self._new_pass()
            return AckResult.UNCHANGED
        return self._cover(self._old.base + through, now)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _held_until(self) -> float:
        """Return until when nothing goes out; minus infinity if nothing holds events back."""
        return max(due if due != math.inf else -math.inf for due in (self._ack_due, self._probe.due))

    def _is_allowed(self, position: int) -> bool:
        """Return whether the event may go out now, by the window and by the events that must go out before it."""
        if len(self._refused) >= CONSUMER_WINDOW:
            return False
        if self._old.hold_back(position, refused=self._refused, in_flight=self._inflight.values()):
            return False
        return not self._consumer or position <= max(self.delivered, self._old.base) + CONSUMER_WINDOW

    def _is_skipped(self, position: int) -> bool:
        """Return whether an event of a repeated pass is in flight, waits for a retry, or was accepted already."""
        if position <= self.delivered or position in self._refused or position in self._inflight.values():
            return True
        return not self._consumer and position not in self._open

    def _take_refused(self, now: float) -> Outgoing | None:
        position = self._refused.first_due(now)
        if position is None:
            return None
        events = self._source.read(position - 1, 1)
        if not events or events[0].position != position:
            self._refused.accepted(position)  # pruned: nothing to send
            return None
        self._refused.retrying(position)
        return self._outgoing(events[0])

    def _outgoing(self, event: SourcedEvent) -> Outgoing:
        position, document = event.position, event.document
        if self._consumer and position > self._old.base:
            self._ids.add(position, document)
        reason = self._refused.stand_in_reason(position)
        return Outgoing(position, document if reason is None else undeliverable(document, reason))

    def _own_id(self, sequence: int) -> str | None:
        return self._ids.get(self._old.base + sequence) or self._source.event_id(self._head.journal, sequence)

    def _acknowledge_old(self, journal: str, through: int, event_id: str | None, now: float) -> AckResult:
        """Process an ack of an earlier journal id: it counts only if it names the right event id."""
        if self.delivered >= self._old.base or event_id is None or event_id != self._source.event_id(journal, through):
            return AckResult.UNCHANGED
        base = self._queue.base_of(journal, delivered=self.delivered)
        return AckResult.UNCHANGED if base is None else self._cover(min(base + through, self._old.base), now)

    def _cover(self, position: int, now: float) -> AckResult:
        if position <= self.delivered:
            return AckResult.UNCHANGED
        self._deliver(position, now)
        return AckResult.COVERED

    def _deliver(self, position: int, now: float) -> None:
        if position <= self.delivered:
            return
        self.delivered = position
        self._seen = max(self._seen, position)
        self._resend.reset()
        if self._consumer and position < self._seen:
            self._resend.start(now)
        self._refused.delivered(position)
        self._queue.skip_to(position)
        self._ids.delivered(position)

    def _mark_seen(self, position: int) -> None:
        self._seen = position
        if not self._consumer:
            self._open[position] = None

    def _new_pass(self) -> None:
        self._queue.restart(after=self.delivered)
        self._old.new_pass()
        self._resend.stop()
