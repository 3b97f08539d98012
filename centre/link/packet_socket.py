"""The network side of a connection: takes what has come in one call, decodes the messages, and leaves the rest to paho.

Ten thousand events a second come through here. paho reads a packet byte by byte, wraps each message into several
objects, and sends each PUBACK by a system call of its own, which takes eight times as much CPU (decision 0007). It also
collects a whole packet, of up to 256 MB, before it looks at it; here a payload that is too large is cut as it comes.
MQTT 3.1.1 and 5.0, sections 2 and 3.3.
"""

import socket
import ssl
from collections import deque
from collections.abc import Callable

from centre.centre_errors import LinkDown
from centre.link.received import LARGEST_PAYLOAD

__all__ = ["PacketSocket"]

_READ_BYTES = 256 * 1024
_WRITE_BYTES = 16 * 1024
"""One TLS record. OpenSSL wants an interrupted write to be repeated with the same bytes."""

_PASSED_BYTES = LARGEST_PAYLOAD + 1
"""How much of a payload is handed over at most."""

_HELD_BYTES = LARGEST_PAYLOAD + 128 * 1024
"""A packet of up to this size is held until it is complete. Topic and properties have room in the difference."""

_PUBLISH = 3
_QOS_2_OR_3 = 0x04
_QOS = 0x06
_RETAIN = 0x01
_PUBACK = b"\x40\x02"

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class PacketSocket:
    """Wraps a connected socket that does not block, plain or TLS. For one thread.

    `fill` reads from the network; it calls `on_message` with topic, payload and retain flag of each message, and
    acknowledges it. All other packets are for paho, through `recv`. What paho sends waits for `flush`.
    """

    def __init__(
        self, raw: socket.socket, *, has_properties: bool, on_message: Callable[[str, bytes, bool], None]
    ) -> None:
        self.raw = raw
        self._has_properties = has_properties
        self._on_message = on_message
        self._head = b""
        """The beginning of a packet that is incomplete."""
        self._large: _LargeMessage | None = None
        """A message too large to be held, of which not everything has come."""
        self._in: deque[bytes] = deque()
        self._at = 0
        self._out = bytearray()

    # -- for paho ----------------------------------------------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes of what `fill` has brought. Raises BlockingIOError if there are none."""
        if not self._in:
            raise BlockingIOError
        first = self._in[0]
        data = first[self._at : self._at + size]
        self._at += len(data)
        if self._at == len(first):
            self._in.popleft()
            self._at = 0
        return data

    def send(self, data: bytes | bytearray) -> int:
        """Take bytes for `flush`."""
        self._out += data
        return len(data)

    def fileno(self) -> int:
        return self.raw.fileno()

    def setblocking(self, flag: bool) -> None:
        self.raw.setblocking(flag)

    def close(self) -> None:
        """Do nothing: the event loop watches the descriptor until `end`."""

    # -- for the connection ------------------------------------------------------------------------------------------

    @property
    def has_input(self) -> bool:
        """Whether `recv` has something."""
        return bool(self._in)

    @property
    def unsent_bytes(self) -> int:
        return len(self._out)

    def end(self) -> None:
        """Close the socket. Idempotent."""
        self.raw.close()

    def is_pending(self) -> bool:
        """Return whether TLS has decrypted bytes that `fill` has not taken: the descriptor does not tell of those."""
        return isinstance(self.raw, ssl.SSLSocket) and self.raw.pending() > 0

    def fill(self) -> bool:
        """Read once from the network; return False at its end. Raises LinkDown for what no broker may send, OSError."""
        try:
            data = self.raw.recv(_READ_BYTES)
        except _NOT_NOW:
            return True
        if data:
            self._sort(self._head + data if self._head else data)
        return bool(data)

    def flush(self) -> None:
        """Write what the network takes now. Raises OSError."""
        while self._out:
            try:
                sent = self.raw.send(self._out[:_WRITE_BYTES])
            except _NOT_NOW:
                return
            del self._out[:sent]

    # -- inside ------------------------------------------------------------------------------------------------------

    def _sort(self, data: bytes) -> None:
        """Find the packets: messages are handed over, others are for paho, and an incomplete one is held."""
        self._head = b""
        at = 0
        if self._large is not None:
            at = self._large.feed(data, 0)
            self._end_large()
        while at < len(data):
            size, start = _number(data, at + 1)
            if size is None:
                if len(data) - at >= 5:
                    raise LinkDown("the broker sent something that is not MQTT; is it an MQTT broker?")
                break
            end = start + size
            is_message = data[at] >> 4 == _PUBLISH
            if end <= len(data) and size <= _HELD_BYTES:
                if is_message:
                    self._message(data, data[at], start, end)
                else:
                    self._in.append(data[at:end])
            elif size <= _HELD_BYTES:
                break
            elif not is_message:
                raise LinkDown(f"the broker sent a packet of {size} bytes that is no message")
            elif len(data) - start < _HELD_BYTES - LARGEST_PAYLOAD:
                break  # the topic may be incomplete
            else:
                self._large = _LargeMessage(*self._parts(data, data[at], start, end), end)
                end = self._large.feed(data, start)
                self._end_large()
            at = end
        self._head = data[at:]

    def _message(self, data: bytes, first: int, start: int, end: int) -> None:
        """Hand over the message whose contents are `data[start:end]`."""
        topic, identifier, is_retained, at = self._parts(data, first, start, end)
        self._hand_over(topic, identifier, is_retained, data[at : min(end, at + _PASSED_BYTES)])

    def _parts(self, data: bytes, first: int, start: int, end: int) -> tuple[bytes, bytes, bool, int]:
        """Return topic, packet identifier, retain flag, and where the payload begins."""
        if first & _QOS_2_OR_3:
            raise LinkDown("the broker sent a message at QoS 2, although no subscription asks for that")
        after_topic = at = start + 2 + (data[start] << 8 | data[start + 1]) if end - start >= 2 else end + 1
        if first & _QOS:
            at += 2
        identifier = data[after_topic:at]
        if self._has_properties and at < end:
            length = data[at]
            at += 1
            if length >= 0x80:
                number, at = _number(data, at - 1)
                length = end if number is None else number
            at += length
        elif self._has_properties:
            at = end + 1
        if at > end:
            raise LinkDown("the broker sent a malformed message")
        return data[start + 2 : after_topic], identifier, bool(first & _RETAIN), at

    def _end_large(self) -> None:
        large = self._large
        if large is not None and large.is_complete:
            self._large = None
            self._hand_over(large.topic, large.identifier, large.is_retained, bytes(large.payload))

    def _hand_over(self, topic: bytes, identifier: bytes, is_retained: bool, payload: bytes) -> None:
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            pass  # nobody could name it; it is acknowledged and forgotten
        else:
            self._on_message(text, payload, is_retained)
        if identifier:
            self._out += _PUBACK + identifier


class _LargeMessage:
    """A message of which the payload is collected up to `_PASSED_BYTES`, and dropped behind that.

    `begin` and `end` are the offsets of its payload and its end, counted from the data that the first `feed` gets.
    """

    def __init__(self, topic: bytes, identifier: bytes, is_retained: bool, begin: int, end: int) -> None:
        self.topic = topic
        self.identifier = identifier
        self.is_retained = is_retained
        self.payload = bytearray()
        self._begin = begin
        self._end = end

    @property
    def is_complete(self) -> bool:
        return self._end == 0

    def feed(self, data: bytes, at: int) -> int:
        """Take what of the data belongs to it, from an offset on; return where the rest begins."""
        stop = min(len(data), self._end)
        wanted = data[max(at, self._begin) : stop]
        self.payload += wanted[: _PASSED_BYTES - len(self.payload)]
        self._begin = max(0, self._begin - len(data))
        self._end = max(0, self._end - len(data))
        return stop


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """Return the variable byte integer at an offset and where it ends; None if it is incomplete or too long."""
    value = 0
    for place, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    return None, at
