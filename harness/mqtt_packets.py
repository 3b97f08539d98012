"""MQTT control packets, encoded and parsed by hand (OASIS MQTT 3.1.1 and 5.0, chapters 2 and 3)."""

from dataclasses import dataclass

__all__ = ["Packet", "connack", "encode", "encode_length", "encode_text", "parse", "puback", "suback"]

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14

RECEIVE_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE, MAXIMUM_PACKET_SIZE = 0x21, 0x24, 0x25, 0x27
MESSAGE_EXPIRY, CONTENT_TYPE = 0x02, 0x03


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A received packet.

    `topic`, `payload`, `properties` (raw) are those of a PUBLISH, `filters` those of a SUBSCRIBE or UNSUBSCRIBE with
    their options; `identifier` belongs to all of these.
    """

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


def encode_length(value: int) -> bytes:
    """Return a length in groups of seven bits, the lowest first."""
    encoded = bytearray()
    while True:
        value, group = divmod(value, 128)
        encoded.append(group | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


def encode_text(text: str | bytes) -> bytes:
    """Return a text with its length before it."""
    raw = text.encode() if isinstance(text, str) else text
    return len(raw).to_bytes(2) + raw


def encode(kind: int, body: bytes = b"", *, flags: int = 0) -> bytes:
    """Return a control packet."""
    return bytes((kind << 4 | flags,)) + encode_length(len(body)) + body


def connack(code: int = 0, *, v5: bool = True, properties: bytes = b"") -> bytes:
    return encode(CONNACK, bytes((0, code)) + (encode_length(len(properties)) + properties if v5 else b""))


def puback(identifier: int, code: int = 0, *, v5: bool = True) -> bytes:
    return encode(PUBACK, identifier.to_bytes(2) + (bytes((code,)) if code and v5 else b""))


def suback(identifier: int, codes: bytes, *, v5: bool = True) -> bytes:
    return encode(SUBACK, identifier.to_bytes(2) + (b"\0" if v5 else b"") + codes)


def parse(kind: int, flags: int, body: bytes, *, v5: bool = True) -> Packet:
    """Return a packet that a client has sent at QoS 1."""
    if kind == PUBLISH:
        size = int.from_bytes(body[:2])
        at = 2 + size
        identifier = int.from_bytes(body[at : at + 2])
        length, start = _length_at(body, at + 2) if v5 else (0, at + 2)
        return Packet(
            kind=kind, flags=flags, body=body, identifier=identifier, topic=body[2:at].decode(),
            payload=body[start + length :], properties=body[start : start + length],
        )  # fmt: skip
    if kind in (SUBSCRIBE, UNSUBSCRIBE):
        at, filters = 3 if v5 else 2, []
        while at < len(body):
            end = at + 2 + int.from_bytes(body[at : at + 2])
            has_options = kind == SUBSCRIBE
            filters.append((body[at + 2 : end].decode(), body[end] if has_options else 0))
            at = end + has_options
        return Packet(kind=kind, flags=flags, body=body, identifier=int.from_bytes(body[:2]), filters=tuple(filters))
    return Packet(kind=kind, flags=flags, body=body)


def _length_at(data: bytes, at: int) -> tuple[int, int]:
    """Return (a length encoded at `at`, where it ends)."""
    length = shift = 0
    while True:
        group = data[at]
        length |= (group & 0x7F) << shift
        shift += 7
        at += 1
        if group < 0x80:
            return length, at
