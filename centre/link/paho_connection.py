"""One MQTT connection: paho, driven by the event loop. The only file of the centre that imports paho.

paho gets no thread, no socket and no queue of its own, and never sees a message: `PacketSocket` decodes those. Nothing
survives the connection: the next one is a new `PahoConnection`.
"""

import asyncio
import struct
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from centre.centre_errors import LinkDown
from centre.configuration.centre_settings import MqttBrokerSettings
from centre.configuration.secret_files import secret_in
from centre.link.broker_link import PublishRefused
from centre.link.link_settings import LinkTiming
from centre.link.link_tls import connected_socket
from centre.link.packet_socket import PacketSocket

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

__all__ = ["PahoConnection"]

_CLOGGED_BYTES = 4 * 1024 * 1024
"""A broker that sends but does not take so much of our answers is not read until it does."""

_IN_FLIGHT_MAX = 1000

_GARBAGE = (MQTTException, struct.error, IndexError, KeyError, ValueError)
"""What paho raises when it decodes garbage. Our callbacks raise none of these."""

OnMessage = Callable[[str, bytes, bool], bool]
"""Called for each message with topic, payload and retain flag; returns whether there is room for more."""


class _LoopPaho(Paho):
    """paho on a socket that is handed in. Two of its private names are used: it has no public way to do this."""

    handed_in: PacketSocket

    def _create_socket(self) -> "SocketLike":
        return self.handed_in

    def heard(self) -> None:
        """Note that bytes were received: a payload being dropped, or a pause of ours, is no silence of the broker."""
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        self._ping_t = 0.0


