"""A socket between paho and the network: reads and writes in large pieces, and cuts payloads that are too large.

paho reads a packet byte by byte, sends each answer by a system call of its own, and collects a whole packet, of up to
256 MB, before it looks at it. This socket takes what has come in one call, sends all answers in one call, and finds the
packets first: of a payload over `LARGEST_PAYLOAD` it passes on one byte more than that and drops the rest as it comes.
MQTT 3.1.1 and 5.0, sections 2 and 3.3.
"""

import socket
import ssl
from collections import deque

from centre.centre_errors import LinkDown
from centre.link.received import LARGEST_PAYLOAD

__all__ = ["PacketSocket"]

_READ_BYTES = 256 * 1024
_WRITE_BYTES = 16 * 1024
"""One TLS record. OpenSSL wants an interrupted write to be repeated with the same bytes."""

_PASSED_WHOLE = LARGEST_PAYLOAD + 1
"""In bytes: a packet whose contents are no longer has no payload to cut."""

_PUBLISH = 3
_QOS_2_OR_3 = 0x04
_QOS = 0x06

_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class PacketSocket:
    """Wraps a connected socket that does not block, plain or TLS. For one thread.

    `fill` and `flush` move bytes between the network and two buffers; `recv` and `send`, for paho, never leave those.
    """

    def __init__(self, raw: socket.socket, *, has_properties: bool) -> None:
        self.raw = raw
        self._has_properties = has_properties
        self._head = b""
        """The begin of a packet of which too little has come to know what to do with it."""
        self._plan: deque[tuple[bool, int]] = deque()
        """What to do with the next bytes: pass on (true) or drop (false) so many. Empty at the start of a packet."""
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
            self._sort(data)
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
        """Find the packets in what has come, and pass on what `recv` may return."""
        if self._head:
            data, self._head = self._head + data, b""
        at = 0
        while at < len(data):
            if self._plan:
                at = self._follow_plan(data, at)
                continue
            end = self._whole_packets(data, at)
            if end > at:
                self._in.append(data[at:end])
                at = end
            elif not self._begin_packet(data, at):
                self._head = data[at:]
                return

    def _whole_packets(self, data: bytes, at: int) -> int:
        """Return where the packets end that begin at `at`, are complete, and need no cut."""
        while at < len(data):
            _refuse_qos_2(data[at])
            size, start = _number(data, at + 1)
            if size is None or size > _PASSED_WHOLE or start + size > len(data):
                break
            at = start + size
        return at

    def _follow_plan(self, data: bytes, at: int) -> int:
        is_passed, count = self._plan.popleft()
        end = min(at + count, len(data))
        if is_passed:
            self._in.append(data[at:end])
        if count > end - at:
            self._plan.appendleft((is_passed, count - (end - at)))
        return end

    def _begin_packet(self, data: bytes, at: int) -> bool:
        """Plan what to do with a packet that is incomplete or too large; return False if more bytes are needed."""
        size, start = _number(data, at + 1)
        if size is None:
            if len(data) - at >= 5:
                raise LinkDown("the broker sent something that is not MQTT; is it an MQTT broker?")
            return False
        if size <= _PASSED_WHOLE:
            self._plan.append((True, start - at + size))
            return True
        if data[at] >> 4 != _PUBLISH:
            raise LinkDown(f"the broker sent a packet of {size} bytes that is no message")
        return self._begin_large(data, at, start, size)

    def _begin_large(self, data: bytes, at: int, start: int, size: int) -> bool:
        """Do `_begin_packet` for a PUBLISH whose contents of `size` bytes begin at `start`."""
        if len(data) < start + 2:
            return False
        body = start + 2 + int.from_bytes(data[start : start + 2]) + (2 if data[at] & _QOS else 0)
        if len(data) < body:
            return False
        properties_bytes, after = 0, body
        if self._has_properties:
            length, after = _number(data, body)
            if length is None:
                if len(data) - body < 4:
                    return False
                raise LinkDown("the broker sent a malformed message")
            properties_bytes = length
        payload_bytes = size - (after - start) - properties_bytes
        if payload_bytes < 0:
            raise LinkDown("the broker sent a malformed message")
        # The properties are left out: they may be what makes the packet large, and the centre reads none.
        kept = data[start:body] + (b"\0" if self._has_properties else b"")
        passed = min(payload_bytes, _PASSED_WHOLE)
        header = data[at : at + 1] + _encoded(len(kept) + passed) + kept
        self._in.append(header)
        self._head = b""
        rest = ((False, after - at + properties_bytes), (True, passed), (False, payload_bytes - passed))
        self._plan.extend(step for step in rest if step[1])
        return True


def _refuse_qos_2(first: int) -> None:
    if first >> 4 == _PUBLISH and first & _QOS_2_OR_3:
        raise LinkDown("the broker sent a message at QoS 2, although no subscription asks for that")


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """Return the variable byte integer at an offset and where it ends; None if it is incomplete or too long."""
    value = 0
    for place, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    return None, at


def _encoded(value: int) -> bytes:
    """Return a variable byte integer."""
    encoded = bytearray()
    while True:
        value, low = divmod(value, 128)
        encoded.append(low | (0x80 if value else 0))
        if not value:
            return bytes(encoded)
