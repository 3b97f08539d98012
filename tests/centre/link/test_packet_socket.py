"""The network side of a connection: messages are decoded, acknowledged and cut; all other packets pass unchanged."""

import socket
import threading
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from centre.centre_errors import LinkDown
from centre.link.packet_socket import PacketSocket
from centre.link.received import LARGEST_PAYLOAD
from harness.mqtt_packets import PINGRESP, PUBLISH, encode, encode_length, encode_text, puback, suback

Seen = tuple[list[tuple[str, bytes, bool]], bytes, bytes]
"""The messages, what paho gets, and what is sent."""


def seen(stream: bytes, *, v5: bool = True, piece: int = 65536) -> Seen:
    """Return what becomes of a stream that arrives in pieces."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    messages: list[tuple[str, bytes, bool]] = []
    for_paho = b""
    with ours, theirs:
        packets = PacketSocket(ours, has_properties=v5, on_message=lambda *one: messages.append(one))
        for start in range(0, len(stream), piece):
            theirs.sendall(stream[start : start + piece])
            assert packets.fill()
            while packets.has_input:
                for_paho += packets.recv(3)
        packets.flush()
        theirs.setblocking(False)
        try:
            sent = theirs.recv(1 << 20)
        except BlockingIOError:
            sent = b""
    return messages, for_paho, sent


def message(
    topic: str | bytes, payload: bytes, *, v5: bool = True, identifier: int = 7, properties: bytes = b"", flags: int = 2
) -> bytes:
    head = encode_text(topic) + (identifier.to_bytes(2) if flags & 6 else b"")
    return encode(PUBLISH, head + (encode_length(len(properties)) + properties if v5 else b"") + payload, flags=flags)


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
        (LARGEST_PAYLOAD + 120_000, LARGEST_PAYLOAD + 1),
        (LARGEST_PAYLOAD + 140_000, LARGEST_PAYLOAD + 1),
        (3_000_000, LARGEST_PAYLOAD + 1),
    ],
)
def test_a_payload_is_cut_behind_the_limit(size: int, left: int, piece: int, v5: bool) -> None:
    payload = b"p" * (size - 1) + b"q" * (size > 0)
    stream = message("kiosk/v1/a/order/x", payload, v5=v5) + message("b", b"next", v5=v5, identifier=8, flags=3)
    messages, _, sent = seen(stream, v5=v5, piece=piece)
    assert messages == [("kiosk/v1/a/order/x", payload[:left], False), ("b", b"next", True)]
    assert sent == puback(7) + puback(8)


def test_large_properties_are_left_out() -> None:
    stream = message("a", b"payload", properties=b"\x26" * 400_000) + message("b", b"next", properties=b"\x26" * 300)
    assert seen(stream)[0] == [("a", b"payload", False), ("b", b"next", False)]


def test_a_message_at_qos_0_is_not_acknowledged() -> None:
    assert seen(message("a", b"payload", flags=1)) == ([("a", b"payload", True)], b"", b"")


def test_a_topic_that_is_no_text_is_acknowledged_and_left_out() -> None:
    stream = message(b"\xff\xfe", b"bad", identifier=1) + message("a", b"good", identifier=2)
    assert seen(stream) == ([("a", b"good", False)], b"", puback(1) + puback(2))


messages_sent = st.tuples(st.text("abc/", min_size=1), st.binary(max_size=300), st.booleans(), st.binary(max_size=200))
others = st.sampled_from([encode(PINGRESP), suback(5, b"\1\1"), puback(9, 0x10)])


@given(st.lists(st.one_of(messages_sent, others), max_size=6), st.integers(1, 50), st.booleans())
@example([("a", b"", False, b""), encode(PINGRESP)], 1, True)
def test_packets_are_told_apart_however_they_arrive(
    packets: list[tuple[str, bytes, bool, bytes] | bytes], piece: int, v5: bool
) -> None:
    stream, expected, for_paho = b"", [], b""
    for packet in packets:
        if isinstance(packet, bytes):
            stream += packet
            for_paho += packet
        else:
            topic, payload, is_retained, properties = packet
            stream += message(topic, payload, properties=properties, v5=v5, flags=2 | is_retained)
            expected.append((topic, payload, is_retained))
    assert seen(stream, piece=piece, v5=v5) == (expected, for_paho, puback(7) * len(expected))


@pytest.mark.parametrize(
    "stream",
    [
        encode(PUBLISH, encode_text("a") + b"\0\1\0", flags=4),  # QoS 2
        encode(9, b"x" * 500_000),  # a large packet that is no message
        b"\x90\xff\xff\xff\xff\xff",  # a length that never ends
        message("a", b"", properties=b"x" * 10)[:-1].replace(b"\x10", b"\x0f", 1),  # properties behind the end
        encode(PUBLISH, b"", flags=2),
        encode(PUBLISH, b"\0", flags=2),
        encode(PUBLISH, b"\0\5a", flags=2),
        encode(PUBLISH, encode_text("a") + b"\0", flags=2),
        encode(PUBLISH, encode_text("a") + b"\0\1", flags=2),
        encode(PUBLISH, encode_text("a") + b"\0\1\xff\xff\xff\x7f" + b"x" * 500_000, flags=2),
    ],
)
def test_what_no_broker_may_send_ends_the_connection(stream: bytes) -> None:
    with pytest.raises(LinkDown):
        seen(stream)


@given(st.binary(max_size=100), st.booleans())
def test_garbage_raises_nothing_else(stream: bytes, v5: bool) -> None:
    with suppress(LinkDown):
        seen(stream, v5=v5)


def test_what_the_network_does_not_take_waits() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        packets = PacketSocket(ours, has_properties=True, on_message=lambda *_: None)
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
        packets = PacketSocket(ours, has_properties=True, on_message=lambda *_: None)
        assert packets.fill()  # nothing has come yet
        theirs.close()
        assert not packets.fill()
