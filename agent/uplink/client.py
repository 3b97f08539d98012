"""The MQTT client: paho, run by the thread that owns it. The only file that imports paho.

A `Client` is one connection. paho gets no thread of its own and no queue (the outbox limits what is in flight). Nothing
survives the connection: the next one is a new `Client`.
"""

import select
import socket
import ssl
import struct
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from paho.mqtt.client import Client as Paho
from paho.mqtt.client import (
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
    error_string,
)
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.uplink.bounded_socket import BoundedSocket
from agent.uplink.certificates import expiry_of_der
from agent.uplink.failures import BrokerLost, BrokerRefused, explain, shown
from agent.uplink.packets import ConnAck, PubAck, ReceivedMessage, SubAck, Will
from agent.uplink.tls import client_context
from agent.uplink.uplink_settings import BrokerSettings

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

__all__ = ["Client"]

UNLIMITED = 65_535
UNSPECIFIED = 0x80
"""paho's reason code for a connection that ended without one."""


class _Packed(Properties):
    """Publish properties that are encoded once instead of at every publish.

    Saves 5 us of about 55 us per event while a backlog drains (`budgets.md#drain`).
    """

    def __init__(self, **values: object) -> None:
        Properties.__init__(self, PacketTypes.PUBLISH)
        for name, value in values.items():
            setattr(self, name, value)
        # The base class accepts only names of MQTT properties as attributes.
        object.__setattr__(self, "_encoded", Properties.pack(self))

    def pack(self) -> bytes:
        encoded: bytes = object.__getattribute__(self, "_encoded")
        return encoded


class _BoundedPaho(Paho):
    """paho that reads through a `BoundedSocket`. Two of its private names are used: it has no public way to do this.

    No Maximum Packet Size is sent to the broker: it would drop a larger message without a word, and `health` could not
    name it.
    """

    bounded: BoundedSocket | None = None

    def _create_socket(self) -> "SocketLike":
        raw = super()._create_socket()
        if not isinstance(raw, socket.socket):  # a WebSocket, which is never asked for
            return raw
        self.bounded = BoundedSocket(raw, has_properties=self.protocol == MQTTProtocolVersion.MQTTv5)
        return self.bounded

    def heard(self) -> None:
        """Note that bytes were received: a payload that is being discarded must not look like a silent broker."""
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()


_GARBAGE = (MQTTException, struct.error, IndexError, KeyError, ValueError)
"""What paho raises when it decodes garbage. Our callbacks only append to lists, so they raise none of these."""


