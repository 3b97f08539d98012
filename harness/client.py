"""One MQTT 5 client of the centre's side; it lives through outages of the broker."""

import threading
from collections.abc import Sequence

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from harness.broker import Broker
from harness.waiting import DEADLINE_S

__all__ = ["Connection"]


class Connection:
    """Base: subscribes anew at every connect; `changed` is notified at each message, and guards what messages change.

    A subclass says what it subscribes to, and what `arrived` does with a message (called with `changed` held).
    """

    def __init__(self, broker: Broker, *, user: str | None = None) -> None:
        self.broker = broker
        self.changed = threading.Condition()
        self.is_connected = False
        """Connected, and all subscriptions granted."""
        self._client = client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.max_inflight_messages_set(1000)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        if broker.certificates is not None:
            client.tls_set(ca_certs=str(broker.certificates.authority))
        if user is not None:
            client.username_pw_set(user, broker.users[user])

    def topics(self) -> Sequence[str]:
        """The filters to subscribe to."""
        raise NotImplementedError

    def arrived(self, message: MQTTMessage) -> None:
        raise NotImplementedError

    def connected(self) -> None:
        """Called at every connect, after the subscriptions are granted."""

    def start(self) -> None:
        """Return when the subscriptions are granted."""
        self._client.connect("127.0.0.1", self.broker.port, clean_start=True)
        self._client.loop_start()
        self.wait_connected()

    def wait_connected(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.is_connected, DEADLINE_S), "the broker does not let us in"

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        with self.changed:
            self.is_connected = False

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Return when the broker has acknowledged it."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        info.wait_for_publish(DEADLINE_S)
        assert info.is_published(), f"the broker does not take {topic}"

    def post(self, topic: str, payload: bytes | str) -> None:
        """Publish without waiting for the broker."""
        self._client.publish(topic, payload, qos=1)

    def _on_connect(
        self, client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        assert not code.is_failure, f"the broker refuses us: {code}"
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