class PahoConnection:
    """One connection, from `open` to `close`. Used in the event loop's thread.

    A message is acknowledged to the broker as soon as `on_message` has returned. When that returned False the socket is
    not read until `resume`; keep-alives go on.
    """

    def __init__(
        self, settings: MqttBrokerSettings, *, client_id: str, timing: LinkTiming, on_message: OnMessage
    ) -> None:
        self._settings = settings
        self._timing = timing
        self._deliver = on_message
        self._loop = asyncio.get_running_loop()
        self._v5 = settings.protocol == 5
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[LinkDown] = self._loop.create_future()
        self._publishes: dict[int, asyncio.Future[None]] = {}
        self._subscriptions: dict[int, asyncio.Future[list[str | None]]] = {}
        self._asked_at: dict[int, float] = {}
        """When each publish and subscription without an answer was sent, oldest first."""
        self._is_full = False
        """`on_message` has no room."""
        self._is_clogged = False
        """The broker does not take what we send."""
        self._is_reading = False
        self._is_closing = False
        self._read_since = self._loop.time()
        self._flush_is_due = False
        self._socket: PacketSocket | None = None
        self._tick_handle: asyncio.TimerHandle | None = None
        self.in_flight_max = _IN_FLIGHT_MAX
        """How many publishes may be without an answer."""
        self._packet_max_bytes: int | None = None
        self._paho = _LoopPaho(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._paho.max_inflight_messages_set(0)  # no limit: the link limits what is in flight
        self._paho.max_queued_messages_set(0)
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish
        self._paho.on_subscribe = self._on_subscribe

    async def open(self) -> None:
        """Connect, and wait for the broker's answer. Raises LinkDown."""
        if self._settings.username is not None:
            self._paho.username_pw_set(self._settings.username, await asyncio.to_thread(_password, self._settings))
        raw = await asyncio.to_thread(connected_socket, self._settings, timeout_s=self._timing.connect_s)
        raw.setblocking(False)
        self._socket = self._paho.handed_in = PacketSocket(raw, has_properties=self._v5, on_message=self._on_message)
        # paho does a clean start on a client's first connection by default.
        self._paho.connect(self._settings.host, self._settings.port, self._settings.keepalive_s)
        self._read_or_not()
        self._tick()
        self._flush()
        try:
            await asyncio.wait_for(self._connected, self._timing.connect_s)
        except TimeoutError as exc:
            raise LinkDown(
                "it accepts connections but does not answer; is it an MQTT broker, and does it hang?"
            ) from exc

    @property
    def is_lost(self) -> bool:
        return self._lost.done()

    async def until_lost(self) -> LinkDown:
        """Return why the connection ended, once it has."""
        return await asyncio.shield(self._lost)

    def close(self) -> None:
        """Say goodbye if the broker listens, and close. Idempotent."""
        if self._socket is not None and not self._lost.done():
            self._is_closing = True
            self._paho.disconnect()
            self._flush()
        self._lose("the connection was closed by this centre")

    def resume(self) -> None:
        """Read the socket again: there is room. No-op if it is being read."""
        if self._is_full:
            self._is_full = False
            self._read_or_not()

    # -- out ---------------------------------------------------------------------------------------------------------

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> "asyncio.Future[None]":
        """Publish at QoS 1; the future ends at the broker's answer, or fails with LinkDown or PublishRefused."""
        future: asyncio.Future[None] = self._loop.create_future()
        if self._lost.done():
            future.set_exception(self._lost.result())
            return future
        if self._packet_max_bytes is not None and len(payload) + len(topic) + 16 > self._packet_max_bytes:
            future.set_exception(PublishRefused("Packet too large", code=0x95))
            return future
        token = self._paho.publish(topic, payload, 1, retain).mid
        self._publishes[token] = future
        self._asked(token)
        return future

    def subscribe(self, filters: Sequence[str], *, without_own: bool) -> "asyncio.Future[list[str | None]]":
        """Subscribe at QoS 1; the future ends at the broker's answer, or fails with LinkDown.

        Its result has for each filter None, or why the broker refuses it. `without_own` leaves out what this connection
        publishes, where the broker can (MQTT 5).
        """
        future: asyncio.Future[list[str | None]] = self._loop.create_future()
        if self._lost.done():
            future.set_exception(self._lost.result())
            return future
        if self._v5:
            options = SubscribeOptions(qos=1, noLocal=without_own, retainAsPublished=False)
            _, token = self._paho.subscribe([(one, options) for one in filters])
        else:
            _, token = self._paho.subscribe([(one, 1) for one in filters])
        if token is None:
            future.set_exception(LinkDown("the connection is down"))
            return future
        self._subscriptions[token] = future
        self._asked(token)
        return future

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe. The broker's answer is of no interest."""
        if not self._lost.done():
            self._paho.unsubscribe(list(filters))
            self._flush_soon()

    @property
    def unsent_bytes(self) -> int:
        """What has been published and not yet been taken by the network."""
        return 0 if self._socket is None else self._socket.unsent_bytes

    # -- the event loop's callbacks ----------------------------------------------------------------------------------

    def _read_or_not(self) -> None:
        """Have the event loop watch the socket, unless there is no room for what comes or the broker takes nothing."""
        sock = self._socket
        if sock is None or self._lost.done():
            return
        should_read = not self._is_full and not self._is_clogged
        if should_read and not self._is_reading:
            self._is_reading = True
            self._read_since = self._loop.time()
            self._paho.heard()
            self._loop.add_reader(sock, self._on_readable)
            self._loop.call_soon(self._on_readable)  # TLS may have bytes that the descriptor does not tell of
        elif self._is_reading and not should_read:
            self._is_reading = False
            self._loop.remove_reader(sock)

    def _on_readable(self) -> None:
        sock = self._socket
        if sock is None or self._lost.done() or not self._is_reading:
            return
        try:
            is_open = sock.fill()
            while sock.has_input and not self._lost.done():
                self._check(self._paho.loop_read())
        except _GARBAGE:
            self._lose("it sent something that is not MQTT; is it an MQTT broker?")
        except LinkDown as exc:
            self._lose(str(exc))
        except OSError as exc:
            self._lose(exc.strerror or str(exc))
        else:
            self._paho.heard()
            if not is_open:
                self._lose(self._at_end())
            self._flush()
            self._read_or_not()
            if sock.is_pending():
                self._loop.call_soon(self._on_readable)

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkDown(f"the connection was lost: {error_string(code).lower().rstrip('.')}")

    def _at_end(self) -> str:
        if self._connected.done():
            return "the broker closed the connection without giving a reason"
        return "the connection was closed before the broker answered; is it an MQTT broker?"

    def _flush(self) -> None:
        self._flush_is_due = False
        sock = self._socket
        if sock is None or self._lost.done():
            return
        try:
            if self._paho.want_write():
                self._paho.loop_write()
            sock.flush()
        except OSError as exc:
            self._lose(exc.strerror or str(exc))
            return
        if sock.unsent_bytes:
            self._loop.add_writer(sock, self._flush)
        else:
            self._loop.remove_writer(sock)
        self._is_clogged = sock.unsent_bytes > _CLOGGED_BYTES
        self._read_or_not()

    def _flush_soon(self) -> None:
        """Send at the end of this turn of the event loop: many publishes take one system call."""
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _tick(self) -> None:
        """Keep the connection alive, and end it if the broker does not answer."""
        if self._lost.done():
            return
        now = self._loop.time()
        if not self._is_reading:
            self._paho.heard()  # the answers to our pings wait in the socket
        self._paho.loop_misc()
        self._flush()
        oldest = next(iter(self._asked_at.values()), now)
        if self._is_reading and now - max(oldest, self._read_since) > self._timing.unanswered_s:
            self._lose(f"the broker has not answered for {self._timing.unanswered_s:.0f} s")
            return
        self._tick_handle = self._loop.call_later(self._timing.tick_s, self._tick)

    # -- the callbacks of paho and of the socket ---------------------------------------------------------------------

    def _on_connect(
        self, _paho: Paho, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        granted = properties.json() if properties else {}
        if reason.is_failure:
            self._lose(f"the broker refuses the connection: {reason.getName()}{_said(granted)}")
        elif granted.get("MaximumQoS", 2) < 1:
            self._lose("the broker does not support QoS 1")
        elif not granted.get("RetainAvailable", 1):
            self._lose("the broker does not support retained messages")
        elif not self._connected.done():
            self.in_flight_max = min(_IN_FLIGHT_MAX, granted.get("ReceiveMaximum", _IN_FLIGHT_MAX))
            self._packet_max_bytes = granted.get("MaximumPacketSize")
            self._connected.set_result(None)

    def _on_disconnect(
        self, _paho: Paho, _userdata: object, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._is_closing:
            return
        if flags.is_disconnect_packet_from_server:
            granted = properties.json() if properties else {}
            self._lose(f"the broker closed the connection: {reason.getName()}{_said(granted)}")
        else:
            self._lose(f"the connection was lost: {reason.getName().lower()}")

    def _on_publish(
        self, _paho: Paho, _userdata: object, token: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        self._asked_at.pop(token, None)
        future = self._publishes.pop(token, None)
        if future is None or future.done():
            return
        if reason.is_failure:
            future.set_exception(PublishRefused(reason.getName(), code=reason.value))
        else:
            future.set_result(None)

    def _on_subscribe(
        self, _paho: Paho, _userdata: object, token: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        self._asked_at.pop(token, None)
        future = self._subscriptions.pop(token, None)
        if future is not None and not future.done():
            future.set_result([reason.getName() if reason.is_failure else None for reason in reasons])

    def _on_message(self, topic: str, payload: bytes, is_retained: bool) -> None:
        if not self._deliver(topic, payload, is_retained):
            self._is_full = True

    # -- inside ------------------------------------------------------------------------------------------------------

    def _asked(self, token: int) -> None:
        self._asked_at[token] = self._loop.time()
        self._flush_soon()

    def _lose(self, why: str) -> None:
        """End the connection, and everything that waits for it. Only the first call counts."""
        if self._lost.done():
            return
        reason = LinkDown(why)
        self._lost.set_result(reason)
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.end()
        _fail(self._connected, reason)
        for publish in self._publishes.values():
            _fail(publish, reason)
        for subscription in self._subscriptions.values():
            _fail(subscription, reason)


def _fail(future: "asyncio.Future[Any]", reason: LinkDown) -> None:
    if not future.done():
        future.set_exception(reason)
        future.exception()  # nobody may be waiting for it any more


def _password(settings: MqttBrokerSettings) -> str | None:
    """Read the password again at each try: it may have been renewed. Raises LinkDown."""
    if settings.password_file is None:
        return None
    try:
        return secret_in(settings.password_file)
    except OSError as exc:
        raise LinkDown(f"password_file {settings.password_file} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise LinkDown(f"password_file {settings.password_file} must hold {exc}") from exc


def _said(granted: dict[str, object]) -> str:
    said = granted.get("ReasonString")
    return "" if said is None else f" ({str(said)[:200]!r})"
