"""The socket between paho and the network: whole packets pass, and payloads that are too large are cut."""

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centre.centre_errors import LinkDown
from centre.link.packet_socket import PacketSocket
from centre.link.received import LARGEST_PAYLOAD
from harness.mqtt_packets import PINGRESP, PUBLISH, Packet, encode, encode_text, parse


def passed(stream: bytes, *, v5: bool = True, piece: int = 65536) -> bytes:
    """Return what paho sees of a stream that arrives in pieces."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    seen = b""
    with ours, theirs:
        packets = PacketSocket(ours, has_properties=v5)
        for start in range(0, len(stream), piece):
            theirs.sendall(stream[start : start + piece])
            assert packets.fill()
            while packets.has_input:
                seen += packets.recv(1000)
    return seen


def split(stream: bytes, *, v5: bool = True) -> Iterator[Packet]:
    while stream:
        size, shift, at = 0, 0, 1
        while True:
            size |= (stream[at] & 0x7F) << shift
            shift += 7
            at += 1
            if stream[at - 1] < 0x80:
                break
        yield parse(stream[0] >> 4, stream[0] & 15, stream[at : at + size], v5=v5)
        stream = stream[at + size :]


def message(topic: str, payload: bytes, *, v5: bool = True, identifier: int = 7, properties: bytes = b"") -> bytes:
    head = encode_text(topic) + identifier.to_bytes(2)
    if v5:
        size = bytearray()
        rest = len(properties)
        while True:
            size.append(rest & 0x7F | (0x80 if rest > 0x7F else 0))
            rest >>= 7
            if not rest:
                break
        head += bytes(size) + properties
    return encode(PUBLISH, head + payload, flags=2)


@pytest.mark.parametrize("v5", [True, False])
@pytest.mark.parametrize("piece", [1000, 65536])
@pytest.mark.parametrize(
    ("size", "left"),
    [
        (0, 0),
        (500, 500),
        (LARGEST_PAYLOAD, LARGEST_PAYLOAD),
        (LARGEST_PAYLOAD + 1, LARGEST_PAYLOAD + 1),
        (LARGEST_PAYLOAD + 2, LARGEST_PAYLOAD + 1),
        (3_000_000, LARGEST_PAYLOAD + 1),
    ],
)
def test_a_payload_is_cut_behind_the_limit(size: int, left: int, piece: int, v5: bool) -> None:
    stream = message("kiosk/v1/a/order/x", b"p" * size, v5=v5) + message("b", b"next", v5=v5)
    first, second = split(passed(stream, v5=v5, piece=piece), v5=v5)
    assert (first.topic, first.identifier, len(first.payload)) == ("kiosk/v1/a/order/x", 7, left)
    assert (second.topic, second.payload) == ("b", b"next")


def test_large_properties_are_left_out() -> None:
    stream = message("a", b"p" * 10, properties=b"\x26" * 400_000) + message("b", b"next")
    first, second = split(passed(stream))
    assert (first.topic, first.payload, first.properties) == ("a", b"p" * 10, b"")
    assert second.payload == b"next"


packets = st.one_of(st.builds(message, st.text("abc/", min_size=1), st.binary(max_size=300)), st.just(encode(PINGRESP)))


@given(st.lists(packets, max_size=6), st.integers(1, 50))
def test_small_packets_pass_unchanged_however_they_arrive(stream: list[bytes], piece: int) -> None:
    assert passed(b"".join(stream), piece=piece) == b"".join(stream)


@pytest.mark.parametrize(
    "stream",
    [
        encode(PUBLISH, encode_text("a") + b"\0\1\0", flags=4),  # QoS 2
        encode(9, b"x" * 400_000),  # a large packet that is no message
        b"\x30\xff\xff\xff\xff\xff",  # a length that never ends
        encode(PUBLISH, encode_text("a") + b"\0\1\xff\xff\xff\x7f" + b"x" * 300_000, flags=2),  # longer than itself
    ],
)
def test_what_no_broker_may_send_ends_the_connection(stream: bytes) -> None:
    with pytest.raises(LinkDown):
        passed(stream)


def test_what_the_network_does_not_take_waits() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        packets = PacketSocket(ours, has_properties=True)
        packets.send(b"x" * 5_000_000)
        packets.flush()
        assert packets.unsent_bytes > 0
        read = 0

        def drain() -> None:
            nonlocal read
            while read < 5_000_000:
                read += len(theirs.recv(1 << 20))

        thread = threading.Thread(target=drain)
        thread.start()
        while packets.unsent_bytes:
            packets.flush()
        thread.join(10)
        assert read == 5_000_000


def test_the_end_of_the_stream_is_told() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours:
        packets = PacketSocket(ours, has_properties=True)
        assert packets.fill()  # nothing has come yet
        theirs.close()
        assert not packets.fill()
