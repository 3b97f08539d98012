"""A scripted MQTT 5 (or 3.1.1) broker: it answers as it is told, wrongly if need be, and remembers what it was sent.

And a relay before a real broker that is slow, silent, or gone. Packets as in the OASIS standard, chapters 2 and 3.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from harness.waiting import DEADLINE_S, wait_for

__all__ = ["Link", "Packet", "Publish", "Relay", "ScriptedBroker", "connack", "puback", "suback"]

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14,
)  # fmt: skip


class Packet(NamedTuple):
    """A control packet: its type, the flags of its first byte, and what follows the length."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    topic: str
    payload: bytes
    token: int


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


def _packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    return bytes((kind << 4 | flags,)) + _length(len(body)) + body


def connack(code: int = 0, *, protocol: int = 5, receive_maximum: int | None = None) -> bytes:
    if protocol != 5:
        return _packet(CONNACK, bytes((0, code)))
    properties = b"" if receive_maximum is None else b"\x21" + receive_maximum.to_bytes(2)
    return _packet(CONNACK, bytes((0, code)) + _length(len(properties)) + properties)


def puback(token: int, code: int = 0, *, protocol: int = 5) -> bytes:
    return _packet(PUBACK, token.to_bytes(2) + (bytes((code, 0)) if protocol == 5 and code else b""))


def suback(token: int, codes: bytes, *, protocol: int = 5) -> bytes:
    return _packet(SUBACK, token.to_bytes(2) + (b"\0" if protocol == 5 else b"") + codes)


class Link:
    """One connection of a client, as its script sees it. ConnectionError when the client is gone."""

    def __init__(self, stream: socket.socket, broker: "ScriptedBroker") -> None:
        self.stream = stream
        self.broker = broker
        self._buffer = b""
        self._ahead: deque[Packet] = deque()

    def send(self, data: bytes) -> None:
        self.stream.sendall(data)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            found = self.stream.recv(65536)
            if not found:
                raise ConnectionAbortedError("the client has closed the connection")
            self._buffer += found
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def peek(self, within_s: float) -> Packet | None:
        """The packet after those that were read, if one comes in time; `read` gives it once more."""
        patience_s = self.stream.gettimeout()
        self.stream.settimeout(within_s)
        try:
            self._ahead.append(self._parse())
        except TimeoutError:
            return None
        finally:
            self.stream.settimeout(patience_s)
        return self._ahead[-1]

    def read(self) -> Packet:
        return self._ahead.popleft() if self._ahead else self._parse()

    def _parse(self) -> Packet:
        first = self._take(1)[0]
        size, shift = 0, 0
        while True:
            byte = self._take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return Packet(first >> 4, first & 0x0F, self._take(size))

    def expect(self, kind: int) -> Packet:
        packet = self.read()
        assert packet.kind == kind, f"packet {kind} is expected, not {packet}"
        return packet

    def wait_gone(self) -> None:
        """Say nothing until the client has had enough."""
        with suppress(ConnectionError, TimeoutError):
            while True:
                self.read()

    def publish_of(self, packet: Packet) -> Publish:
        size = int.from_bytes(packet.body[:2])
        at = 2 + size
        token, at = int.from_bytes(packet.body[at : at + 2]), at + 2
        if self.broker.protocol == 5:
            properties, shift = 0, 0
            while True:
                byte, at = packet.body[at], at + 1
                properties |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            at += properties
        return Publish(topic=packet.body[2 : 2 + size].decode(), payload=packet.body[at:], token=token)

    def filters_of(self, packet: Packet) -> tuple[int, int]:
        """(token, number of filters) of a SUBSCRIBE whose properties are empty."""
        at, count = 2 + (self.broker.protocol == 5), 0
        while at < len(packet.body):
            at += 2 + int.from_bytes(packet.body[at : at + 2]) + 1
            count += 1
        return int.from_bytes(packet.body[:2]), count

    def serve(
        self,
        *,
        answer: Callable[[Publish], int | None] = lambda _: 0,
        subscribed: Callable[[int], bytes] = lambda count: bytes((1,)) * count,
    ) -> None:
        """Be a broker until the client goes: `answer` is a publish's reason code (none: no answer at all),
        `subscribed` the codes for so many filters."""
        while True:
            packet = self.read()
            if packet.kind == PUBLISH:
                publish = self.publish_of(packet)
                code = answer(publish)
                self.broker.note(publish, code)
                if code is not None:
                    self.send(puback(publish.token, code, protocol=self.broker.protocol))
            elif packet.kind == SUBSCRIBE:
                token, count = self.filters_of(packet)
                self.send(suback(token, subscribed(count), protocol=self.broker.protocol))
            elif packet.kind == PINGREQ:
                self.send(_packet(PINGRESP, b""))
            elif packet.kind == DISCONNECT:
                return


Script = Callable[[Link], None]


@dataclass(kw_only=True)
class _Heard:
    publishes: list[tuple[Publish, int | None]] = field(default_factory=list)


class ScriptedBroker:
    """Listens on a port of the loopback and runs `script` for each connection, one after the other.

    `connections` counts them; `problems` are scripts that met what they did not expect.
    """

    def __init__(self, script: Script, *, protocol: int = 5) -> None:
        self.protocol = protocol
        self.connections = 0
        self.problems: list[str] = []
        self._script = script
        self._heard = _Heard()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._over = False
        self._stream: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"scripted-broker-{self.port}", daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def note(self, publish: Publish, code: int | None) -> None:
        self._heard.publishes.append((publish, code))

    def heard(self, part: str = "/event/") -> list[tuple[Publish, int | None]]:
        """The publishes on topics with `part` in them, and how each was answered."""
        return [one for one in list(self._heard.publishes) if part in one[0].topic]

    def wait_connections(self, count: int) -> None:
        wait_for(lambda: self.connections >= count, f"connection {count}")

    def _run(self) -> None:
        while not self._over:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self._stream = stream
            self.connections += 1
            with stream:
                stream.settimeout(2 * DEADLINE_S)
                try:
                    self._script(Link(stream, self))
                except (ConnectionError, TimeoutError):
                    pass
                except (AssertionError, OSError) as problem:
                    if not self._over:
                        self.problems.append(str(problem))

    def close(self) -> None:
        self._over = True
        for end in (self._listener, self._stream):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._thread.join(DEADLINE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
        if kind is None:
            assert not self.problems


class Relay:
    """A bad line to a real broker: at most `bytes_per_s` each way, `mute` while set, cut by `cut`."""

    def __init__(self, port: int, *, bytes_per_s: int | None = None) -> None:
        self._behind = port
        self._bytes_per_s = bytes_per_s
        self.mute = threading.Event()
        self.connections = 0
        self._over = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._run, name="relay", daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _run(self) -> None:
        while not self._over:
            try:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection(("127.0.0.1", self._behind))
            except OSError:
                if self._over:
                    return
                continue
            self.connections += 1
            self._open = [ours, theirs]
            for source, target in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._pump, args=(source, target), name="relay-pump", daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        chunk = 65536 if self._bytes_per_s is None else max(1, self._bytes_per_s // 100)
        with suppress(OSError):
            while data := source.recv(chunk):
                if self._bytes_per_s is not None:
                    time.sleep(len(data) / self._bytes_per_s)
                if not self.mute.is_set():
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def has_had(self, connections: int) -> bool:
        return self.connections >= connections

    def cut(self) -> None:
        """Break the connection, in the middle of whatever it carries."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._over = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
