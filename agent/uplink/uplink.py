"""The uplink: one thread that keeps a connection to the central broker and publishes every event there."""

import logging
import math
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from agent.contract.kiosk_status import status_document
from agent.contract.topics import Inbound, Topics
from agent.runtime.clock import Clock, SystemClock
from agent.runtime.log_limit import LogLimit
from agent.runtime.waker import Waker
from agent.uplink.backoff import Backoff
from agent.uplink.certificates import expiry_of_pem_file
from agent.uplink.duplicates import DuplicateDetector
from agent.uplink.event_source import EventSource
from agent.uplink.failures import BrokerLost
from agent.uplink.fetching import Fetching
from agent.uplink.outbox import Outbox
from agent.uplink.packets import Will
from agent.uplink.resending import RANGES_MAX, Resending
from agent.uplink.retained_views import Payload, RetainedView, RetainedViews
from agent.uplink.session import Session
from agent.uplink.uplink_health import Situation, UplinkHealth
from agent.uplink.uplink_settings import BrokerSettings, DeliverySettings, Timing
from agent.uplink.uplink_state import UplinkCallbacks, UplinkState

__all__ = ["Uplink"]

logger = logging.getLogger(__name__)

RESPONSES_KEPT = 100
SECOND_CLIENT = "another client seems to connect with this kiosk's client id"


