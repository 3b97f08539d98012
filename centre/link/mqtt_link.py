"""The connection to one broker: made, kept, and made again. What it receives waits in a bounded queue.

A message is acknowledged to the broker when it is received. What protects an event is the kiosk's journal, which the
centre's own `ack` releases. (`mqtt.md#acknowledgement`)
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from centre.centre_errors import LinkDown
from centre.configuration.centre_settings import MqttBrokerSettings
from centre.link.link_settings import LinkTiming, QueueBounds
from centre.link.paho_connection import PahoConnection
from centre.link.received import Received
from centre.link.together import together
from centre.moments import Now, moment

__all__ = ["MqttLink", "ceiling_s"]

_log = logging.getLogger(__name__)

_UNSENT_BYTES = 1024 * 1024
"""With more than this waiting for the network, the next publish waits."""


class MqttLink:
    """A `BrokerLink`, driven by `run`. Used in the event loop's thread.

    `on_message` gets one message at a time, in the order of their coming; while it waits, the queue fills, and a full
    queue stops the reading of the socket. `on_connect` runs beside that after each connect, once the broker has
    answered to the subscriptions, and is cancelled when the connection ends. `on_disconnect` is then called.
    """

    def __init__(
        self,
        settings: MqttBrokerSettings,
        sites: Sequence[str],
        *,
        client_id: str,
        now: Now,
        on_message: Callable[[Received], Awaitable[None]],
        on_connect: Callable[["MqttLink"], Coroutine[Any, Any, None]],
        on_disconnect: Callable[["MqttLink"], None] = lambda _: None,
        bounds: QueueBounds | None = None,
        timing: LinkTiming | None = None,
    ) -> None:
        self.name = settings.name
        self.sites = tuple(sites)
        self.client_id = client_id
        self.state = "not yet connected"
        """Why there is no connection, in words; `connected` if there is one."""
        self._settings = settings
        self._now = now
        self._on_message = on_message
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._bounds = bounds or QueueBounds()
        self._timing = timing or LinkTiming()
        self._connection: PahoConnection | None = None
        self._queue: deque[Received] = deque()
        self._queued_bytes = 0
        self._queue_has_more = asyncio.Event()
        self._turn = asyncio.Lock()
        self._slots = asyncio.Semaphore(0)

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and not self._connection.is_lost

    @property
    def waiting_bytes(self) -> int:
        """How much has been received and not yet been taken."""
        return self._queued_bytes

    async def run(self) -> None:
        """Stay connected until cancelled. Raises what the callbacks raise, but for LinkDown."""
        await together(self._hand_over(), self._stay_connected())

    # -- out ---------------------------------------------------------------------------------------------------------

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """See `BrokerLink`."""
        connection, slots = self._connected(), self._slots
        async with self._turn:
            while connection.unsent_bytes > _UNSENT_BYTES and connection is self._connection:
                await asyncio.sleep(0.01)
            await slots.acquire()
        try:
            await connection.publish(topic, payload, retain=retain)
        finally:
            slots.release()

    async def subscribe(self, filters: Sequence[str], *, without_own: bool = False) -> None:
        """Subscribe at QoS 1; return when the broker has granted every filter.

        A refusal is logged, and tried again until it is granted. `without_own` leaves out what this centre publishes,
        where the broker can (MQTT 5). Raises LinkDown.
        """
        connection = self._connected()
        asked, wait_s = list(filters), self._timing.resubscribe_s
        while True:
            refused = await self._refused(connection, asked, without_own=without_own)
            if not refused:
                return
            await asyncio.sleep(wait_s)
            asked, wait_s = refused, min(wait_s * 2, self._timing.resubscribe_max_s)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ask for no more messages of these filters. Those on their way still come. Raises LinkDown."""
        self._connected().unsubscribe(filters)

    async def _refused(self, connection: PahoConnection, filters: Sequence[str], *, without_own: bool) -> list[str]:
        answers = await connection.subscribe(filters, without_own=without_own)
        # An answer with too few codes has refused the rest.
        answers += ["no answer"] * (len(filters) - len(answers))
        refused = [(one, why) for one, why in zip(filters, answers, strict=False) if why is not None]
        for one, why in refused:
            _log.warning("Broker %s refuses the subscription to %s: %s; trying again", self.name, one, why)
        return [one for one, _ in refused]

    def _connected(self) -> PahoConnection:
        if self._connection is None or self._connection.is_lost:
            raise LinkDown(f"broker {self.name}: {self.state}")
        return self._connection

    # -- in ----------------------------------------------------------------------------------------------------------

    def _take(self, topic: str, payload: bytes, is_retained: bool) -> bool:
        """Queue a message; return whether there is room for more."""
        self._queue.append(Received(self.name, topic, payload, is_retained, moment(self._now())))
        self._queued_bytes += len(payload) + len(topic)
        self._queue_has_more.set()
        return self._has_room()

    def _has_room(self) -> bool:
        return len(self._queue) < self._bounds.messages and self._queued_bytes < self._bounds.bytes

    async def _hand_over(self) -> None:
        while True:
            await self._queue_has_more.wait()
            self._queue_has_more.clear()
            while self._queue:
                received = self._queue.popleft()
                self._queued_bytes -= len(received.payload) + len(received.topic)
                await self._on_message(received)
                if self._connection is not None and self._has_room():
                    self._connection.resume()

    # -- the connection ----------------------------------------------------------------------------------------------

    async def _stay_connected(self) -> None:
        attempts = 0
        loop = asyncio.get_running_loop()
        while True:
            connection = PahoConnection(
                self._settings, client_id=self.client_id, timing=self._timing, on_message=self._take
            )
            began = loop.time()
            try:
                await connection.open()
                _log.info("Broker %s: connected", self.name)
                await self._use(connection)
            except LinkDown as exc:
                self._say(str(exc))
            finally:
                connection.close()
            attempts = 0 if loop.time() - began >= self._timing.stable_s else attempts + 1
            await asyncio.sleep(random.random() * ceiling_s(attempts, self._timing))

    async def _use(self, connection: PahoConnection) -> None:
        """Work with a connection until it is lost; raise LinkDown then."""
        self._slots = asyncio.Semaphore(connection.in_flight_max)
        self._turn = asyncio.Lock()
        self._connection, self.state = connection, "connected"
        session = asyncio.create_task(self._session(connection), name=f"session with {self.name}")
        lost = asyncio.create_task(connection.until_lost())
        try:
            await asyncio.wait((session, lost), return_when=asyncio.FIRST_COMPLETED)
            if session.done():
                session.result()
            raise await lost
        except LinkDown as exc:
            self._say(str(exc))
            raise
        finally:
            self._connection = None
            lost.cancel()
            session.cancel()
            await asyncio.gather(session, lost, return_exceptions=True)
            self._on_disconnect(self)

    async def _session(self, connection: PahoConnection) -> None:
        """Subscribe to what kiosks publish, and have `on_connect` do the rest."""
        filters = [one for site in self.sites for one in _from_kiosks(site)]
        refused = await self._refused(connection, filters, without_own=False)
        jobs = [self._on_connect(self)]
        if refused:
            jobs.append(self.subscribe(refused))
        await together(*jobs)

    def _say(self, why: str) -> None:
        """Log why there is no connection, once for each reason in a row."""
        if self.state != why:
            _log.warning("Broker %s: %s; trying again", self.name, why)
        self.state = why


def ceiling_s(attempts: int, timing: LinkTiming) -> float:
    """Return the longest wait after this number of attempts in a row; the wait itself is random."""
    return min(timing.backoff_max_s, timing.backoff_s * 2.0 ** min(attempts - 1, 30)) if attempts else 0.0


def _from_kiosks(site: str) -> tuple[str, ...]:
    """Return the filters for all that the kiosks of a site publish."""
    agents = f"kiosk/v1/{site}/agent/+/"
    return tuple(agents + rest for rest in ("event/#", "status", "health", "station/#", "response/#"))
