"""An MQTT 5 client that reconnects after an outage of the broker."""

import socket
import threading
from collections.abc import Callable, Sequence
from typing import Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from harness.broker import Broker
from harness.waiting import DEADLINE_S

__all__ = ["BrokerClient"]


def _send_at_once(_client: Client, _data: object, sock: object) -> None:
    """Switch Nagle's algorithm off. With it, a small packet may wait 40 ms for the broker's delayed acknowledgement."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class BrokerClient:
    """Base class of the centre and the consumer. Context-managed.

    A subclass names what it subscribes to (`topics`) and takes each message (`arrived`, called with `changed` held).
    `changed` guards everything that arriving messages change, and is notified after each message. All subscriptions
    are made again at every connect. `user` is one of the broker's users.
    """

    def __init__(self, broker: Broker, *, user: str | None = None) -> None:
        self.broker = broker
        self.changed = threading.Condition()
        self.is_connected = False
        """True while connected with every subscription granted."""
        self._client = client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.max_inflight_messages_set(1000)
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        if broker.certificates is not None:
            client.tls_set(ca_certs=str(broker.certificates.authority))
        if user is not None:
            client.username_pw_set(user, broker.users[user])

    def topics(self) -> Sequence[str]:
        """Return the topic filters to subscribe to."""
        raise NotImplementedError

    def arrived(self, message: MQTTMessage) -> None:
        raise NotImplementedError

    def connected(self) -> None:
        """Called at every connect, with `changed` held, after the subscriptions are granted."""

    def start(self) -> None:
        """Connect; return once the subscriptions are granted."""
        self._client.connect("127.0.0.1", self.broker.port, clean_start=True)
        self._client.loop_start()
        self.wait_connected()

    def stop(self) -> None:
        """Disconnect. A stopped client can be started again."""
        self._client.disconnect()
        self._client.loop_stop()
        with self.changed:
            self.is_connected = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_connected(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.is_connected, DEADLINE_S), "the broker grants no connection"

    def wait_until(self, condition: Callable[[], bool], what: str, *, deadline_s: float = DEADLINE_S) -> None:
        """Return once `condition` is true; it is checked after each message. Raises AssertionError naming `what`."""
        with self.changed:
            assert self.changed.wait_for(condition, deadline_s), f"waited {deadline_s:.0f} s for {what}; {self.state()}"

    def state(self) -> str:
        """Return what is worth knowing when a wait has failed."""
        return ""

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish at QoS 1; return when the broker has acknowledged it."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        info.wait_for_publish(DEADLINE_S)
        assert info.is_published(), f"the broker does not take {topic}"

    def post(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish at QoS 1 without waiting for the broker."""
        self._client.publish(topic, payload, qos=1, retain=retain)

    # -- called by paho's thread -------------------------------------------------------------------------------

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        assert not code.is_failure, f"the broker refuses the connection: {code}"
        client.subscribe([(topic, 1) for topic in self.topics()])

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        assert not any(code.is_failure for code in codes), f"the broker refuses a subscription: {codes}"
        with self.changed:
            self.is_connected = True
            self.connected()
            self.changed.notify_all()

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, _code: ReasonCode, _properties: Properties | None
    ) -> None:
        with self.changed:
            self.is_connected = False

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        with self.changed:
            self.arrived(message)
            self.changed.notify_all()
