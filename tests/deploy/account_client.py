"""An MQTT client that keeps what the broker answers to a connection, to subscriptions and to each publish."""

import socket
import threading
from collections.abc import Callable, Iterable
from typing import Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from harness.waiting import DEADLINE_S

__all__ = ["AccountClient"]


class AccountClient:
    """One connection of an account. Context-managed.

    `accepted` is whether the broker took it, `lost` whether the broker has closed it since; `received` has
    (topic, payload) of each message, in order.
    """

    def __init__(
        self,
        port: int,
        *,
        client_id: str,
        protocol: MQTTProtocolVersion,
        login: tuple[str, str] | None,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self._port = port
        self._changed = threading.Condition()
        self.lost = False
        self._connack: ReasonCode | None = None
        self._pubacks: dict[int, int] = {}
        self._subacks: dict[int, list[ReasonCode]] = {}
        self.received: list[tuple[str, bytes]] = []
        self._paho = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, reconnect_on_failure=False
        )
        if login is not None:
            self._paho.username_pw_set(*login)
        if will is not None:
            self._paho.will_set(*will, qos=1)
        self._paho.on_connect = self._on_connect
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish
        self._paho.on_subscribe = self._on_subscribe
        self._paho.on_message = self._on_message

    @property
    def accepted(self) -> bool:
        return self._connack is not None and not self._connack.is_failure

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Return once `condition` is true; it is checked after each answer. Raises AssertionError naming `what`."""
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_S), f"waited {DEADLINE_S:.0f} s for {what}"

    def publish(self, topics: Iterable[str], payload: bytes, *, retain: bool = False) -> None:
        """Publish a payload on each topic at QoS 1, and wait until the broker has answered them all."""
        tokens = {self._paho.publish(topic, payload, 1, retain).mid for topic in topics}
        self.wait_for(lambda: self._pubacks.keys() >= tokens, "every PUBACK")

    def try_publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Publish, and return the PUBACK's reason code; None if the broker closed the connection instead."""
        token = self._paho.publish(topic, payload, 1, retain).mid
        self.wait_for(lambda: self.lost or token in self._pubacks, "the PUBACK")
        return self._pubacks.get(token)

    def subscribe(self, filters: Iterable[str]) -> set[str]:
        """Subscribe to each filter at QoS 1; return those that the broker refused."""
        tokens = {one: self._paho.subscribe(one, 1)[1] for one in filters}
        self.wait_for(lambda: self._subacks.keys() >= set(tokens.values()), "every SUBACK")
        return {one for one, token in tokens.items() if token and self._subacks[token][0].is_failure}

    def topics_of(self, payload: bytes) -> set[str]:
        """Return the topics on which a payload came."""
        return {topic for topic, came in self.received if came == payload}

    def drop(self) -> None:
        """Break the connection without a DISCONNECT, so that the broker publishes the will."""
        connection = self._paho.socket()
        assert isinstance(connection, socket.socket)
        connection.shutdown(socket.SHUT_RDWR)
        self._paho.loop_stop()

    def __enter__(self) -> Self:
        self._paho.connect("127.0.0.1", self._port)
        self._paho.loop_start()
        self.wait_for(lambda: self._connack is not None or self.lost, "the broker's CONNACK")
        return self

    def __exit__(self, *_: object) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()

    def _on_connect(
        self, _paho: Client, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        with self._changed:
            self._connack = reason
            self._changed.notify_all()

    def _on_disconnect(
        self, _paho: Client, _userdata: object, _flags: DisconnectFlags, _reason: ReasonCode, _more: Properties | None
    ) -> None:
        with self._changed:
            self.lost = True
            self._changed.notify_all()

    def _on_publish(self, _paho: Client, _userdata: object, token: int, reason: ReasonCode, _more: Properties) -> None:
        with self._changed:
            self._pubacks[token] = reason.value
            self._changed.notify_all()

    def _on_subscribe(
        self, _paho: Client, _userdata: object, token: int, reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        with self._changed:
            self._subacks[token] = reasons
            self._changed.notify_all()

    def _on_message(self, _paho: Client, _userdata: object, message: MQTTMessage) -> None:
        with self._changed:
            self.received.append((message.topic, bytes(message.payload)))
            self._changed.notify_all()
