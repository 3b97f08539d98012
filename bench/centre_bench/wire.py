"""An MQTT client that costs little: MQTT 3.1.1 at QoS 1 on one socket, used by one thread."""

import selectors
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple, Self

from bench.consumer_process import end_of
from harness.mqtt_packets import CONNACK, CONNECT, PUBACK, PUBLISH, SUBACK, SUBSCRIBE, encode, encode_text

__all__ = ["Arrived", "Wire"]

_KEEPALIVE_S = 600
_DEADLINE_S = 60.0


class Arrived(NamedTuple):
    """A message from the broker."""

    topic: str
    payload: bytes


class Wire:
    """One connection. Context-managed."""

    def __init__(self, port: int, name: str, filters: Sequence[str] = ()) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._rest = b""
        self._packet_id = 0
        self._answers = 0
        self.unanswered = 0
        """How many publishes the broker has not acknowledged yet."""
        clean = 0x02
        self._sock.sendall(
            encode(CONNECT, encode_text("MQTT") + bytes([4, clean]) + _KEEPALIVE_S.to_bytes(2) + encode_text(name))
        )
        self._wait_answers(1)
        for one in filters:
            self._sock.sendall(encode(SUBSCRIBE, self._next_id() + encode_text(one) + b"\1", flags=2))
        self._wait_answers(1 + len(filters))

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message at QoS 1. Its acknowledgement is counted when it is read."""
        self.unanswered += 1
        self._sock.sendall(encode(PUBLISH, encode_text(topic) + self._next_id() + payload, flags=2))

    def read(self, timeout_s: float) -> list[Arrived]:
        """Return the messages that have come, within the given seconds; all are acknowledged."""
        if not self._selector.select(max(0.0, timeout_s)):
            return []
        more = self._sock.recv(1 << 18)
        if not more:
            raise ConnectionError("the broker has closed the connection")
        data, at = self._rest + more, 0
        arrived, acknowledged = [], []
        while (end := end_of(data, at)) is not None:
            body, stop = end
            match data[at] >> 4:
                case kind if kind == PUBLISH:
                    topic_end = body + 2 + int.from_bytes(data[body : body + 2])
                    acknowledged.append(encode(PUBACK, data[topic_end : topic_end + 2]))
                    arrived.append(Arrived(data[body + 2 : topic_end].decode(), data[topic_end + 2 : stop]))
                case kind if kind == PUBACK:
                    self.unanswered -= 1
                case kind if kind in (CONNACK, SUBACK):
                    self._answers += 1
            at = stop
        self._rest = data[at:]
        if acknowledged:
            self._sock.sendall(b"".join(acknowledged))
        return arrived

    def wait_published(self, most: int = 0) -> None:
        """Wait until at most the given number of publishes are without an answer. Nothing else may arrive meanwhile."""
        end = time.monotonic() + _DEADLINE_S
        while self.unanswered > most:
            self.read(1.0)
            if time.monotonic() > end:
                raise TimeoutError(f"{self.unanswered} publishes were not acknowledged")

    def _wait_answers(self, count: int) -> None:
        end = time.monotonic() + _DEADLINE_S
        while self._answers < count:
            self.read(1.0)
            if time.monotonic() > end:
                raise TimeoutError("the broker does not answer")

    def _next_id(self) -> bytes:
        self._packet_id = self._packet_id % 65535 + 1
        return self._packet_id.to_bytes(2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self._sock.close()