class Uplink:
    """Publishes the journal's events, and passes on what the centre sends.

    Callbacks run in the uplink's thread and must return at once: `on_inbound` gets every message but acks;
    `on_delivered(position)` is called when everything up to there is delivered; `on_rolled_back(journal_id)` when the
    journal of that id is an old copy and must continue under a new one, repeatedly until it does; `on_change` when
    `health` has changed in more than its numbers; `next_connection` returns the number of the connection to be made. An
    exception from a callback, or a bug here, ends the thread through `threading.excepthook`.
    """

    def __init__(
        self,
        *,
        broker: BrokerSettings,
        delivery: DeliverySettings,
        site: str,
        kiosk: str,
        version: str,
        source: EventSource,
        on_inbound: Callable[[Inbound], None],
        on_delivered: Callable[[int], None],
        on_rolled_back: Callable[[str], None],
        on_change: Callable[[], None],
        next_connection: Callable[[], int],
        clock: Clock | None = None,
        timing: Timing | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._broker = broker
        self._version = version
        self._clock = clock or SystemClock()
        self._timing = timing or Timing()
        self._on_change = on_change
        self._next_connection = next_connection
        self._unused_number: int | None = None
        """A number that no connection has used."""
        self._situation = Situation()
        self._proved = False
        """Whether this connection has lasted a while or delivered something."""
        self._backoff = Backoff(timing=self._timing, random=chance)
        self._topics = Topics(site, kiosk)
        self._state = UplinkState(
            topics=self._topics,
            source=source,
            outbox=Outbox(
                source=source,
                head=source.head(),
                confirm=delivery.confirm,
                max_inflight=delivery.max_inflight,
                ack_timeout_s=delivery.ack_timeout_s,
                timing=self._timing,
            ),
            views=RetainedViews(timing=self._timing),
            fetching=Fetching(timeout_s=self._timing.fetch_timeout_s),
            resending=Resending(source),
            responses=deque(maxlen=RESPONSES_KEPT),
            fetches=deque(),
            resends=deque(maxlen=RANGES_MAX),
            reload=threading.Event(),
            waker=Waker(),
            log_limit=LogLimit(),
        )
        self._callbacks = UplinkCallbacks(
            inbound=on_inbound, delivered=on_delivered, rolled_back=on_rolled_back, note=self._note
        )
        self._stopping = threading.Event()
        self._stop_reason = ""
        self._stop_until = 0.0
        self._online_at = -math.inf
        """When the newest connection was accepted; minus infinity if the newest attempt failed."""
        self._duplicates = DuplicateDetector(protocol=broker.protocol, timing=self._timing)
        self._last_line = ""
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    # -- for any thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread. Call it once."""
        self._thread.start()

    def stop(self, *, reason: str, timeout_s: float) -> None:
        """Publish `offline` with the reason, disconnect and end the thread (`mqtt.md#status`).

        Takes little more than `timeout_s`. Idempotent; may be called without `start`.
        """
        self._stop_reason = reason
        self._stop_until = self._clock.monotonic() + timeout_s
        self._stopping.set()
        self._state.waker.wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 0.5)

    def close(self) -> None:
        """Close what the uplink has open, after `stop` or in its place if it was never started. Idempotent."""
        if not self._thread.is_alive():
            self._state.waker.close()

    def wake(self) -> None:
        """Events were committed: publish them."""
        self._state.waker.wake()

    def publish_view(self, suffix: str, payload: Payload, *, expiry_s: int | None = None) -> None:
        """Publish the retained view `suffix` (`health`, `station/1`), now and at every connect.

        `payload` may be a function of the connection's number; the uplink's thread calls it.
        """
        self._state.views.put(RetainedView(suffix, payload, expiry_s, self._clock.monotonic()))
        self._state.waker.wake()

    def respond(self, transaction: str, payload: bytes) -> None:
        """Answer the request of that transaction. (`mqtt.md#requests`)

        While the broker cannot be reached, the newest hundred answers are kept.
        """
        self._state.responses.append((self._topics.response(transaction), payload))
        self._state.waker.wake()

    def fetch(self, orders: Sequence[str]) -> None:
        """Have the broker send the manifests of these orders again. Each that exists is passed to `on_inbound`."""
        self._state.fetches.append(tuple(orders))
        self._state.waker.wake()

    def reload(self) -> None:
        """Have the broker send all retained messages again."""
        self._state.reload.set()
        self._state.waker.wake()

    def resend(self, first: int, last: int) -> None:
        """Publish the events at positions `first` to `last` again, after events that were never published."""
        self._state.resends.append((first, last))
        self._state.waker.wake()

    def health(self) -> UplinkHealth:
        """Return the uplink's health now."""
        outbox = self._state.outbox
        head = self._state.source.head()
        acked = outbox.delivered
        return UplinkHealth(
            situation=self._situation,
            backlog=max(0, head.last_position - acked),
            sent=outbox.sent,
            acked=acked,
            last_sequence=head.last_sequence,
            acked_sequence=max(0, acked - head.base),
            refused=outbox.refused,
            refusals=outbox.refusals,
        )

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        if not self._broker.tls:
            logger.warning("mqtt.tls is false: the password and all events are sent unencrypted; set mqtt.tls = true")
        hosts = self._broker.hosts
        turn = 0
        while not self._stopping.is_set():
            host, port = hosts[turn % len(hosts)]
            turn += 1
            self._proved = False
            self._online_at = -math.inf
            try:
                self._connect_and_serve(host, port)
            except BrokerLost as exc:
                was_online = self._situation.online
                wait_s = self._after_loss(exc, f"{host}:{port}", round_over=turn % len(hosts) == 0 or was_online)
                if self._duplicates.is_suspicious:
                    turn -= 1  # is this broker still there?
                elif self._proved and not exc.stalled:
                    turn = 0  # else try the next host: this one may accept and drop us forever
                self._stopping.wait(wait_s)
        self._note(online=False, state="stopped")

    def _after_loss(self, error: BrokerLost, where: str, *, round_over: bool) -> float:
        """Log why the connection was lost; return how many seconds to wait. A repeated reason is logged at DEBUG only.

        `round_over`: all hosts have been tried. (`mqtt.md#reconnect`, `mqtt.md#duplicate-client-id`)
        """
        line = f"{where}: {error}"
        logger.log(logging.DEBUG if line == self._last_line else logging.WARNING, "%s", line)
        self._last_line = line
        is_duplicate = self._duplicates.lost(error, since_online_s=self._clock.monotonic() - self._online_at)
        if is_duplicate or str(error) == SECOND_CLIENT:
            self._duplicates.forget()
            logger.error(
                "duplicate_id: another client %s as %s; give each kiosk an id of its own. Next attempt in %.0f s",
                "has connected" if error.taken_over else "seems to connect",
                self._topics.client_id,
                self._timing.duplicate_wait_s,
            )
            self._note(online=False, state="staying away", error=line, duplicate_id=True)
            return self._timing.duplicate_wait_s
        self._note(online=False, state="waiting to connect", error=line)
        if self._duplicates.is_suspicious:
            return 0.0
        return self._backoff.next_s() if round_over else 0.0

    def _connect_and_serve(self, host: str, port: int) -> None:
        """Connect, and serve the connection until the stop. Raises BrokerLost. (`mqtt.md#connection`)"""
        from agent.uplink.client import Client  # imported late: paho takes long, and only this thread waits

        if not self._situation.duplicate_id:
            self._note(state="connecting")
        number = self._next_connection() if self._unused_number is None else self._unused_number
        self._unused_number = number
        will = status_document(
            state="offline",
            reason="connection lost",
            version=self._version,
            journal=self._state.source.head().journal or None,
            since=self._clock.utc_text(),
            connection=number,
        )
        client = Client(
            self._broker,
            client_id=self._topics.client_id,
            will=Will(topic=self._topics.status, payload=will),
        )
        try:
            client.connect(host, port, timeout_s=self._timing.connect_timeout_s)
            self._unused_number = None
            until = self._clock.monotonic() + self._timing.connect_timeout_s
            while client.connack is None:
                if self._stopping.is_set():
                    return
                if self._clock.monotonic() >= until:
                    raise BrokerLost("the broker accepts the connection and does not answer; is it an MQTT broker?")
                client.poll(min(until - self._clock.monotonic(), self._timing.poll_s))
            self._online_at = self._clock.monotonic()
            if self._duplicates.connected():
                client.close()
                raise BrokerLost(SECOND_CLIENT)
            session = Session(
                client=client,
                connack=client.connack,
                state=self._state,
                callbacks=self._callbacks,
                clock=self._clock,
                timing=self._timing,
                version=self._version,
                connection=number,
            )
            try:
                session.open()
                self._note(
                    online=True,
                    connection=number,
                    state="online",
                    host=f"{host}:{port}",
                    error=None,
                    server_certificate_expires=client.server_certificate_expires(),
                    client_certificate_expires=expiry_of_pem_file(self._broker.cert_file)
                    if self._broker.cert_file
                    else None,
                )
                logger.info("connected to %s:%d", host, port)
                self._last_line = ""
                self._serve(session)
            finally:
                session.close()
        finally:
            client.drop()

    def _serve(self, session: Session) -> None:
        """Run an open session until the stop. Raises BrokerLost."""
        delivered = session.delivered
        while not self._stopping.is_set():
            session.step()
            lasted_s = self._clock.monotonic() - self._online_at
            if lasted_s >= self._timing.stable_s:
                self._duplicates.connection_is_stable()
            if lasted_s >= self._timing.stable_s or session.delivered != delivered:
                self._proved = True
                self._backoff.reset()
            if self._situation.duplicate_id and lasted_s >= 2 * self._timing.duplicate_wait_s:
                self._note(duplicate_id=False)  # the other client would have come back by now
        session.stop(reason=self._stop_reason, until=self._stop_until)

    def _note(self, **changes: Any) -> None:
        """Update the situation and call `on_change` if anything is new."""
        situation = self._situation
        if any(getattr(situation, name) != value for name, value in changes.items()):
            self._situation = replace(situation, **changes)
            self._on_change()
