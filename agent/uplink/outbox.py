"""The outbox: which event goes out next, and what an answer means. No I/O of its own; time is handed in.

The journal is the queue; here is only a window over it. `_read` is how far the journal has been read in this pass,
`_seen` the highest position ever sent, `delivered` what is delivered. A connection, an unanswered `ack_timeout_s`
or a change of the journal id starts a new pass behind `delivered`: consumers know events by their ids.

One barrier: events of earlier journal ids (positions up to the head's base, after a rollback) must all have been taken
by the broker before an event of the present id goes out, because an ack of the present id covers all before it.
Where the broker says that one of them met no subscriber, they are sent once more when the first such ack has come.
"""

import math
from collections import deque
from enum import Enum
from typing import NamedTuple

from agent.contract.cloudevents import undeliverable
from agent.uplink.event_source import EventSource, SourcedEvent, SourceHead
from agent.uplink.refusals import Refusals
from agent.uplink.uplink_settings import Confirm, Timing

__all__ = ["CONSUMER_WINDOW", "AckResult", "Outbox", "Outgoing"]

CONSUMER_WINDOW = 1000
"""Events published beyond the consumer's ack, at most; also how many may stand refused."""

BATCH = 128
NO_SUBSCRIBER = 0x10
FAILURE = 0x80


class AckResult(Enum):
    """What a consumer's ack means."""

    COVERED = "it covers more than before"
    UNCHANGED = "it changes nothing"
    ROLLED_BACK = "the journal is an old copy"


class Outgoing(NamedTuple):
    position: int
    document: bytes


