"""Simulated brokers: the test answers packet by packet (`PlayedBroker`), or a script does (`ScriptedBroker`).

They answer over real sockets as the test says, also wrongly. MQTT 5 or 3.1.1.
"""

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from harness.mqtt_packets import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBLISH,
    SUBSCRIBE,
    Packet,
    connack,
    encode,
    encode_text,
    parse,
    puback,
    suback,
)
from harness.waiting import DEADLINE_S, wait_for

__all__ = ["PlayedBroker", "PlayedConnection", "Script", "ScriptedBroker"]

_QUIET_S = 0.05


class PlayedConnection:
    """The broker's end of one connection. Raises ConnectionError when the client has closed it."""

    def __init__(self, stream: socket.socket, *, v5: bool = True, timeout_s: float = DEADLINE_S) -> None:
        self.stream = stream
        self.v5 = v5
        stream.settimeout(timeout_s)
        self._received = b""
        self._ahead: deque[Packet] = deque()

    # -- receiving ---------------------------------------------------------------------------------------------------

    def read(self) -> Packet:
        """Return the next packet."""
        return self._ahead.popleft() if self._ahead else self._parse()

    def peek(self, within_s: float) -> Packet | None:
        """Return the packet after those already read, if it comes in time; `read` returns it again."""
        timeout_s = self.stream.gettimeout()
        self.stream.settimeout(within_s)
        try:
            self._ahead.append(self._parse())
        except TimeoutError:
            return None
        finally:
            self.stream.settimeout(timeout_s)
        return self._ahead[-1]

    def _parse(self) -> Packet:
        first = self._take(1)[0]
        length = shift = 0
        while True:
            group = self._take(1)[0]
            length |= (group & 0x7F) << shift
            shift += 7
            if group < 0x80:
                return parse(first >> 4, first & 0x0F, self._take(length), v5=self.v5)

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            more = self.stream.recv(65536)
            if not more:
                raise ConnectionAbortedError("the client has closed the connection")
            self._received += more
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def expect(self, kind: int) -> Packet:
        """Return the next packet, which must be of this kind. Pings before it are answered."""
        while True:
            packet = self.read()
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
        """Wait until the client closes the connection, whatever it sends before."""
        with suppress(ConnectionError):
            while True:
                self.read()

    def expect_quiet(self) -> None:
        """Fail if anything is received within a moment."""
        packet = self.peek(_QUIET_S)
        assert packet is None, packet

    # -- sending -----------------------------------------------------------------------------------------------------

    def send(self, kind: int, body: bytes = b"", *, flags: int = 0) -> None:
        self.send_raw(encode(kind, body, flags=flags))

    def send_raw(self, data: bytes) -> None:
        self.stream.sendall(data)

    def connack(self, code: int = 0, *, properties: bytes = b"") -> None:
        self.send_raw(connack(code, v5=self.v5, properties=properties))

    def puback(self, packet: Packet, code: int = 0) -> None:
        self.send_raw(puback(packet.identifier, code, v5=self.v5))

    def suback(self, packet: Packet, code: int = 1) -> None:
        self.send_raw(suback(packet.identifier, bytes((code,)) * len(packet.filters), v5=self.v5))

    def publish(self, topic: str | bytes, payload: bytes, *, retain: bool = False) -> None:
        """Send a message at QoS 0, so that the client does not answer."""
        self.send(PUBLISH, encode_text(topic) + (b"\0" if self.v5 else b"") + payload, flags=int(retain))

    def welcome(self, *, properties: bytes = b"") -> Packet:
        """Play the start of every connection of a kiosk; return the `status` that it publishes."""
        self.expect(CONNECT)
        self.connack(properties=properties)
        subscription = self.expect(SUBSCRIBE)
        status = self.expect_publish("/status")
        self.suback(subscription)
        return status

    def serve(
        self,
        *,
        answer: Callable[[Packet], int | None] = lambda _: 0,
        answered: Callable[[Packet, int | None], None] = lambda _packet, _code: None,
        subscribed: Callable[[int], bytes] = lambda count: bytes((1,)) * count,
    ) -> None:
        """Be a broker until the client goes.

        `answer` returns the reason code of a publish, or None for no answer; `answered` is told both. `subscribed`
        returns the reason codes for a number of filters.
        """
        while True:
            packet = self.read()
            if packet.kind == PUBLISH:
                code = answer(packet)
                answered(packet, code)
                if code is not None:
                    self.puback(packet, code)
            elif packet.kind == SUBSCRIBE:
                self.send_raw(suback(packet.identifier, subscribed(len(packet.filters)), v5=self.v5))
            elif packet.kind == PINGREQ:
                self.send(PINGRESP)
            elif packet.kind == DISCONNECT:
                return

    def close(self) -> None:
        self.stream.close()


