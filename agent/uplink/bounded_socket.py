"""A socket that keeps oversize MQTT messages out of memory (`mqtt.md#oversize-messages`).

paho collects a whole packet before it looks at it, so a broker could make it collect 256 MB. This socket reads the
packets first: of a message that is too large it discards the payload as it arrives, and passes on the rest as a message
without payload. MQTT 3.1.1 and 5.0, sections 2 and 3.3.
"""

import socket
import ssl

__all__ = ["LARGEST_PAYLOAD", "BoundedSocket"]

LARGEST_PAYLOAD = 256 * 1024
"""In bytes. The same as the limit of `mqtt.md#refused-messages`, so what is discarded would be refused anyway."""

_READ_BYTES = 64 * 1024
_READS_A_TURN = 32
"""How often to read at most in one call of `recv` while discarding: other work comes between two calls."""

_PUBLISH = 3
_QOS_2_OR_3 = 0x04
_QOS = 0x06


class BoundedSocket:
    """Wraps a connected socket, plain or TLS, with what paho needs of one. For one thread.

    `violation` says in words why the connection must end: a message at QoS 2, or a packet that cannot be. `recv` has
    then raised ConnectionError.
    """

    def __init__(self, raw: socket.socket, *, has_properties: bool) -> None:
        self.raw = raw
        self.violation: str | None = None
        self.received_bytes = 0
        """All bytes received so far, for the caller to see that the broker is alive while a payload is discarded."""
        self._has_properties = has_properties
        self._ahead = b""
        self._at = 0
        self._is_starved = True
        """Whether nothing can be returned before the raw socket has more bytes."""
        self._ready = b""
        self._pass_bytes = 0
        self._drop_bytes = 0
        self._after_drop = (b"", 0)
        self._discarded_bytes = 0

    # -- what paho needs ---------------------------------------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes of the stream as paho should see it; empty at its end.

        Raises BlockingIOError or ssl.SSLWantReadError if there are none now, ConnectionError if the broker must be
        left, else OSError.
        """
        reads = 0
        while True:
            if self._ready:
                data, self._ready = self._ready[:size], self._ready[size:]
                return data
            if self._drop_bytes == 0 and self._pass_bytes == 0 and self._parse():
                continue
            if self._at == len(self._ahead) or not (self._drop_bytes or self._pass_bytes):
                if reads >= _READS_A_TURN:
                    raise BlockingIOError
                reads += 1
                if not self._read_more():
                    return b""
                continue
            if self._drop_bytes:
                self._drop()
                continue
            data = self._ahead[self._at : self._at + min(size, self._pass_bytes)]
            self._at += len(data)
            self._pass_bytes -= len(data)
            return data

    def send(self, data: bytes | bytearray) -> int:
        return self.raw.send(data)

    def fileno(self) -> int:
        return self.raw.fileno()

    def setblocking(self, flag: bool) -> None:
        self.raw.setblocking(flag)

    def close(self) -> None:
        self.raw.close()

    # -- what the client needs ---------------------------------------------------------------------------------------

    def pending(self) -> bool:
        """Return whether `recv` has something to do although the descriptor may not be readable."""
        if self._ready or (self._at < len(self._ahead) and not self._is_starved):
            return True
        return isinstance(self.raw, ssl.SSLSocket) and self.raw.pending() > 0

    def take_discarded(self) -> int:
        """Return the size of the payload that was discarded from the message just passed on; 0 if none was."""
        discarded, self._discarded_bytes = self._discarded_bytes, 0
        return discarded

    # -- inside ------------------------------------------------------------------------------------------------------

    def _read_more(self) -> bool:
        """Read from the raw socket; return False at its end. Raises what it raises."""
        self._is_starved = True
        data = self.raw.recv(_READ_BYTES)
        self._is_starved = False
        self.received_bytes += len(data)
        self._ahead = self._ahead[self._at :] + data
        self._at = 0
        return bool(data)

    def _drop(self) -> None:
        count = min(self._drop_bytes, len(self._ahead) - self._at)
        self._at += count
        self._drop_bytes -= count
        if self._drop_bytes == 0:
            self._ready, self._pass_bytes = self._after_drop

    def _parse(self) -> bool:
        """Look at the next packet and decide what to do with it; return False if more bytes are needed for that."""
        ahead, at = self._ahead, self._at
        if at == len(ahead):
            return False
        kind, flags = ahead[at] >> 4, ahead[at] & 0x0F
        if kind == _PUBLISH and flags & _QOS_2_OR_3:
            raise self._violated("the broker sent a message at QoS 2, although no subscription asks for that")
        size, end = self._number(at + 1)
        if size is None:
            if len(ahead) - at < 5:
                return False
            size, end = 0, at + 5  # malformed: paho says so
        if size <= LARGEST_PAYLOAD:
            self._ready, self._pass_bytes, self._at = ahead[at:end], size, end
            return True
        if kind != _PUBLISH:
            raise self._violated(f"the broker sent a packet of {size} bytes that is no message")
        return self._parse_large(end, size, has_id=bool(flags & _QOS))

    def _parse_large(self, start: int, size: int, *, has_id: bool) -> bool:
        """Do `_parse` for a PUBLISH whose contents of `size` bytes begin at `start`."""
        ahead = self._ahead
        if len(ahead) < start + 2:
            return False
        head = 2 + int.from_bytes(ahead[start : start + 2]) + (2 if has_id else 0)
        if len(ahead) < start + head:
            return False
        at, properties_bytes = start + head, 0
        if self._has_properties:
            length, at = self._number(at)
            if length is None:
                if len(ahead) - start - head < 4:
                    return False
                raise self._violated("the broker sent a malformed message")
            properties_bytes = length
        payload_bytes = size - (at - start) - properties_bytes
        if payload_bytes < 0:
            raise self._violated("the broker sent a malformed message")
        # The properties of a large packet are left out, too: they may be what makes it large.
        kept = ahead[start : start + head] + (b"\0" if self._has_properties else b"")
        is_too_large = payload_bytes > LARGEST_PAYLOAD
        passed = 0 if is_too_large else payload_bytes
        self._discarded_bytes = payload_bytes if is_too_large else 0
        packet = ahead[self._at : self._at + 1] + _encoded(len(kept) + passed) + kept
        self._at = at
        self._drop_bytes = properties_bytes + (payload_bytes - passed)
        if self._drop_bytes:
            self._after_drop = (packet, passed)
        else:
            self._ready, self._pass_bytes = packet, passed
        return True

    def _number(self, at: int) -> tuple[int | None, int]:
        """Return the variable byte integer at an offset and where it ends; None if it is incomplete or too long."""
        value = 0
        for place, byte in enumerate(self._ahead[at : at + 4]):
            value |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                return value, at + place + 1
        return None, at

    def _violated(self, why: str) -> ConnectionError:
        self.violation = why
        return ConnectionResetError(why)


def _encoded(value: int) -> bytes:
    """Return a variable byte integer."""
    encoded = bytearray()
    while True:
        value, low = divmod(value, 128)
        encoded.append(low | (0x80 if value else 0))
        if not value:
            return bytes(encoded)
