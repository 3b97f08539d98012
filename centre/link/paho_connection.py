"""One MQTT connection: paho, driven by the event loop.

Nothing survives the connection: the next one is a new `PahoConnection`. The decision for paho, and the figures, are in
`docs/decisions/0007-mqtt-client-of-the-centre.md`.
"""

import asyncio
from collections.abc import Callable, Sequence

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, error_string
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from centre.centre_errors import LinkDown
from centre.configuration.centre_settings import MqttBrokerSettings
from centre.link.broker_entry import connected_socket, explained, read_password
from centre.link.broker_link import PublishRefused
from centre.link.link_settings import LinkTiming
from centre.link.loop_paho import GARBAGE, LoopPaho, granted_by, in_words, refusal
from centre.link.packet_socket import PacketSocket
from centre.link.unanswered import Unanswered

__all__ = ["PahoConnection"]

_CLOGGED_BYTES = 4 * 1024 * 1024
"""A broker that leaves this much of our answers untaken is not read until it takes them."""

_IN_FLIGHT_MAX = 1000
_ENDED = "the broker closed the connection without giving a reason"
_ENDED_EARLY = "the connection was closed before the broker answered; is it an MQTT broker?"

OnMessage = Callable[[str, bytes, bool], bool]
"""Called for each message with topic, payload and retain flag; returns whether there is room for more."""


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
        self._publishes = Unanswered[None]()
        self._subscriptions = Unanswered[list[str | None]]()
        self._is_full = False
        self._is_clogged = False
        self._is_reading = False
        self._is_closing = False
        self._read_since = self._loop.time()
        self._flush_is_due = False
        self._socket: PacketSocket | None = None
        self._tick_handle: asyncio.TimerHandle | None = None
        self.in_flight_max = _IN_FLIGHT_MAX
        """How many publishes may be without an answer."""
        self._packet_max_bytes: int | None = None
        self._paho = LoopPaho(client_id, is_v5=self._v5)
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish
        self._paho.on_subscribe = self._on_subscribe

    async def open(self) -> None:
        """Connect, and wait for the broker's answer. Raises LinkDown."""
        if self._settings.username is not None:
            self._paho.username_pw_set(self._settings.username, await asyncio.to_thread(read_password, self._settings))
        raw = await asyncio.to_thread(connected_socket, self._settings, timeout_s=self._timing.connect_s)
        raw.setblocking(False)
        self._socket = self._paho.handed_in = PacketSocket(raw, has_properties=self._v5, on_message=self._on_message)
        self._paho.connect(self._settings.host, self._settings.port, self._settings.keepalive_s)
        self._read_or_not()
        self._tick()
        self._flush()
        try:
            await asyncio.wait_for(self._connected, self._timing.connect_s)
        except TimeoutError as exc:
            raise LinkDown("it takes connections but does not answer; is it an MQTT broker, and does it hang?") from exc

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

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Publish at QoS 1; return at the broker's answer. Raises LinkDown, PublishRefused."""
        self._check_lost()
        if self._packet_max_bytes is not None and len(payload) + len(topic) + 16 > self._packet_max_bytes:
            raise PublishRefused("Packet too large", code=0x95)
        answer = self._publishes.ask(self._paho.publish(topic, payload, 1, retain).mid)
        self._flush_soon()
        await answer

    async def subscribe(self, filters: Sequence[str], *, without_own: bool) -> list[str | None]:
        """Subscribe at QoS 1; return at the broker's answer: for each filter None, or why it is refused.

        `without_own` leaves out what this connection publishes, where the broker can (MQTT 5). Raises LinkDown.
        """
        self._check_lost()
        if self._v5:
            options = SubscribeOptions(qos=1, noLocal=without_own, retainAsPublished=False)
            code, token = self._paho.subscribe([(one, options) for one in filters])
        else:
            code, token = self._paho.subscribe([(one, 1) for one in filters])
        self._check(code)
        answer = self._subscriptions.ask(token or 0)
        self._flush_soon()
        return await answer

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
        """Watch the socket, unless `on_message` has no room or the broker does not take our answers."""
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
        except GARBAGE:
            self._lose("it sent something that is not MQTT; is it an MQTT broker?")
        except (LinkDown, OSError) as exc:
            self._lose(explained(exc))
        else:
            self._paho.heard()
            if not is_open:
                self._lose(_ENDED if self._connected.done() else _ENDED_EARLY)
            self._flush()
            self._read_or_not()
            if sock.is_pending():
                self._loop.call_soon(self._on_readable)

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkDown(f"the connection was lost: {error_string(code).lower().rstrip('.')}")

    def _check_lost(self) -> None:
        if self._lost.done():
            raise LinkDown(str(self._lost.result()))

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
            self._lose(explained(exc))
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
        oldest = min(self._publishes.oldest, self._subscriptions.oldest)
        if self._is_reading and now - max(oldest, self._read_since) > self._timing.unanswered_s:
            self._lose(f"the broker has not answered for {self._timing.unanswered_s:.0f} s")
            return
        self._tick_handle = self._loop.call_later(self._timing.tick_s, self._tick)

    # -- the callbacks of paho and of the socket ---------------------------------------------------------------------

    def _on_connect(
        self, _paho: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        granted = granted_by(properties)
        if why := refusal(reason, granted):
            self._lose(why)
        elif not self._connected.done():
            self.in_flight_max = min(_IN_FLIGHT_MAX, granted.get("ReceiveMaximum", _IN_FLIGHT_MAX))
            self._packet_max_bytes = granted.get("MaximumPacketSize")
            self._connected.set_result(None)

    def _on_disconnect(
        self,
        _paho: Client,
        _userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._is_closing:
            return
        if flags.is_disconnect_packet_from_server:
            self._lose(f"the broker closed the connection: {in_words(reason, granted_by(properties))}")
        else:
            self._lose(f"the connection was lost: {reason.getName().lower()}")

    def _on_publish(
        self, _paho: Client, _userdata: object, token: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        if reason.is_failure:
            self._publishes.fail(token, PublishRefused(reason.getName(), code=reason.value))
        else:
            self._publishes.answer(token, None)

    def _on_subscribe(
        self, _paho: Client, _userdata: object, token: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        self._subscriptions.answer(token, [reason.getName() if reason.is_failure else None for reason in reasons])

    def _on_message(self, topic: str, payload: bytes, is_retained: bool) -> None:
        if not self._deliver(topic, payload, is_retained):
            self._is_full = True

    # -- inside ------------------------------------------------------------------------------------------------------

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
        if not self._connected.done():
            self._connected.set_exception(reason)
            self._connected.exception()  # nobody may be waiting for it any more
        self._publishes.fail_all(reason)
        self._subscriptions.fail_all(reason)