class Client:
    """One connection to one broker address, from `connect` to `close`. For one thread.

    What the broker sends is collected by `poll` and returned by `pubacks`, `subacks` and `messages`.
    """

    def __init__(self, settings: BrokerSettings, *, client_id: str, will: Will | None = None) -> None:
        self._settings = settings
        self._v5 = settings.protocol == 5
        self._pubacks: list[PubAck] = []
        self._subacks: list[SubAck] = []
        self._messages: list[ReceivedMessage] = []
        self._connack: ConnAck | None = None
        self._lost: BrokerLost | None = None
        self._closing = False
        self._log_line = ""
        self._heard_bytes = 0
        self._paho = _BoundedPaho(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        self._paho.max_inflight_messages_set(0)  # no limit: the outbox limits what is in flight
        self._paho.max_queued_messages_set(0)
        if will:
            self._paho.will_set(will.topic, will.payload, qos=1, retain=True)
        self._paho.on_socket_open = self._on_socket_open
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish
        self._paho.on_subscribe = self._on_subscribe
        self._paho.on_message = self._on_message
        self._event_properties = (
            _Packed(PayloadFormatIndicator=1, ContentType="application/cloudevents+json") if self._v5 else None
        )

    # -- connection --------------------------------------------------------------------------------------------------

    def connect(self, host: str, port: int, *, timeout_s: float) -> None:
        """Resolve, connect, shake hands and send CONNECT, blocking. `poll` receives the CONNACK, see `connack`.

        Raises BrokerLost.
        """
        if self._settings.username is not None:
            self._paho.username_pw_set(self._settings.username, self._password())
        if self._settings.tls:
            self._paho.tls_set_context(client_context(self._settings))
        self._paho.connect_timeout = timeout_s
        self._paho.on_log = self._on_log
        try:
            # paho does a clean start on a client's first connection by default.
            code = self._paho.connect(host, port, self._settings.keepalive_s)
        except OSError as exc:
            raise BrokerLost(explain(exc)) from exc
        except ValueError as exc:  # IDNA cannot encode the host name
            raise BrokerLost(f"the host name is invalid: {shown(str(exc))}") from exc
        self._check(code)

    def _password(self) -> str | None:
        if self._settings.read_password is None:
            return self._settings.password
        try:
            return self._settings.read_password()
        except (OSError, ValueError) as exc:
            raise BrokerLost(f"the password cannot be read: {shown(str(exc))}") from exc

    @property
    def connack(self) -> ConnAck | None:
        """The broker's limits; None until its CONNACK has come."""
        return self._connack

    def server_certificate_expires(self) -> datetime | None:
        """Return when the broker's certificate expires, UTC; None without TLS."""
        sock = self._paho.bounded
        if sock is None or not isinstance(sock.raw, ssl.SSLSocket):
            return None
        der = sock.raw.getpeercert(binary_form=True)
        return expiry_of_der(der) if der else None

    def poll(self, timeout_s: float, wake_fd: int | None = None) -> None:
        """Wait at most `timeout_s` for the broker or `wake_fd` to be readable, then read and write what is possible.

        Raises BrokerLost if the connection is lost, BrokerRefused if the broker refuses it.
        """
        sock = self._paho.bounded
        if sock is None or self._paho.socket() is None:
            raise self._loss()
        pending = sock.pending()
        fd = sock.fileno()
        # Not select(): it takes no descriptor above 1023, and a kiosk may have that many.
        poller = select.poll()
        poller.register(fd, select.POLLIN | select.POLLOUT if self._paho.want_write() else select.POLLIN)
        if wake_fd is not None:
            poller.register(wake_fd, select.POLLIN)
        events = dict(poller.poll(0 if pending else max(0.0, timeout_s) * 1000)).get(fd, 0)
        if pending or events & ~select.POLLOUT:
            try:
                self._check(self._paho.loop_read())
            except _GARBAGE as exc:
                raise BrokerLost("it sent something that is not MQTT; is it an MQTT broker?") from exc
            if sock.received_bytes != self._heard_bytes:
                self._heard_bytes = sock.received_bytes
                self._paho.heard()
        if events & select.POLLOUT:
            self._check(self._paho.loop_write())
        self._check(self._paho.loop_misc())
        if self._lost:
            raise self._lost

    def close(self) -> None:
        """Send DISCONNECT, so that the will is not published, and close. Idempotent."""
        self._closing = True
        self._paho.on_log = None
        if self._paho.socket() is not None:
            self._paho.disconnect()
        self.drop()

    def drop(self) -> None:
        """Close without DISCONNECT: the broker publishes the will. Idempotent."""
        self._closing = True
        sock = self._paho.socket()
        if sock is not None:
            sock.close()

    # -- out ---------------------------------------------------------------------------------------------------------

    def publish_event(self, topic: str, document: bytes) -> int:
        """Publish an event's document; return its token. Raises BrokerLost."""
        info = self._paho.publish(topic, document, 1, False, self._event_properties)
        if info.rc:
            self._check(info.rc)
        return info.mid

    def publish(self, topic: str, payload: bytes, *, retain: bool, expiry_s: int | None = None) -> int:
        """Publish at QoS 1; return the token. `expiry_s` is ignored under MQTT 3.1.1. Raises BrokerLost."""
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.PUBLISH)
            if payload:
                properties.PayloadFormatIndicator = 1
            if expiry_s is not None:
                properties.MessageExpiryInterval = expiry_s
        info = self._paho.publish(topic, payload, 1, retain, properties)
        self._check(info.rc)
        return info.mid

    def subscribe(self, filters: Sequence[str], *, retain_as_published: Sequence[str] = ()) -> int:
        """Subscribe at QoS 1; return the token. Raises BrokerLost."""
        if self._v5:
            code, token = self._paho.subscribe(
                [(one, SubscribeOptions(qos=1, retainAsPublished=one in retain_as_published)) for one in filters]
            )
        else:
            code, token = self._paho.subscribe([(one, 1) for one in filters])
        self._check(code)
        return token or 0

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe. Raises BrokerLost."""
        code, _ = self._paho.unsubscribe(list(filters))
        self._check(code)

    # -- in ----------------------------------------------------------------------------------------------------------

    def pubacks(self) -> list[PubAck]:
        """Return the PUBACKs since the last call."""
        taken, self._pubacks = self._pubacks, []
        return taken

    def subacks(self) -> list[SubAck]:
        """Return the SUBACKs since the last call."""
        taken, self._subacks = self._subacks, []
        return taken

    def messages(self) -> list[ReceivedMessage]:
        """Return the messages since the last call, in order."""
        taken, self._messages = self._messages, []
        return taken

    # -- inside ------------------------------------------------------------------------------------------------------

    def _check(self, code: MQTTErrorCode) -> None:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._loss(code)

    def _loss(self, code: MQTTErrorCode = MQTTErrorCode.MQTT_ERR_NO_CONN) -> BrokerLost:
        if self._lost is None:
            self._lost = BrokerLost(_words(code))
        return self._lost

    def _on_socket_open(self, _paho: Paho, _userdata: object, sock: "SocketLike") -> None:
        # A single event must not wait for the TCP acknowledgement of the one before (Nagle's algorithm).
        if isinstance(sock, BoundedSocket):
            sock.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_log(self, _paho: Paho, _userdata: object, level: int, line: str) -> None:
        # Only until the CONNACK: paho reports a TLS alert nowhere else, but logging every publish would cost time.
        if level == LogLevel.MQTT_LOG_ERR:
            self._log_line = line

    def _on_connect(
        self, paho: Paho, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        paho.on_log = None
        self._log_line = ""
        granted = properties.json() if properties else {}
        if reason.is_failure:
            self._lost = BrokerRefused(f"the broker refuses the connection: {_with_reason_string(reason, granted)}")
        elif granted.get("MaximumQoS", 2) < 1:
            self._lost = BrokerRefused("the broker does not support QoS 1")
        elif not granted.get("RetainAvailable", 1):
            self._lost = BrokerRefused("the broker does not support retained messages")
        else:
            self._connack = ConnAck(
                receive_maximum=granted.get("ReceiveMaximum", UNLIMITED),
                maximum_packet_bytes=granted.get("MaximumPacketSize"),
            )

    def _on_disconnect(
        self, _paho: Paho, _userdata: object, flags: DisconnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if self._lost is not None or self._closing:
            return
        if self._paho.bounded is not None and self._paho.bounded.violation is not None:
            self._lost = BrokerLost(self._paho.bounded.violation)
        elif flags.is_disconnect_packet_from_server:
            words = _with_reason_string(reason, properties.json() if properties else {})
            self._lost = BrokerLost(f"the broker closed the connection: {words}", code=reason.value)
        elif self._log_line:
            self._lost = BrokerLost(explain(self._log_line))
        elif self._connack is None:
            self._lost = BrokerLost("the connection was closed before the broker answered; is it an MQTT broker?")
        elif reason == UNSPECIFIED:
            self._lost = BrokerLost("the broker closed the connection without giving a reason", unexplained=True)
        else:
            self._lost = BrokerLost(f"the connection was lost: {reason.getName().lower()}")

    def _on_publish(
        self, _paho: Paho, _userdata: object, token: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        code = reason.value
        self._pubacks.append(PubAck(token, code, reason.getName() if code else ""))

    def _on_subscribe(
        self, _paho: Paho, _userdata: object, token: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        refused = tuple(reason.getName() if reason.is_failure else None for reason in reasons)
        self._subacks.append(SubAck(token, refused, tuple(reason.value for reason in reasons)))

    def _on_message(self, _paho: Paho, _userdata: object, message: MQTTMessage) -> None:
        # paho passes a message on before it reads any further.
        discarded = self._paho.bounded.take_discarded() if self._paho.bounded is not None else 0
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._messages.append(ReceivedMessage(topic, bytes(message.payload), message.retain, discarded))


def _words(code: MQTTErrorCode) -> str:
    return f"the connection was lost: {error_string(code).lower().rstrip('.')}"


def _with_reason_string(reason: ReasonCode, properties: dict[str, object]) -> str:
    said = properties.get("ReasonString")
    return reason.getName() if said is None else f"{reason.getName()} ({shown(str(said))})"
