"""A consumer that costs little, so that on a small machine the processor is left to what is measured.

A process of its own: `python -m bench.consumer_process PORT SITE KIOSK`. It speaks as much MQTT 3.1.1 as it needs: it
subscribes to one kiosk's events at QoS 1, answers each, counts them, and retains an acknowledgement
(mqtt.md#acknowledgement) at most every `ACK_EVERY_S`. Each line on its standard input is answered by one line of JSON,
the fields of `bench.consumer.Seen`.
"""

import json
import re
import selectors
import socket
import sys
import time

from harness.mqtt_packets import CONNECT, PUBLISH, SUBACK, SUBSCRIBE, encode, encode_text

__all__ = ["end_of", "main"]

ACK_EVERY_S = 0.02
KEEPALIVE_S = 600

_ID = re.compile(rb'"id":"(([0-9A-F]{8})-([0-9]{12})-[0-9a-f]{8})"')


class _Connection:
    def __init__(self, port: int, site: str, kiosk: str) -> None:
        root = f"kiosk/v1/{site}/agent/{kiosk}"
        self._ack_topic = f"{root}/ack"
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flags = 0x02  # clean session
        hello = encode_text("MQTT") + bytes([4, flags]) + KEEPALIVE_S.to_bytes(2) + encode_text("bench-consumer")
        self._sock.sendall(encode(CONNECT, hello))
        self._sock.sendall(encode(SUBSCRIBE, b"\0\1" + encode_text(f"{root}/event/#") + b"\1", flags=2))
        self._rest = b""
        self._packet_id = 1
        self.is_subscribed = False
        self._newest: tuple[bytes, bytes, bytes] | None = None
        self._acked: tuple[bytes, bytes, bytes] | None = None
        self._acked_at = 0.0
        self.count = 0
        self.document_bytes = 0
        self.first_ns = 0
        self.last_ns = 0

    def fileno(self) -> int:
        return self._sock.fileno()

    def read(self) -> bool:
        """Take what has come; return false when the broker is gone."""
        try:
            more = self._sock.recv(1 << 18)
        except ConnectionError:
            return False
        if not more:
            return False
        data = self._rest + more
        at, answers = 0, []
        while (end := end_of(data, at)) is not None:
            body, stop = end
            kind = data[at] >> 4
            if kind == PUBLISH:
                answers.append(self._take(data, body, stop))
            self.is_subscribed = self.is_subscribed or kind == SUBACK
            at = stop
        self._rest = data[at:]
        if answers:
            self.last_ns = time.monotonic_ns()
            self.first_ns = self.first_ns or self.last_ns
            self._sock.sendall(b"".join(answers))
        return True

    def _take(self, data: bytes, body: int, stop: int) -> bytes:
        topic_end = body + 2 + int.from_bytes(data[body : body + 2], "big")
        found = _ID.search(data, topic_end + 2, stop)
        if found is not None:
            self._newest = (found[1], found[2], found[3])
        self.count += 1
        self.document_bytes += stop - topic_end - 2
        return b"\x40\x02" + data[topic_end : topic_end + 2]  # PUBACK

    def ack(self, now: float) -> float | None:
        """Acknowledge what is stored, if it is time; return the seconds until it is, or None if nothing is new."""
        if self._newest is None or self._newest == self._acked:
            return None
        due = self._acked_at + ACK_EVERY_S
        if now < due:
            return due - now
        self._acked, self._acked_at = self._newest, now
        event, journal, sequence = (part.decode() for part in self._newest)
        ack = json.dumps({"journal": journal, "through": sequence, "id": event}).encode()
        self._packet_id = self._packet_id % 65535 + 1
        packet_id = self._packet_id.to_bytes(2, "big")
        self._sock.sendall(encode(PUBLISH, encode_text(self._ack_topic) + packet_id + ack, flags=3))
        return None

    def seen(self) -> str:
        return json.dumps(
            {
                "count": self.count,
                "bytes": self.document_bytes,
                "first_ns": self.first_ns,
                "last_ns": self.last_ns,
                "through": 0 if self._newest is None else int(self._newest[2]),
            }
        )


def end_of(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the packet at `at` has its body and where it ends; None while part of it is missing."""
    length, shift, body = 0, 0, at + 1
    while True:
        if body >= len(data):
            return None
        group = data[body]
        length |= (group & 0x7F) << shift
        shift += 7
        body += 1
        if group < 0x80:
            break
    stop = body + length
    return (body, stop) if stop <= len(data) else None


def main(port: int, site: str, kiosk: str) -> None:
    """Consume until the broker is gone or standard input ends."""
    consumer = _Connection(port, site, kiosk)
    while not consumer.is_subscribed:
        if not consumer.read():
            return
    with selectors.DefaultSelector() as selector:
        selector.register(consumer, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        wait_s: float | None = None
        while True:
            for key, _ in selector.select(wait_s):
                if key.fileobj is consumer:
                    if not consumer.read():
                        return
                elif not sys.stdin.readline():
                    return
                else:
                    print(consumer.seen(), flush=True)
            wait_s = consumer.ack(time.monotonic())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