class Outbox:
    """One kiosk's events on their way to the broker. Owned by the uplink's thread.

    `delivered` and `sent` are positions; `delivered` never goes back. `no_consumer`: the broker said last that
    nobody subscribes. `refusals` counts refused publishes.
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
        self._base = head.base
        self._consumer = confirm is Confirm.CONSUMER
        self._max_inflight = max_inflight
        self._ack_timeout_s = ack_timeout_s
        self._timing = timing
        self.delivered = head.delivered
        self.refusals = 0
        self.no_consumer = False

        self._connected = False
        self._window = max_inflight
        self._inflight: dict[int, int] = {}
        self._answered_at = 0.0
        self._queue: deque[SourcedEvent] = deque()
        self._read = head.delivered
        self._seen = head.delivered
        self._open: dict[int, None] = {}  # broker mode: sent and not taken, in ascending order
        self._barrier = True
        self._old_unheard = False  # an event of an earlier journal id met no subscriber in this pass
        self._old_repeated = False
        self._refused = Refusals(timing=timing)
        self._ids: deque[tuple[int, str]] = deque()  # of what is sent and not delivered, under the present journal id
        self._bases: dict[str, int] = {}
        self._rolled_back: str | None = None
        self._ack_due = math.inf  # until then nothing goes out: the retained ack is awaited
        self._probe_due = math.inf  # until then nothing goes out: nobody subscribes
        self._probing = False
        self._probe_wait_s = timing.retry_s
        self._resend_s = ack_timeout_s
        self._uncovered_since = math.inf

    # -- what others ask ---------------------------------------------------------------------------------------------

    @property
    def sent(self) -> int:
        """The highest position that was published."""
        return self._seen

    @property
    def in_flight(self) -> int:
        """Events published and not yet answered by the broker."""
        return len(self._inflight)

    @property
    def full(self) -> bool:
        """Whether the next event waits for nothing but an answer to one in flight."""
        return len(self._inflight) >= self._window

    @property
    def refused(self) -> int:
        """Events that stand refused now."""
        return len(self._refused)

    @property
    def rolled_back(self) -> str | None:
        """The journal id that turned out to be an old copy; nothing goes out until the journal has a new one."""
        return self._rolled_back

    @property
    def awaiting_ack(self) -> bool:
        """Whether the retained ack is awaited."""
        return self._ack_due != math.inf

    def deadline(self) -> float:
        """When to call `tick` and `next` again though nothing happened; infinity for never."""
        if not self._connected or self._rolled_back:
            return math.inf
        resend_at = self._uncovered_since + self._resend_s
        if len(self._inflight) >= self._window or (self._probing and self._inflight):
            return resend_at  # an answer comes before anything else can
        return min(self._ack_due, self._probe_due, max(self._refused.due, self._held_until()), resend_at)

    def stalled_since(self) -> float:
        """Since when the broker owes an answer; infinity if it owes none."""
        return self._answered_at if self._inflight else math.inf

    # -- connection --------------------------------------------------------------------------------------------------

    def connected(self, now: float, *, receive_maximum: int) -> None:
        """A connection stands; the broker takes `receive_maximum` unanswered publishes at most."""
        self._connected = True
        self._window = min(self._max_inflight, receive_maximum)
        self._ack_due = now + self._timing.ack_wait_s if self._consumer else math.inf
        self._probe_due = math.inf
        self._probing = False
        self._new_pass()

    def disconnected(self, now: float) -> None:
        """The connection is gone, and with it what was in flight."""
        self._connected = False
        self._inflight.clear()
        self._ack_due = math.inf
        self._refused.lost(now)
        self._new_pass()

    def adopt(self, head: SourceHead) -> None:
        """The journal went on."""
        old, self._head = self._head, head
        if head.journal != old.journal:
            self._bases[old.journal] = self._base
            self._base = head.base
            self._rolled_back = None
            self._old_repeated = False
            self._ids.clear()
            self._new_pass()

    # -- out ---------------------------------------------------------------------------------------------------------

    def next(self, now: float) -> Outgoing | None:
        """The event to publish now, if one may go; then call `sent_as`. Raises what the source raises."""
        if not self._connected or self._rolled_back or len(self._inflight) >= self._window:
            return None
        if now < self._held_until():
            return None
        self._ack_due = math.inf
        if self._probe_due != math.inf:
            self._probe_due = math.inf
            self._probing = True
            self._new_pass()
        if self._probing and self._inflight:
            return None
        if now >= self._refused.due and (again := self._take_refused(now)):
            return again
        while True:
            if not self._queue and not self._refill():
                return None
            event = self._queue[0]
            position = event.position
            if not self._allowed(position):
                return None
            self._queue.popleft()
            if position > self._seen or not self._skip(position):
                return self._outgoing(event)

    def sent_as(self, token: int, position: int, now: float) -> None:
        """The event was published as `token`, by which `answered` will know it."""
        if not self._inflight:
            self._answered_at = now
        self._inflight[token] = position
        if position > self._seen:
            self._seen = position
            if not self._consumer:
                self._open[position] = None
        if now < self._uncovered_since and self._consumer:
            self._uncovered_since = now

    def tick(self, now: float) -> None:
        """Time passes: what stayed uncovered for too long is sent again."""
        if self._connected and now >= self._uncovered_since + self._resend_s and self._ack_due == math.inf:
            self._new_pass()
            self._uncovered_since = now
            self._resend_s = min(self._resend_s * 2, max(self._timing.resend_max_s, self._ack_timeout_s))

    # -- in ----------------------------------------------------------------------------------------------------------

    def answered(self, token: int, code: int, reason: str, now: float) -> bool:
        """The broker's PUBACK; false if no event went out as `token`. `reason` is the code in words."""
        position = self._inflight.pop(token, None)
        if position is None:
            return False
        self._answered_at = now
        if code >= FAILURE:
            self.refuse(position, reason, now)
            return True
        self.no_consumer = code == NO_SUBSCRIBER
        if self.no_consumer:
            if not self._consumer:
                self._nobody_listens(now)
                return True
            self._old_unheard |= position <= self._base
        self._probing = False
        self._probe_wait_s = self._timing.retry_s
        if self._refused:
            self._refused.passed(position)
        if not self._consumer:
            self._open.pop(position, None)
            # What is open is in ascending order; all below the first of it was taken.
            self._deliver(next(iter(self._open)) - 1 if self._open else self._seen, now)
        return True

    def refuse(self, position: int, reason: str, now: float) -> None:
        """The broker refused this event, or would: try it again later."""
        self.refusals += 1
        if position > self.delivered:
            if position > self._seen:  # never published: too large for this broker
                self._seen = position
                if not self._consumer:
                    self._open[position] = None
            self._refused.refused(position, reason, now)

    def ack_arrived(self) -> None:
        """A message came on the ack topic, whatever it says: there is nothing to wait for any more."""
        self._ack_due = math.inf

    def acknowledge(self, *, journal: str, through: int, event_id: str | None, now: float) -> AckResult:
        """The consumer says that it has stored all of `journal` up to sequence `through`. Call `adopt` first.

        Raises what the source raises.
        """
        self.ack_arrived()
        if not self._consumer or through < 1 or self._rolled_back == journal:
            return AckResult.ROLLED_BACK if self._rolled_back == journal else AckResult.UNCHANGED
        if journal != self._head.journal:
            return self._acknowledge_old(journal, through, event_id, now)
        if through > self._head.last_sequence:
            self._rolled_back = journal
            return AckResult.ROLLED_BACK
        own_id = self._own_id(through) if event_id is not None else None
        if own_id is not None and own_id != event_id:
            self._rolled_back = journal
            return AckResult.ROLLED_BACK
        if self.delivered < self._base and self._old_unheard and not self._old_repeated:
            # This ack shows that the consumer is there now, not that it was there when the old events went out.
            self._old_repeated = True
            self._new_pass()
            return AckResult.UNCHANGED
        return self._cover(self._base + through, now)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _held_until(self) -> float:
        """Until when nothing goes out; in the past if nothing holds it."""
        return max(due if due != math.inf else -math.inf for due in (self._ack_due, self._probe_due))

    def _allowed(self, position: int) -> bool:
        if len(self._refused) >= CONSUMER_WINDOW:
            return False
        if position <= self._base:
            return True
        if self._barrier:
            if self._refused.any_to(self._base) or any(out <= self._base for out in self._inflight.values()):
                return False
            self._barrier = False
        return not self._consumer or position <= max(self.delivered, self._base) + CONSUMER_WINDOW

    def _skip(self, position: int) -> bool:
        """Whether an event met in a repeated pass is on its way by other means, or taken already."""
        if position <= self.delivered or position in self._refused or position in self._inflight.values():
            return True
        return not self._consumer and position not in self._open

    def _refill(self) -> bool:
        events = self._source.read(self._read, BATCH)
        if not events:
            return False
        self._queue.extend(events)
        self._read = events[-1].position
        if events[0].position <= self._base:
            for event in events:
                self._bases.setdefault(event.journal, event.position - event.sequence)
        return True

    def _take_refused(self, now: float) -> Outgoing | None:
        position = self._refused.first_due(now)
        if position is None:
            return None
        events = self._source.read(position - 1, 1)
        if not events or events[0].position != position:
            self._refused.passed(position)  # no longer there: nothing to send
            return None
        self._refused.out(position)
        return self._outgoing(events[0])

    def _outgoing(self, event: SourcedEvent) -> Outgoing:
        position, document = event.position, event.document
        if self._consumer and position > self._base and (not self._ids or position > self._ids[-1][0]):
            self._ids.append((position, _id_of(document)))
        reason = self._refused.stand_in(position)
        return Outgoing(position, document if reason is None else undeliverable(document, reason))

    def _own_id(self, sequence: int) -> str | None:
        position = self._base + sequence
        if self._ids and 0 <= (index := position - self._ids[0][0]) < len(self._ids):
            at, event_id = self._ids[index]
            if at == position:
                return event_id
        return self._source.event_id(self._head.journal, sequence)

    def _nobody_listens(self, now: float) -> None:
        if self._probe_due == math.inf:
            self._probe_due = now + self._probe_wait_s
            self._probe_wait_s = min(self._probe_wait_s * 2, self._timing.no_consumer_max_s)

    def _acknowledge_old(self, journal: str, through: int, event_id: str | None, now: float) -> AckResult:
        """An ack of an earlier journal id counts by its event's id alone, and where that id's positions are known."""
        if self.delivered >= self._base or event_id is None or event_id != self._source.event_id(journal, through):
            return AckResult.UNCHANGED
        if journal not in self._bases:
            for event in self._source.read(self.delivered, 1):
                self._bases[event.journal] = event.position - event.sequence
        base = self._bases.get(journal)
        return AckResult.UNCHANGED if base is None else self._cover(min(base + through, self._base), now)

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
        self._resend_s = self._ack_timeout_s
        self._uncovered_since = now if self._consumer and position < self._seen else math.inf
        self._refused.delivered(position)
        while self._queue and self._queue[0].position <= position:
            self._queue.popleft()
        self._read = max(self._read, position)
        while self._ids and self._ids[0][0] <= position:
            self._ids.popleft()

    def _new_pass(self) -> None:
        self._queue.clear()
        self._read = self.delivered
        self._barrier = True
        self._old_unheard = False
        self._uncovered_since = math.inf


def _id_of(document: bytes) -> str:
    """A CloudEvents document's `id`, without parsing all of it; ours hold no escapes."""
    start = document.index(b'"id":"') + 6
    return document[start : document.index(b'"', start)].decode("ascii", "replace")