class PlayedBroker:
    """Listens on the loopback, by default on a free port; the test accepts each connection and plays it.

    Context-managed.

    With a `context` the connections are TLS.
    """

    def __init__(
        self, *, v5: bool = True, context: ssl.SSLContext | None = None, timeout_s: float = 5.0, port: int = 0
    ) -> None:
        self._v5 = v5
        self._context = context
        self._timeout_s = timeout_s
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(timeout_s)
        self._connections: list[PlayedConnection] = []
        self.port: int = self._listener.getsockname()[1]

    def accept(self) -> PlayedConnection:
        """Return the next connection."""
        stream, _ = self._listener.accept()
        if self._context:
            stream.settimeout(self._timeout_s)
            stream = _shake_hands(stream, self._context)
        connection = PlayedConnection(stream, v5=self._v5, timeout_s=self._timeout_s)
        self._connections.append(connection)
        return connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        self._listener.close()


def _shake_hands(stream: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    secure = context.wrap_socket(stream, server_side=True, do_handshake_on_connect=False)
    try:
        secure.do_handshake()
    except ssl.SSLError:
        # Closing a socket with unread bytes resets the connection, and the TLS alert would be lost.
        with socket.socket(fileno=secure.detach()) as plain:
            plain.settimeout(stream.gettimeout())
            while plain.recv(4096):
                pass
        raise
    return secure


Script = Callable[[PlayedConnection, "ScriptedBroker"], None]
"""What a scripted broker does with each connection."""


class ScriptedBroker:
    """Listens on a free port of the loopback and runs `script` for each connection, one after the other.

    Context-managed: a script that met what it does not expect is an error at the end. `connections` counts them.
    """

    def __init__(self, script: Script, *, v5: bool = True) -> None:
        self.v5 = v5
        self.connections = 0
        self.problems: list[str] = []
        self._script = script
        self._published: list[tuple[Packet, int | None]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_over = False
        self._stream: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"scripted-broker-{self.port}", daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def note(self, publish: Packet, code: int | None) -> None:
        """Keep a publish and how it was answered, for `published`."""
        self._published.append((publish, code))

    def published(self, part: str = "/event/") -> list[tuple[Packet, int | None]]:
        """Return the noted publishes on topics with `part` in them, and how each was answered."""
        return [one for one in list(self._published) if part in one[0].topic]

    def wait_connections(self, count: int) -> None:
        wait_for(lambda: self.connections >= count, f"connection {count}")

    def _run(self) -> None:
        while not self._is_over:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self._stream = stream
            self.connections += 1
            with stream:
                try:
                    self._script(PlayedConnection(stream, v5=self.v5, timeout_s=2 * DEADLINE_S), self)
                except (ConnectionError, TimeoutError):
                    pass
                except (AssertionError, OSError) as problem:
                    if not self._is_over:
                        self.problems.append(str(problem))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._is_over = True
        for end in (self._listener, self._stream):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._thread.join(DEADLINE_S)
        if kind is None:
            assert not self.problems
