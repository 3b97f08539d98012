"""A scripted MQTT broker: the test sends and expects single packets over a real socket."""

import socket
import ssl
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

__all__ = ["Connection", "Packet", "Peer"]

TIMEOUT_S = 5.0
QUIET_S = 0.05

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14

RECEIVE_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE, MAXIMUM_PACKET_SIZE = 0x21, 0x24, 0x25, 0x27
MESSAGE_EXPIRY = 0x02
CONTENT_TYPE = 0x03


def _string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("!H", len(raw)) + raw


def _length(value: int) -> bytes:
    out = bytearray()
    while True:
        value, byte = divmod(value, 128)
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A received packet. `topic`, `payload`, raw `properties` and `identifier` are those of a PUBLISH."""

    kind: int
    flags: int
    body: bytes
    identifier: int = 0
    topic: str = ""
    payload: bytes = b""
    properties: bytes = b""
    filters: tuple[tuple[str, int], ...] = ()

    @property
    def retain(self) -> bool:
        return bool(self.flags & 1)


class Connection:
    """The broker's end of one connection. `expect` answers pings, and fails on any other unexpected packet."""

    def __init__(self, sock: socket.socket, *, v5: bool = True) -> None:
        self._sock = sock
        self._sock.settimeout(TIMEOUT_S)
        self._v5 = v5
        self._unread: list[Packet] = []

    # -- in ----------------------------------------------------------------------------------------------------------

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._sock.recv(count - len(data))
            if not part:
                raise ConnectionError("the kiosk closed the connection")
            data += part
        return data

    def _read(self) -> Packet:
        first = self._exactly(1)[0]
        length = shift = 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        return self._parse(first >> 4, first & 0x0F, self._exactly(length))

    def _parse(self, kind: int, flags: int, body: bytes) -> Packet:
        if kind == PUBLISH:
            size = int.from_bytes(body[:2])
            topic, at = body[2 : 2 + size].decode(), 2 + size
            identifier = int.from_bytes(body[at : at + 2])
            at += 2
            properties = b""
            if self._v5:
                properties = body[at + 1 : at + 1 + body[at]]
                at += 1 + body[at]
            return Packet(
                kind=kind,
                flags=flags,
                body=body,
                identifier=identifier,
                topic=topic,
                payload=body[at:],
                properties=properties,
            )
        if kind in (SUBSCRIBE, UNSUBSCRIBE):
            at = 3 if self._v5 else 2
            filters = []
            while at < len(body):
                size = int.from_bytes(body[at : at + 2])
                text = body[at + 2 : at + 2 + size].decode()
                at += 2 + size
                options = 0
                if kind == SUBSCRIBE:
                    options = body[at]
                    at += 1
                filters.append((text, options))
            return Packet(
                kind=kind, flags=flags, body=body, identifier=int.from_bytes(body[:2]), filters=tuple(filters)
            )
        return Packet(kind=kind, flags=flags, body=body)

    def expect(self, kind: int) -> Packet:
        """Return the next packet. It must be of this kind."""
        while True:
            packet = self._unread.pop(0) if self._unread else self._read()
            if packet.kind == PINGREQ and kind != PINGREQ:
                self.send(PINGRESP)
                continue
            assert packet.kind == kind, packet
            return packet

    def expect_publish(self, suffix: str, *, answer: int | None = 0) -> Packet:
        """Return the next packet, which must be a PUBLISH whose topic ends with `suffix`.

        It is answered with the reason code `answer`, unless that is None.
        """
        packet = self.expect(PUBLISH)
        assert packet.topic.endswith(suffix), packet
        if answer is not None:
            self.puback(packet, answer)
        return packet

    def expect_closed(self) -> None:
        """Wait until the kiosk closes the connection, whatever it sends before."""
        try:
            while True:
                self._read()
        except ConnectionError:
            return

    def expect_quiet(self) -> None:
        """Fail if anything is received within a moment."""
        self._sock.settimeout(QUIET_S)
        try:
            packet = self._read()
        except TimeoutError:
            return
        finally:
            self._sock.settimeout(TIMEOUT_S)
        raise AssertionError(packet)

    # -- out ---------------------------------------------------------------------------------------------------------

    def send(self, kind: int, body: bytes = b"", *, flags: int = 0) -> None:
        self.send_raw(bytes([kind << 4 | flags]) + _length(len(body)) + body)

    def send_raw(self, data: bytes) -> None:
        self._sock.sendall(data)

    def connack(self, code: int = 0, *, properties: bytes = b"") -> None:
        self.send(CONNACK, bytes([0, code]) + (_length(len(properties)) + properties if self._v5 else b""))

    def puback(self, packet: Packet, code: int = 0) -> None:
        identifier = struct.pack("!H", packet.identifier)
        self.send(PUBACK, identifier + bytes([code]) if code and self._v5 else identifier)

    def suback(self, packet: Packet, code: int = 1) -> None:
        head = struct.pack("!H", packet.identifier) + (b"\0" if self._v5 else b"")
        self.send(SUBACK, head + bytes([code]) * len(packet.filters))

    def publish(self, topic: str | bytes, payload: bytes, *, retain: bool = False) -> None:
        """Send a message at QoS 0, so that the kiosk does not answer."""
        self.send(PUBLISH, _string(topic) + (b"\0" if self._v5 else b"") + payload, flags=int(retain))

    def welcome(self, *, properties: bytes = b"") -> Packet:
        """Play the start of every connection, up to the SUBACK; return the `status` that was published."""
        self.expect(CONNECT)
        self.connack(properties=properties)
        subscription = self.expect(SUBSCRIBE)
        status = self.expect_publish("/status")
        self.suback(subscription)
        return status

    def close(self) -> None:
        self._sock.close()


def _shake_hands(sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    secure = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    try:
        secure.do_handshake()
    except ssl.SSLError:
        # Closing a socket with unread bytes resets the connection, and the TLS alert would be lost.
        with socket.socket(fileno=secure.detach()) as plain:
            plain.settimeout(TIMEOUT_S)
            while plain.recv(4096):
                pass
        raise
    return secure


class Peer:
    """A listener on a free port of the loopback interface."""

    def __init__(self, *, v5: bool = True, context: ssl.SSLContext | None = None) -> None:
        self._v5 = v5
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        self._connections: list[Connection] = []
        self.port: int = self._listener.getsockname()[1]

    def accept(self) -> Connection:
        sock, _ = self._listener.accept()
        if self._context:
            sock.settimeout(TIMEOUT_S)
            sock = _shake_hands(sock, self._context)
        connection = Connection(sock, v5=self._v5)
        self._connections.append(connection)
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.close()
        self._listener.close()
