"""The socket that keeps oversize messages out of memory, fed with a byte stream cut anywhere."""

import random
import socket
import tracemalloc

import pytest

from agent.contract.parsing import MAX_MESSAGE_BYTES
from agent.uplink.bounded_socket import LARGEST_PAYLOAD, BoundedSocket


def length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def publish(topic: bytes, payload: bytes, *, qos: int = 1, v5: bool = True, properties: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2) + topic + (b"\x00\x07" if qos else b"")
    body += (length(len(properties)) + properties if v5 else b"") + payload
    return bytes([0x30 | qos << 1]) + length(len(body)) + body


class Raw:
    """A non-blocking socket that gives the stream in pieces of random sizes, and sometimes nothing."""

    def __init__(self, stream: bytes, seed: int) -> None:
        self._stream, self._at, self._random = stream, 0, random.Random(seed)

    def recv(self, size: int) -> bytes:
        if self._random.random() < 0.3 and self._at < len(self._stream):
            raise BlockingIOError
        taken = self._stream[self._at : self._at + min(size, self._random.choice([1, 2, 3, 7, 4096, 65536]))]
        self._at += len(taken)
        return taken


def packets_of(bounded: BoundedSocket) -> list[tuple[bytes, int]]:
    """Read as paho does: each packet, and how much of its payload was discarded."""
    packets: list[tuple[bytes, int]] = []

    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                part = bounded.recv(count - len(data))
            except BlockingIOError:
                continue
            if not part:
                raise EOFError
            data += part
        return data

    try:
        while True:
            packet, size, shift = exactly(1), 0, 0
            while True:
                byte = exactly(1)
                packet += byte
                size |= (byte[0] & 0x7F) << shift
                shift += 7
                if not byte[0] & 0x80:
                    break
            packets.append((packet + exactly(size), bounded.take_discarded()))
    except EOFError:
        return packets


def test_the_limit_is_the_one_of_messages() -> None:
    assert LARGEST_PAYLOAD == MAX_MESSAGE_BYTES


@pytest.mark.parametrize("v5", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_small_packets_pass_unchanged_and_large_payloads_are_discarded(v5: bool, seed: int) -> None:
    """Rule: mqtt.md#oversize-messages."""
    most = b"x" * LARGEST_PAYLOAD
    stream = [
        publish(b"t/small", b"{}", v5=v5),
        publish(b"t/most", most, v5=v5),
        publish(b"t/large", most + b"x", v5=v5),
        b"\x40\x02\x00\x09",  # PUBACK
        publish(b"t/huge", most * 5, qos=0, v5=v5),
        publish(b"t/last", b"end", v5=v5),
    ]
    if v5:
        stream.append(publish(b"t/properties", b"{}", properties=b"\x26" + b"\x00\x01a\xff\xf0" + b"v" * 65520))
        stream.append(publish(b"t/wordy", b"{}", properties=b"p" * 300_000))
    found = packets_of(BoundedSocket(Raw(b"".join(stream), seed), has_properties=v5))  # type: ignore[arg-type]
    expected = [
        (stream[0], 0),
        (stream[1], 0),
        (publish(b"t/large", b"", v5=v5), LARGEST_PAYLOAD + 1),
        (stream[3], 0),
        (publish(b"t/huge", b"", qos=0, v5=v5), LARGEST_PAYLOAD * 5),
        (stream[5], 0),
    ]
    if v5:
        expected += [(stream[6], 0), (publish(b"t/wordy", b"{}"), 0)]
    assert found == expected


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (publish(b"t", b"{}", qos=2), "QoS 2"),
        (publish(b"t", b"x" * 300_000, qos=2), "QoS 2"),
        (publish(b"t", b"{}", qos=3), "QoS 2"),
        (b"\x90" + length(LARGEST_PAYLOAD + 1), "no message"),
        (b"\x30" + length(300_000) + b"\x00\x01t" + b"\xff\xff\xff\xff\xff", "malformed"),
        (b"\x30" + length(300_000) + b"\x00\x01t" + length(299_999), "malformed"),
    ],
)
def test_what_cannot_be_ends_the_connection(stream: bytes, said: str) -> None:
    """Rule: mqtt.md#oversize-messages."""
    bounded = BoundedSocket(Raw(stream, 1), has_properties=True)  # type: ignore[arg-type]
    with pytest.raises(ConnectionError, match=said):
        packets_of(bounded)
    assert said in str(bounded.violation)


def test_a_huge_message_takes_no_memory() -> None:
    """Rule: mqtt.md#oversize-messages."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        bounded = BoundedSocket(ours, has_properties=False)
        size = 200_000_000
        chunk, left = bytes(1 << 16), size
        theirs.send(b"\x32" + length(2 + 1 + 2 + size) + b"\x00\x01t\x00\x07")
        tracemalloc.start()
        try:
            data = b""
            while not data:
                if left:
                    left -= theirs.send(chunk[: min(left, len(chunk))])
                try:
                    data = bounded.recv(1)
                except BlockingIOError:
                    continue
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert data == b"\x32"
    assert bounded.take_discarded() == size
    assert peak < 1_000_000
